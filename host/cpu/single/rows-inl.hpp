/// \file Rows of small matrices as whole vectors. Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_SINGLE_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_SINGLE_ROWS_INL
#undef MATGRAD_SINGLE_ROWS_INL
#else
#define MATGRAD_SINGLE_ROWS_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "cpu/single/step.hpp"
#include "cpu/view.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// kWidth numbers, a power of 2, in registers.
template <typename T, int kWidth>
class Row {
public:
    using D = hn::CappedTag<T, kWidth>;
    static constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
    static constexpr int kVectors = kWidth / kLanes;

    /// Zeros.
    HWY_INLINE Row() {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::Zero(D());
        }
    }
    HWY_INLINE explicit Row(const T* from) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::LoadU(D(), from + v * kLanes);
        }
    }
    HWY_INLINE void store(T* to) const {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            hn::StoreU(parts_[v], D(), to + v * kLanes);
        }
    }
    HWY_INLINE void scale(T factor) {
        const auto by = hn::Set(D(), factor);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::Mul(by, parts_[v]);
        }
    }
    HWY_INLINE void add_product(T factor, const Row& row) {
        const auto by = hn::Set(D(), factor);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::MulAdd(by, row.parts_[v], parts_[v]);
        }
    }
    HWY_INLINE void subtract_product(T factor, const Row& row) {
        const auto by = hn::Set(D(), factor);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::NegMulAdd(by, row.parts_[v], parts_[v]);
        }
    }
    /// Entry by entry.
    HWY_INLINE void add_product(const Row& a, const Row& b) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::MulAdd(a.parts_[v], b.parts_[v], parts_[v]);
        }
    }
    HWY_INLINE void add(const Row& row) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            parts_[v] = hn::Add(parts_[v], row.parts_[v]);
        }
    }
    /// The sum of the first `count` products.
    [[nodiscard]] HWY_INLINE T dot(const Row& row, std::int32_t count) const {
        auto sum = hn::Zero(D());
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
            const auto left = static_cast<std::size_t>(std::max(count - v * kLanes, 0));
            const auto counts = hn::FirstN(D(), std::min<std::size_t>(left, kLanes));
            sum = hn::Add(sum, hn::IfThenElseZero(counts, hn::Mul(parts_[v], row.parts_[v])));
        }
        return hn::GetLane(hn::SumOfLanes(D(), sum));
    }
    /// The sum of the first `count` numbers, in double.
    [[nodiscard]] HWY_INLINE double sum(std::int32_t count) const {
        HWY_ALIGN T numbers[kWidth < kLanes ? kLanes : kWidth];
        store(numbers);
        double result = 0;
        for (std::int32_t i = 0; i < count; ++i) {
            result += static_cast<double>(numbers[i]);
        }
        return result;
    }

private:
    hn::Vec<D> parts_[kVectors];
};

/// Calls function(T{}, width) with the type and the size class of `cols` columns as constants.
template <typename Function>
auto with_row(ScalarType type, std::int32_t cols, Function function) {
    return with_type(type, [&](auto zero) {
        switch (padded(cols)) {
            case 1:
                return function(zero, std::integral_constant<int, 1>());
            case 2:
                return function(zero, std::integral_constant<int, 2>());
            case 4:
                return function(zero, std::integral_constant<int, 4>());
            case 8:
                return function(zero, std::integral_constant<int, 8>());
            default:
                return function(zero, std::integral_constant<int, 16>());
        }
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
