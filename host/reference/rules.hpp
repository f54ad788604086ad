#pragma once
/// \file Value and differential of one node from those of its children.
///
/// Two functions with one case per operation each. Real entries, double precision; NaN and infinity
/// propagate as IEEE 754 says. Empty matrices are legal: the determinant of 0-by-0 is 1.

#include <Eigen/Dense>
#include <span>
#include <vector>

#include "expression/dimension_sizes.hpp"
#include "expression/node.hpp"

namespace matgrad::detail {

/// What is known of one node.
struct Evaluated {
    Eigen::MatrixXd value;
    Eigen::MatrixXd
        differential;         ///< of the value's size if `moves`, else empty and to be taken as 0
    bool moves = false;       ///< depends on a symbol that moves
    bool holds_atom = false;  ///< an atom d(Y) occurs in it: it has no differential
};

using Children = std::vector<const Evaluated*>;

/// The value of a node that is neither a symbol nor an atom d(Y).
[[nodiscard]] Eigen::MatrixXd value_of_node(const Node& node, const Children& children,
                                            const DimensionSizes& dimensions);

/// The differential of such a node, of which at least one child moves and `value` is the value.
[[nodiscard]] Eigen::MatrixXd differential_of_node(const Node& node, const Children& children,
                                                   const Eigen::MatrixXd& value);

/// An entrywise function at one number for each argument, and its derivative by argument `which`.
[[nodiscard]] double entry_value(Entrywise function, std::span<const double> arguments);
[[nodiscard]] double entry_slope(Entrywise function, std::span<const double> arguments,
                                 std::size_t which);

/// left*right. Unit columns take a part of the other one or put it among zeros, so that no other entry matters, even
/// if it is no number. The nodes are those of factors; of what is a product itself, none.
[[nodiscard]] Eigen::MatrixXd times(const Eigen::MatrixXd& left, const Expr& left_node,
                                    const Eigen::MatrixXd& right, const Expr& right_node);

/// 1 at the first entry of each row that no other one exceeds, else 0.
[[nodiscard]] Eigen::MatrixXd first_largest_of_rows(const Eigen::MatrixXd& x);

/// exp(x_i) / sum exp(x_j) over all entries, without overflow.
[[nodiscard]] Eigen::MatrixXd softmax(const Eigen::MatrixXd& x);

}  // namespace matgrad::detail
