#pragma once
/// \file Random operands and random directions that honour declared structure.
///
/// The same seed gives the same numbers on every platform up to the rounding of log, sqrt, sin and
/// cos: no distribution of the standard library is used.

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "reference/reference.hpp"

namespace matgrad {

/// A matrix for each declaration, of standard-normal entries M formed to the structure: symmetric
/// (M + M')/2, positive M M'/n + I, diagonal, lower and upper the kept part of M with every diagonal
/// entry moved away from zero (1 + |d| with d's sign), orthogonal the Q of M = QR.
///
/// `dims` gives the size of every named dimension.
/// Errors   ShapeError for a dimension without size or a structure on a matrix that is not square
///          (`orth` may have more rows than columns).
[[nodiscard]] MatrixMap random_values(std::span<const Declaration> declarations,
                                      const std::map<std::string, std::int64_t>& dims,
                                      std::uint64_t seed);

/// A random tangent for each declaration: symmetric for `sym` and `spd`, the kept part for `diag`,
/// `lower` and `upper`, full for `orth` and general matrices. Independent of `random_values` at the
/// same seed.
[[nodiscard]] MatrixMap random_directions(std::span<const Declaration> declarations,
                                          const std::map<std::string, std::int64_t>& dims,
                                          std::uint64_t seed);

/// The same for one matrix of known size.
[[nodiscard]] Eigen::MatrixXd random_value(Structure structure, std::int64_t rows,
                                           std::int64_t cols, std::uint64_t seed);
[[nodiscard]] Eigen::MatrixXd random_direction(Structure structure, std::int64_t rows,
                                               std::int64_t cols, std::uint64_t seed);

}  // namespace matgrad
