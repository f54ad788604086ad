#pragma once
/// \file Sums over all entries of one matrix, of its squares, or of the products of two.
///
/// Matrices have any strides, 0 and negative ones too. The terms are added in many partial sums
/// that are combined in a fixed order, those of blocks of some thousand terms in double: the error
/// does not grow with the number of terms as that of one long sum would. NaN and infinity propagate.

#include "cpu/view.hpp"

namespace matgrad::detail {

enum class Terms { entries, squares, products };

/// What is added: the entries of a, their squares, or a .* b with b of the same shape.
struct Dot {
    Terms terms = Terms::entries;
    View a;
    View b;                                 ///< of products alone
    ScalarType type = ScalarType::float64;  ///< of the terms and the partial sums
};

/// Terms are computed in a type at least as wide as the operands' own; and in a tile of the compact
/// layout one operand at least has lanes.
[[nodiscard]] bool is_dot(const Dot& dot, int lanes);

/// The sum over plain matrices.
[[nodiscard]] double sum_of(const Dot& dot);

/// sums[l] = the sum in lane l.
void sum_of_lanes(const Dot& dot, double* sums);

}  // namespace matgrad::detail
