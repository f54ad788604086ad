#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/single/factors.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "cpu/pivot_status.hpp"
#include "cpu/single/care.hpp"
#include "cpu/single/kernels.hpp"
#include "cpu/steps/gram_care.hpp"
#include "cpu/view.hpp"
#include "matgrad/status.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

template <typename T>
HWY_INLINE bool is_good_pivot(T pivot) {
    return pivot > 0 && pivot <= std::numeric_limits<T>::max();
}

/// Of any order, column by column.
template <typename T>
std::int32_t factor_any(const SingleStep& s, std::byte* frame) {
    const std::int32_t n = s.a.rows;
    T l[kMostSingleOrder][kMostSingleOrder];
    for (std::int32_t r = 0; r < n; ++r) {
        for (std::int32_t c = 0; c <= r; ++c) {
            l[r][c] = entry<T>(frame, s.a, r, c);
        }
    }
    for (std::int32_t j = 0; j < n; ++j) {
        const T pivot = l[j][j];
        if (!is_good_pivot(pivot)) {
            return cholesky_status(pivot, j + 1);
        }
        const T root = std::sqrt(pivot);
        const T scale = 1 / root;
        entry<T>(frame, s.c, j, 0) = scale;
        entry<T>(frame, s.out, j, j) = root;
        for (std::int32_t r = j + 1; r < n; ++r) {
            l[r][j] *= scale;
            entry<T>(frame, s.out, r, j) = l[r][j];
        }
        for (std::int32_t r = j + 1; r < n; ++r) {
            for (std::int32_t c = j + 1; c <= r; ++c) {
                l[r][c] -= l[r][j] * l[c][j];
            }
        }
    }
    return 0;
}

