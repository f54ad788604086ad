#pragma once
/// \file What a Product is made of, compiled for several instruction sets.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// The shapes of the kernels of the instruction set in use.
struct GemmShape {
    std::int64_t rows;  ///< of a strip
    std::int64_t cols;  ///< of a panel
};
[[nodiscard]] GemmShape gemm_shape(ScalarType type);

/// Rows of a, by some columns of it, or columns of b by some rows of it. A packed one lies strip
/// after strip, or panel after panel, each by its inner index; then strides are not read.
struct GemmOperand {
    View view;
    bool packed = false;
};

/// c = alpha * a * b + beta * c. All of one type; b, where it is not packed, and c have unit column
/// stride.
void gemm_block(double alpha, const GemmOperand& a, const GemmOperand& b, double beta,
                const View& c);
/// A view into strips of rows, a view into panels of columns.
void pack_strips(const View& from, std::byte* to);
void pack_panels(const View& from, std::byte* to);

}  // namespace matgrad::detail
