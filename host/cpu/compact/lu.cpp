/// \file LU factorizations with row interchanges in the compact layout: each lane has pivots of its own.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/lu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"
#include "matgrad/status.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Swaps rows `row` and the lane's own pivot row, in every column.
template <typename T>
void swap_rows(const View& a, std::int64_t row, const T* pivots) {
    for (int l = 0; l < kLanes; ++l) {
        const auto other = static_cast<std::int64_t>(pivots[l]);
        if (other == row) {
            continue;
        }
        T* x = reinterpret_cast<T*>(a.at(row, 0)) + l;
        T* y = reinterpret_cast<T*>(a.at(other, 0)) + l;
        for (std::int64_t c = 0; c < a.cols; ++c) {
            std::swap(x[c * a.col_stride * kLanes], y[c * a.col_stride * kLanes]);
        }
    }
}

template <typename T>
void getrf_typed(const View& matrix, const View& pivots, std::int32_t* bad, std::int32_t* zero) {
    const Lane<T> d;
    const std::int64_t n = matrix.rows;
    const int step = static_cast<int>(hn::Lanes(d));
    std::fill(bad, bad + kLanes, 0);
    std::fill(zero, zero + kLanes, 0);
    const auto largest = hn::Set(d, std::numeric_limits<T>::max());
    for (std::int64_t k = 0; k < n; ++k) {
        T* chosen = reinterpret_cast<T*>(pivots.at(k, 0));
        for (int lane = 0; lane < kLanes; lane += step) {
            const Elements<T> a(matrix, lane);
            auto best = hn::Abs(hn::Load(d, a.at(k, k)));
            auto best_row = hn::Set(d, static_cast<T>(k));
            for (std::int64_t r = k + 1; r < n; ++r) {
                const auto size = hn::Abs(hn::Load(d, a.at(r, k)));
                // A NaN beats every number and, being first, every other NaN.
                const auto better =
                    hn::And(hn::Or(hn::Gt(size, best), hn::IsNaN(size)), hn::Eq(best, best));
                best = hn::IfThenElse(better, size, best);
                best_row = hn::IfThenElse(better, hn::Set(d, static_cast<T>(r)), best_row);
            }
            hn::Store(best_row, d, chosen + lane);
            HWY_ALIGN T sizes[kLanes];
            hn::Store(best, d, sizes);
            for (int l = 0; l < step; ++l) {
                if (bad[lane + l] == 0 && !(sizes[l] <= std::numeric_limits<T>::max())) {
                    bad[lane + l] = make_status(StatusKind::not_finite, k + 1);
                }
                if (zero[lane + l] == 0 && sizes[l] == 0) {
                    zero[lane + l] = make_status(StatusKind::singular, k + 1);
                }
            }
        }
        swap_rows<T>(matrix, k, chosen);
        for (int lane = 0; lane < kLanes; lane += step) {
            const Elements<T> a(matrix, lane);
            const auto pivot = hn::Load(d, a.at(k, k));
            const auto one = hn::Set(d, T{1});
            // A zero pivot has zeros below: they stay, and the determinant is an exact 0.
            const auto scale = hn::IfThenZeroElse(hn::Eq(pivot, hn::Zero(d)), hn::Div(one, pivot));
            // The reciprocal of a subnormal pivot overflows: divide there.
            const auto safe = hn::Le(hn::Abs(scale), largest);
            for (std::int64_t r = k + 1; r < n; ++r) {
                const auto value = hn::Load(d, a.at(r, k));
                const auto factor =
                    hn::AllTrue(d, safe)
                        ? hn::Mul(value, scale)
                        : hn::IfThenElse(safe, hn::Mul(value, scale), hn::Div(value, pivot));
                hn::Store(factor, d, a.at(r, k));
                for (std::int64_t c = k + 1; c < n; ++c) {
                    hn::Store(
                        hn::NegMulAdd(factor, hn::Load(d, a.at(k, c)), hn::Load(d, a.at(r, c))), d,
                        a.at(r, c));
                }
            }
        }
    }
}

void getrf_all(const View& a, const View& pivots, std::int32_t* bad, std::int32_t* zero) {
    if (a.type == ScalarType::float32) {
        getrf_typed<float>(a, pivots, bad, zero);
    } else {
        getrf_typed<double>(a, pivots, bad, zero);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(getrf_all);
void lane_getrf(const View& a, const View& pivots, std::int32_t* bad, std::int32_t* zero) {
    HWY_DYNAMIC_DISPATCH(getrf_all)(a, pivots, bad, zero);
}
}  // namespace matgrad::detail
#endif
