#pragma once
/// \file The triangle of a QR factorization in plain memory.

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// What root_factor takes of its scratch for a root of n columns.
[[nodiscard]] std::int64_t root_factor_bytes(std::int64_t n);

/// l, in double, becomes the Cholesky factor of root' root, zeros above its diagonal: the triangle of the QR
/// factorization of root, with a positive diagonal. The root, of any type and strides, has at least as many rows
/// as columns; it is read once, some rows at a time, and no copy of it is made.
void root_factor(const View& root, const View& l, Scratch& scratch);

/// l, the Cholesky factor of scale^2*root' root in double, is made as good as one from root_factor: it is
/// multiplied by the factor of Q'Q, where Q = scale*root*inv(l') has nearly orthogonal columns (CholeskyQR2 of
/// Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, 2015). For roots of condition up to about 1e7, and much quicker.
/// False, and l is of no use, if Q'Q has no factor. Takes sharpen_bytes of scratch.
[[nodiscard]] bool sharpen_factor(const View& root, double scale, const View& l, Scratch& scratch);
[[nodiscard]] std::int64_t sharpen_bytes(std::int64_t n);

}  // namespace matgrad::detail
