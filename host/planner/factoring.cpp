#include "planner/factoring.hpp"

#include <optional>
#include <span>

#include "expression/build.hpp"
#include "expression/common_factors.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

using detail::CommonFactors;

// Each product of each way to join terms is ordered, so what is long is left alone.
constexpr std::size_t kMostTerms = 16;
constexpr std::size_t kLongestProduct = 16;

/// Matrix operations that joining saves; nothing if it saves none.
std::optional<double> gain_of(const CommonFactors& common, const ProductCost& cost) {
    double saving = 0;
    std::vector<Expr> inner;
    for (std::size_t m = 0; m < common.terms.size(); ++m) {
        const detail::Factors& term = common.terms[m];
        if (term.matrices.size() > kLongestProduct) {
            return std::nullopt;
        }
        const std::span<const Expr> middle = common.middle(m);
        saving += cost(term.matrices) - cost(middle);
        inner.push_back(scale(term.number, multiply(middle)));
    }
    saving -= cost(common.around(add(inner)));
    return saving > 0 ? std::optional(saving) : std::nullopt;
}

}  // namespace

Expr factor_sums(const Expr& e, const ProductCost& cost) {
    detail::Factoring how;
    how.most_terms = kMostTerms;
    how.most_factors = kMostTerms * kLongestProduct;
    how.gain = [&](const CommonFactors& common) { return gain_of(common, cost); };
    how.inside = [&](std::span<const Expr> terms) { return factored(add(terms), how); };
    return rebuilt(e, [&](const Expr& node, std::span<const Expr> children) {
        return factored(with_images(node, children), how);
    });
}

}  // namespace matgrad