/// Of kOrder rows, in registers. A pivot waits for one division and not for the root of the pivot before it: columns
/// are divided by pivots, and scaled when they are stored.
template <typename T, int kOrder>
HWY_INLINE std::int32_t factor(const SingleStep& s, std::byte* frame) {
    T l[kOrder][kOrder];
#pragma GCC unroll 8
    for (int r = 0; r < kOrder; ++r) {
#pragma GCC unroll 8
        for (int c = 0; c <= r; ++c) {
            l[r][c] = entry<T>(frame, s.a, r, c);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kOrder; ++j) {
        const T pivot = l[j][j];
        const T reciprocal = 1 / pivot;
        if (!is_good_pivot(pivot) || !is_good_pivot(reciprocal)) {
            return factor_any<T>(s, frame);  // it has the status, and bears subnormal pivots
        }
        const T root = std::sqrt(pivot);
        const T scale = 1 / root;
        entry<T>(frame, s.c, j, 0) = scale;
        entry<T>(frame, s.out, j, j) = root;
#pragma GCC unroll 8
        for (int r = j + 1; r < kOrder; ++r) {
            const T factor = l[r][j] * reciprocal;
#pragma GCC unroll 8
            for (int c = j + 1; c <= r; ++c) {
                l[r][c] -= factor * l[c][j];
            }
            entry<T>(frame, s.out, r, j) = l[r][j] * scale;
        }
    }
    return 0;
}

/// condition_bound (cpu/condition.hpp), with the reciprocals at hand.
template <int kOrder>
HWY_INLINE double bound_of(const SingleStep& s, std::byte* frame) {
    const std::int32_t n = kOrder > 0 ? kOrder : s.a.rows;
    double z[kOrder > 0 ? kOrder : kMostSingleOrder];
    double largest = 0;
    double largest_row = 0;
#pragma GCC unroll 8
    for (std::int32_t i = 0; i < n; ++i) {
        double right = 1;
        double row = entry<double>(frame, s.out, i, i);
#pragma GCC unroll 8
        for (std::int32_t j = 0; j < i; ++j) {
            const double size = std::abs(entry<double>(frame, s.out, i, j));
            right += size * z[j];
            row += size;
        }
        z[i] = right * entry<double>(frame, s.c, i, 0);
        largest = z[i] <= largest ? largest : z[i];  // keeps a NaN
        largest_row = row <= largest_row ? largest_row : row;
    }
    return largest * largest_row;
}

/// `code` is 1 where no failure fails the problem.
template <typename T, int kOrder>
std::int32_t potrf(const SingleStep& s, std::byte* frame) {
    std::int32_t status = 0;
    if constexpr (kOrder > 0) {
        status = factor<T, kOrder>(s, frame);
    } else {
        status = factor_any<T>(s, frame);
    }
    if constexpr (std::is_same_v<T, double>) {
        if (s.care != nullptr &&
            !(succeeded(status) && bound_of<kOrder>(s, frame) <= s.care->bound)) {
            status = take_care(s, frame, status);
        }
    }
    if (s.code == 0 || succeeded(status)) {
        return status;
    }
    for (std::int32_t r = 0; r < s.out.rows; ++r) {
        entry<T>(frame, s.c, r, 0) = std::numeric_limits<T>::quiet_NaN();
        for (std::int32_t c = 0; c < s.out.cols; ++c) {
            entry<T>(frame, s.out, r, c) = std::numeric_limits<T>::quiet_NaN();
        }
    }
    return 0;
}

template <typename T>
std::int32_t reciprocals(const SingleStep& s, std::byte* frame) {
    for (std::int32_t r = 0; r < s.a.rows; ++r) {
        entry<T>(frame, s.c, r, 0) = 1 / entry<T>(frame, s.a, r, r);
    }
    return 0;
}

/// Row of the largest entry of column k from row k on. A NaN is the largest, so the pivot that fails is a property of a.
template <typename T>
std::int32_t best_pivot(const SingleStep& s, std::byte* frame, std::int32_t k) {
    std::int32_t best = k;
    T largest = std::abs(entry<T>(frame, s.out, k, k));
    for (std::int32_t r = k + 1; r < s.out.rows && !std::isnan(largest); ++r) {
        const T size = std::abs(entry<T>(frame, s.out, r, k));
        if (size > largest || std::isnan(size)) {
            largest = size;
            best = r;
        }
    }
    return best;
}

template <typename T>
void swap_two(const Placed& m, std::byte* frame, std::int32_t first, std::int32_t second) {
    for (std::int32_t c = 0; c < m.cols && first != second; ++c) {
        std::swap(entry<T>(frame, m, first, c), entry<T>(frame, m, second, c));
    }
}

template <typename T>
std::int32_t getrf(const SingleStep& s, std::byte* frame) {
    const std::int32_t n = s.out.rows;
    for (std::int32_t r = 0; r < n; ++r) {
        for (std::int32_t c = 0; c < n; ++c) {
            entry<T>(frame, s.out, r, c) = entry<T>(frame, s.a, r, c);
        }
    }
    std::int32_t status = 0;
    for (std::int32_t k = 0; k < n; ++k) {
        const std::int32_t best = best_pivot<T>(s, frame, k);
        entry<T>(frame, s.c, k, 0) = static_cast<T>(best);
        swap_two<T>(s.out, frame, k, best);
        const T pivot = entry<T>(frame, s.out, k, k);
        const bool is_bad = s.code >= 1 && !std::isfinite(pivot);
        const bool is_zero = s.code == 2 && pivot == 0;
        if ((is_bad || is_zero) && status == 0) {
            status = lu_status(pivot, k + 1);
        }
        for (std::int32_t r = k + 1; r < n; ++r) {
            T& factor = entry<T>(frame, s.out, r, k);
            // A zero pivot has zeros below: they stay, and the determinant is an exact 0.
            factor = pivot != 0 ? factor / pivot : factor;
            for (std::int32_t c = k + 1; c < n; ++c) {
                entry<T>(frame, s.out, r, c) -= factor * entry<T>(frame, s.out, k, c);
            }
        }
    }
    return status;
}

template <typename T>
std::int32_t swap(const SingleStep& s, std::byte* frame) {
    for (std::int32_t i = 0; i < s.c.rows; ++i) {
        const std::int32_t k = s.code == 1 ? s.c.rows - 1 - i : i;
        swap_two<T>(s.out, frame, k, static_cast<std::int32_t>(entry<T>(frame, s.c, k, 0)));
    }
    return 0;
}

template <typename T>
SingleKernel potrf_of_order(std::int32_t order) {
    switch (order) {
        case 1:
            return potrf<T, 1>;
        case 2:
            return potrf<T, 2>;
        case 3:
            return potrf<T, 3>;
        case 4:
            return potrf<T, 4>;
        case 5:
            return potrf<T, 5>;
        case 6:
            return potrf<T, 6>;
        case 7:
            return potrf<T, 7>;
        case 8:
            return potrf<T, 8>;
        default:
            return potrf<T, 0>;
    }
}

SingleKernel choose_potrf(ScalarType type, std::int32_t order) {
    return with_type(type, [&](auto zero) { return potrf_of_order<decltype(zero)>(order); });
}
SingleKernel choose_reciprocals(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return reciprocals<decltype(zero)>; });
}
SingleKernel choose_getrf(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return getrf<decltype(zero)>; });
}
SingleKernel choose_swap(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return swap<decltype(zero)>; });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(choose_potrf);
HWY_EXPORT(choose_reciprocals);
HWY_EXPORT(choose_getrf);
HWY_EXPORT(choose_swap);
SingleKernel single_potrf(ScalarType type, std::int32_t order) {
    return HWY_DYNAMIC_DISPATCH(choose_potrf)(type, order);
}
SingleKernel single_reciprocals(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(choose_reciprocals)(type);
}
SingleKernel single_getrf(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(choose_getrf)(type);
}
SingleKernel single_swap(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(choose_swap)(type);
}
}  // namespace matgrad::detail
#endif
