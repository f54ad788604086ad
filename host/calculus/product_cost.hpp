#pragma once
/// \file Operations of a product at assumed sizes, by which factoring decides.

#include <cstddef>
#include <span>
#include <vector>

#include "expression/node.hpp"

namespace matgrad {

/// A spread of sizes for the named dimensions of some expressions: all equal, then each one small
/// or large against the others. A rewrite that is cheaper at all of them is cheaper in earnest.
class AssumedSizes {
public:
    explicit AssumedSizes(std::span<const Expr> factors);

    [[nodiscard]] std::size_t count() const { return 1 + 2 * names_.size(); }
    /// The size of `dim` in assignment `k`.
    [[nodiscard]] double size(const Dim& dim, std::size_t k) const;

private:
    std::vector<std::string> names_;
};

/// Multiplications and additions of the matrix product of `factors` in its best order.
[[nodiscard]] double product_cost(std::span<const Expr> factors, const AssumedSizes& sizes,
                                  std::size_t k);

}  // namespace matgrad
