#pragma once
/// \file What the printers have in common: a product as numerator and denominator.

#include <vector>

#include "expression/node.hpp"

namespace matgrad::detail {

struct Powered {
    Expr base;
    double exponent = 1;  ///< positive
};

/// number * scalars * matrices * entries ./ entries_below / scalars_below, where the entrywise
/// factors are there only if the product has no other matrix factor.
struct Fraction {
    double number = 1;
    std::vector<Powered> scalars;
    std::vector<Powered> scalars_below;
    std::vector<Expr> matrices;
    std::vector<Powered> entries;
    std::vector<Powered> entries_below;
};

/// Takes any expression apart.
[[nodiscard]] Fraction split_product(const Expr& e);

}  // namespace matgrad::detail
