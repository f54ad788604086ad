#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/single/products.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
// clang-format on

#include <type_traits>

#include "cpu/single/kernels.hpp"
#include "cpu/single/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Rows [row, row + kRows) of a product: they stay in registers while all of b passes once.
template <typename T, int kWidth, int kRows>
HWY_INLINE void multiply_rows(const SingleStep& s, std::byte* frame, std::int32_t row) {
    const T* left[kRows];
    Row<T, kWidth> sum[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
        left[i] = &entry<T>(frame, s.a, row + i, 0);
    }
    const T* b = entries<T>(frame, s.b);
    const std::ptrdiff_t step = s.a.col_stride;
    const std::ptrdiff_t step_b = s.b.row_stride;
    for (std::int32_t k = s.a.cols; k > 0; --k, b += step_b) {
        const Row<T, kWidth> of_b(b);
#pragma GCC unroll 4
        for (int i = 0; i < kRows; ++i) {
            sum[i].add_product(*left[i], of_b);
            left[i] += step;
        }
    }
    const bool scales = s.alpha != 1;
    const bool adds = s.beta != 0;
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
        if (scales) {
            sum[i].scale(static_cast<T>(s.alpha));
        }
        if (adds) {
            sum[i].add_product(static_cast<T>(s.beta),
                               Row<T, kWidth>(&entry<T>(frame, s.c, row + i, 0)));
        }
        sum[i].store(&entry<T>(frame, s.out, row + i, 0));
    }
}

template <typename T, int kWidth>
std::int32_t multiply(const SingleStep& s, std::byte* frame) {
    constexpr int kRows = 4;
    std::int32_t row = 0;
    for (; row + kRows <= s.out.rows; row += kRows) {
        multiply_rows<T, kWidth, kRows>(s, frame, row);
    }
    for (; row < s.out.rows; ++row) {
        multiply_rows<T, kWidth, 1>(s, frame, row);
    }
    return 0;
}

/// A column: the dot products of the rows of a, which lie together, with the column b.
template <typename T, int kWidth>
std::int32_t multiply_column(const SingleStep& s, std::byte* frame) {
    const Row<T, kWidth> x(entries<T>(frame, s.b));
    for (std::int32_t r = 0; r < s.out.rows; ++r) {
        const Row<T, kWidth> row(&entry<T>(frame, s.a, r, 0));
        T value = static_cast<T>(s.alpha) * row.dot(x, s.a.cols);
        if (s.beta != 0) {
            value += static_cast<T>(s.beta) * entry<T>(frame, s.c, r, 0);
        }
        entry<T>(frame, s.out, r, 0) = value;
    }
    return 0;
}

/// Row `row` of the solution, when those above it are known: `above` of them.
template <typename T, int kWidth>
HWY_INLINE Row<T, kWidth> solved_row(const SingleStep& s, std::byte* frame, std::int32_t row,
                                     const Row<T, kWidth>* above) {
    const T* factors = &entry<T>(frame, s.a, row, 0);
    Row<T, kWidth> x(&entry<T>(frame, s.b, row, 0));
    if (s.alpha != 1) {
        x.scale(static_cast<T>(s.alpha));
    }
#pragma GCC unroll 4
    for (std::int32_t k = 0; k < row; ++k) {
        x.subtract_product(factors[k * s.a.col_stride], above[k]);
    }
    if (s.c.rows > 0) {
        x.scale(entry<T>(frame, s.c, row, 0));
    }
    return x;
}

/// kOrder rows, all of them in registers; 0: as many as there are.
template <typename T, int kWidth, int kOrder>
std::int32_t solve(const SingleStep& s, std::byte* frame) {
    const std::int32_t order = kOrder > 0 ? kOrder : s.a.rows;
    Row<T, kWidth> rows[kOrder > 0 ? kOrder : kMostSingleOrder];
#pragma GCC unroll 4
    for (std::int32_t row = 0; row < order; ++row) {
        rows[row] = solved_row<T, kWidth>(s, frame, row, rows);
        rows[row].store(&entry<T>(frame, s.out, row, 0));
    }
    return 0;
}

template <typename T, int kWidth>
SingleKernel solve_of_order(std::int32_t order) {
    switch (order) {
        case 1:
            return solve<T, kWidth, 1>;
        case 2:
            return solve<T, kWidth, 2>;
        case 3:
            return solve<T, kWidth, 3>;
        case 4:
            return solve<T, kWidth, 4>;
        default:
            return solve<T, kWidth, 0>;
    }
}

SingleKernel choose_gemm(ScalarType type, std::int32_t cols) {
    return with_row(type, cols, [](auto zero, auto width) -> SingleKernel {
        return multiply<decltype(zero), decltype(width)::value>;
    });
}

SingleKernel choose_gemv(ScalarType type, std::int32_t inner) {
    return with_row(type, inner, [](auto zero, auto width) -> SingleKernel {
        return multiply_column<decltype(zero), decltype(width)::value>;
    });
}

SingleKernel choose_trsm(ScalarType type, std::int32_t order, std::int32_t cols) {
    return with_row(type, cols, [order](auto zero, auto width) {
        return solve_of_order<decltype(zero), decltype(width)::value>(order);
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(choose_gemm);
HWY_EXPORT(choose_gemv);
HWY_EXPORT(choose_trsm);
SingleKernel single_gemm(ScalarType type, std::int32_t cols) {
    return HWY_DYNAMIC_DISPATCH(choose_gemm)(type, cols);
}
SingleKernel single_gemv(ScalarType type, std::int32_t inner) {
    return HWY_DYNAMIC_DISPATCH(choose_gemv)(type, inner);
}
SingleKernel single_trsm(ScalarType type, std::int32_t order, std::int32_t cols) {
    return HWY_DYNAMIC_DISPATCH(choose_trsm)(type, order, cols);
}
}  // namespace matgrad::detail
#endif
