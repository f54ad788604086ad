#include "cpu/batch_sums.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/batch_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/strip-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace {

template <typename T>
bool finite_typed(const T* data, std::int64_t count) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto zero = hn::Zero(d);
    // A product with 0 is NaN if the number is not finite.
    auto even = zero;
    auto odd = zero;
    std::int64_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
        even = hn::MulAdd(hn::LoadU(d, data + i), zero, even);
        odd = hn::MulAdd(hn::LoadU(d, data + i + lanes), zero, odd);
    }
    for (; i < count; i += lanes) {
        const auto some =
            i + lanes <= count ? hn::LoadU(d, data + i) : load_first<T>(data + i, count - i);
        even = hn::MulAdd(some, zero, even);
    }
    return hn::AllTrue(d, hn::Eq(hn::Add(even, odd), zero));
}

template <typename S>
void add_typed(const S* data, std::int64_t matrices, std::int64_t count, double* sums) {
    const Lane<double> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t e = 0;
    for (; e + 2 * lanes <= count; e += 2 * lanes) {
        auto left = hn::LoadU(d, sums + e);
        auto right = hn::LoadU(d, sums + e + lanes);
        for (std::int64_t p = 0; p < matrices; ++p) {
            left = hn::Add(left, load_strip<double>(data + p * count + e));
            right = hn::Add(right, load_strip<double>(data + p * count + e + lanes));
        }
        hn::StoreU(left, d, sums + e);
        hn::StoreU(right, d, sums + e + lanes);
    }
    for (; e < count; ++e) {
        double sum = sums[e];
        for (std::int64_t p = 0; p < matrices; ++p) {
            sum += static_cast<double>(data[p * count + e]);
        }
        sums[e] = sum;
    }
}

bool finite_all(ScalarType type, const std::byte* data, std::int64_t count) {
    return with_type(type, [&](auto zero) {
        return finite_typed(reinterpret_cast<const decltype(zero)*>(data), count);
    });
}

void add_all(ScalarType type, const std::byte* data, std::int64_t matrices, std::int64_t count,
             double* sums) {
    with_type(type, [&](auto zero) {
        add_typed(reinterpret_cast<const decltype(zero)*>(data), matrices, count, sums);
    });
}

}  // namespace
}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
namespace {
HWY_EXPORT(finite_all);
HWY_EXPORT(add_all);
}  // namespace

bool all_finite(ScalarType type, const std::byte* data, std::int64_t count) {
    return HWY_DYNAMIC_DISPATCH(finite_all)(type, data, count);
}

void add_matrices(ScalarType type, const std::byte* data, std::int64_t matrices, std::int64_t count,
                  double* sums) {
    HWY_DYNAMIC_DISPATCH(add_all)(type, data, matrices, count, sums);
}
}  // namespace matgrad::detail
#endif
