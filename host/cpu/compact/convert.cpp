/// \file Numbers of the compact layout in another type, and their sums over the lanes.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/convert.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// kLanes numbers of From, or one of them spread, as To.
template <typename From, typename To>
HWY_INLINE void convert_element(const From* from, bool shared, To* to) {
    if (shared) {
        std::fill(to, to + kLanes, static_cast<To>(*from));
    } else if constexpr (sizeof(From) >= sizeof(To)) {
        for (std::size_t l = 0; l < kLanes; l += hn::Lanes(Lane<From>())) {
            store_as<From>(hn::Load(Lane<From>(), from + l), to + l);
        }
    } else {
        for (std::size_t l = 0; l < kLanes; l += hn::Lanes(Lane<To>())) {
            hn::Store(load_as<To>(from + l), Lane<To>(), to + l);
        }
    }
}

template <typename From, typename To>
void convert_typed(const View& from, const View& to) {
    for (std::int64_t r = 0; r < to.rows; ++r) {
        for (std::int64_t c = 0; c < to.cols; ++c) {
            convert_element(reinterpret_cast<const From*>(from.at(r, c)), from.lanes == 1,
                            reinterpret_cast<To*>(to.at(r, c)));
        }
    }
}

void convert_all(const View& from, const View& to) {
    with_type(from.type, [&](auto f) {
        with_type(to.type, [&](auto t) { convert_typed<decltype(f), decltype(t)>(from, to); });
    });
}

template <typename T>
void sum_typed(const View& from, const bool* keep, double* sums) {
    const Lane<double> d;
    HWY_ALIGN double ones[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        ones[l] = keep[l] ? 1.0 : 0.0;
    }
    for (std::int64_t r = 0; r < from.rows; ++r) {
        for (std::int64_t c = 0; c < from.cols; ++c) {
            const T* at = reinterpret_cast<const T*>(from.at(r, c));
            auto sum = hn::Zero(d);
            for (std::size_t l = 0; l < kLanes; l += hn::Lanes(d)) {
                const auto kept = hn::Ne(hn::Load(d, ones + l), hn::Zero(d));
                sum = hn::Add(sum, hn::IfThenElseZero(kept, load_as<double>(at + l)));
            }
            *sums++ += hn::GetLane(hn::SumOfLanes(d, sum));
        }
    }
}

void sum_all(const View& from, const bool* keep, double* sums) {
    with_type(from.type, [&](auto zero) { sum_typed<decltype(zero)>(from, keep, sums); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(convert_all);
HWY_EXPORT(sum_all);
void lane_convert(const View& from, const View& to) {
    HWY_DYNAMIC_DISPATCH(convert_all)(from, to);
}
void lane_sum(const View& from, const bool* keep, double* sums) {
    HWY_DYNAMIC_DISPATCH(sum_all)(from, keep, sums);
}
}  // namespace matgrad::detail
#endif
