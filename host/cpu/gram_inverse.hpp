#pragma once
/// \file X inv(X'X) by the explicit inverse, where nothing is lost by it.
///
/// The two triangular solves of X inv(L') inv(L) are as many operations as one product X S with S = inv(L') inv(L),
/// which is small. A product runs at the rate of the multiply-add units, on rows as they lie.
///
/// Error    Solves with an exact factor L of X'X lose about cond(X) roundings, S about cond(X)^2: as many as the
///          factor itself where it comes from X'X in the same type. Of float data S is computed in double, and
///          cond(X)^2 roundings of double are fewer than the cond(X) of float that `robust` allows. Of double
///          data `robust` factors X where its condition asks for it, so there the solves stay.
/// Source   Higham, Accuracy and Stability (2nd ed. 2002), sec. 14.1.

#include "program/program.hpp"

namespace matgrad::detail {

/// The Program with such solves replaced.
[[nodiscard]] Program with_gram_inverses(Program program);

}  // namespace matgrad::detail
