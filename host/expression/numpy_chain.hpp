#pragma once
/// \file The order of a product chain in NumPy text, where Python would go from the left.

#include <string>
#include <vector>

#include "matgrad/expression.hpp"

namespace matgrad::detail {

/// `W @ (W.T @ x)`: the factors with the brackets that make the product cheapest when all named
/// dimensions are of one size. Where orders cost the same, from the left.
[[nodiscard]] std::string ordered_chain(const std::vector<std::string>& factors,
                                        const std::vector<Shape>& shapes);

}  // namespace matgrad::detail
