#pragma once
/// \file Products of many rows with one vector: what a batch of vectors and a shared one give.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// y = alpha * a * x + beta * y; beta 0 does not read y. All of one type; rows of a have unit column
/// stride, x is a contiguous column, y a column of any stride. The bits of an entry of y depend on its
/// own row alone: neither on how many rows there are nor on which one it is.
void row_dots(double alpha, const View& a, const View& x, double beta, const View& y);

}  // namespace matgrad::detail
