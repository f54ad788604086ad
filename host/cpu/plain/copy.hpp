#pragma once
/// \file Copies between views of one lane.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// to = from, converted; equal shapes, any strides.
void copy_matrix(const View& from, const View& to);
/// to = from / divisor, rounded, + beta * to; with a beta of 0 `to` is not read.
void add_matrix(const View& from, double divisor, double beta, const View& to);
/// The lower triangle alone.
void copy_lower(const View& from, const View& to);
/// Upper triangle from the lower one.
void mirror_lower(const View& v);
/// Every entry becomes `value`.
void fill_matrix(const View& v, double value);
/// Every entry becomes 0, in all lanes; unit column stride.
void fill_zeros(const View& v);
/// The identity.
void fill_identity(const View& v);

}  // namespace matgrad::detail
