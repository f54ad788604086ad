#include "cpu/plain/gemm_kernels.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gemm_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/plain/strips-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

template <typename T>
void multiply_block(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                    const View& c) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const Strips strips(c.rows);
    const std::int64_t inner = a.view.cols;
    ProductStrip<T> s{};
    s.inner = inner;
    s.c_row = c.row_stride;
    s.alpha = static_cast<T>(alpha);
    s.beta = static_cast<T>(beta);
    for (std::int64_t col = 0; col < c.cols; col += 2 * lanes) {
        const std::int64_t width = std::min(2 * lanes, c.cols - col);
        s.b = reinterpret_cast<const T*>(b.view.data) + (b.packed ? col * inner : col);
        s.b_row = b.packed ? width : b.view.row_stride;
        s.last = width > lanes ? width - lanes : width;
        const StripKernel<T, T>* kernels = strip_kernels<T>(width);
        std::int64_t row = 0;
        for (std::uint32_t i = 0; i < strips.count; ++i) {
            const std::int64_t rows = strips.length(i);
            s.a = reinterpret_cast<const T*>(a.view.data) +
                  row * (a.packed ? inner : a.view.row_stride);
            s.a_row = a.packed ? 1 : a.view.row_stride;
            s.a_col = a.packed ? rows : a.view.col_stride;
            s.c = reinterpret_cast<T*>(c.data) + row * c.row_stride + col;
            kernels[rows - 1](s);
            row += rows;
        }
    }
}

void gemm_block_all(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                    const View& c) {
    with_type(c.type, [&](auto zero) { multiply_block<decltype(zero)>(alpha, a, b, beta, c); });
}

GemmShape gemm_shape_all(ScalarType type) {
    return with_type(type, [](auto zero) -> GemmShape {
        return {kStripRows, 2 * static_cast<std::int64_t>(hn::MaxLanes(Lane<decltype(zero)>()))};
    });
}

/// Some rows of a matrix that has unit row stride, to [column][row].
template <typename T>
HWY_INLINE void pack_strip(const T* from, std::int64_t col_stride, std::int64_t rows,
                           std::int64_t cols, T* to) {
    const Lane<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t c = 0; c < cols; ++c) {
        for (std::int64_t r = 0; r < rows; r += lanes) {
            const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::min(lanes, rows - r)));
            hn::BlendedStore(hn::MaskedLoad(mask, d, from + c * col_stride + r), mask, d,
                             to + c * rows + r);
        }
    }
}

template <typename T>
void pack_strips_typed(const View& from, T* to) {
    const Strips strips(from.rows);
    std::int64_t row = 0;
    for (std::uint32_t i = 0; i < strips.count; ++i) {
        const std::int64_t rows = strips.length(i);
        const View strip = block(from, row, 0, rows, from.cols);
        if (from.row_stride == 1) {
            pack_strip<T>(reinterpret_cast<const T*>(strip.data), from.col_stride, rows, from.cols,
                          to);
        } else {
            for (std::int64_t c = 0; c < from.cols; ++c) {
                for (std::int64_t r = 0; r < rows; ++r) {
                    to[c * rows + r] = *reinterpret_cast<const T*>(strip.at(r, c));
                }
            }
        }
        to += rows * from.cols;
        row += rows;
    }
}

void pack_strips_all(const View& from, std::byte* to) {
    with_type(from.type,
              [&](auto zero) { pack_strips_typed(from, reinterpret_cast<decltype(zero)*>(to)); });
}

template <typename T>
void pack_panels_typed(const View& from, T* to) {
    const std::int64_t most = gemm_shape_all(from.type).cols;
    for (std::int64_t col = 0; col < from.cols; col += most) {
        const std::int64_t width = std::min(most, from.cols - col);
        const View panel = block(from, 0, col, from.rows, width);
        const View target =
            row_major(reinterpret_cast<std::byte*>(to), from.type, from.rows, width, 1);
        if (from.row_stride == 1) {
            transpose_matrix<T>(panel, target);
        } else {
            copy_rows<T>(panel, target);
        }
        to += from.rows * width;
    }
}

void pack_panels_all(const View& from, std::byte* to) {
    with_type(from.type,
              [&](auto zero) { pack_panels_typed(from, reinterpret_cast<decltype(zero)*>(to)); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(gemm_shape_all);
HWY_EXPORT(gemm_block_all);
HWY_EXPORT(pack_strips_all);
HWY_EXPORT(pack_panels_all);

GemmShape gemm_shape(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(gemm_shape_all)(type);
}
void gemm_block(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                const View& c) {
    HWY_DYNAMIC_DISPATCH(gemm_block_all)(alpha, a, b, beta, c);
}
void pack_strips(const View& from, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(pack_strips_all)(from, to);
}
void pack_panels(const View& from, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(pack_panels_all)(from, to);
}
}  // namespace matgrad::detail
#endif
