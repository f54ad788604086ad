#pragma once
/// \file Dot products of many rows: with one vector, as a batch of vectors and a shared one give, or each
/// with a row of its own.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// y = alpha * a * x + beta * y; beta 0 does not read y. All of one type; rows of a have unit column
/// stride, x is a contiguous column, y a column of any stride. The bits of an entry of y depend on its
/// own row alone: neither on how many rows there are nor on which one it is.
void row_dots(double alpha, const View& a, const View& x, double beta, const View& y);

/// y = alpha * the sum of each row of a .* b, of terms and sums in `type`, which is no narrower than a
/// and b. Rows of a and b have unit column stride, those of b may all be one (stride 0); y is a column
/// of any stride and type. Bits as above.
void row_products(double alpha, const View& a, const View& b, ScalarType type, const View& y);

}  // namespace matgrad::detail
