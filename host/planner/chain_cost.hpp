#pragma once
/// \file What the links of a product chain cost that are not plain matrices.

#include <cstdint>

#include "planner/chain_order.hpp"

namespace matgrad {

/// Operations of inv(S) times n-by-k from the factors of S, which are there already.
[[nodiscard]] double solve_operations(LinkKind kind, std::int64_t n, std::int64_t k);
/// Operations that make a single link a matrix of its own.
[[nodiscard]] double materialise_operations(LinkKind kind, std::int64_t n);

}  // namespace matgrad
