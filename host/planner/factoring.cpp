#include "planner/factoring.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

using detail::Factors;

struct Merge {
    double saving = 0;
    Expr term;
};

Expr product_of(double number, std::span<const Expr> matrices) {
    return scale(number, multiply(matrices));
}

/// Pulls `common` equal factors out of the left or the right end of two products.
Merge merged(const Factors& a, const Factors& b, std::size_t common, bool left,
             const ProductCost& cost) {
    const auto split = [&](const Factors& f) {
        const std::span<const Expr> all(f.matrices);
        return left ? all.subspan(common) : all.first(all.size() - common);
    };
    const std::span<const Expr> all(a.matrices);
    const std::span<const Expr> shared = left ? all.first(common) : all.last(common);
    const Expr inner = add(product_of(a.number, split(a)), product_of(b.number, split(b)));
    std::vector<Expr> factors(shared.begin(), shared.end());
    factors.insert(left ? factors.end() : factors.begin(), inner);
    Merge result;
    result.saving =
        cost(a.matrices) + cost(b.matrices) - cost(split(a)) - cost(split(b)) - cost(factors);
    factors.insert(factors.begin(), a.scalars.begin(), a.scalars.end());
    result.term = multiply(factors);
    return result;
}

Merge best_merge(const Expr& x, const Expr& y, const ProductCost& cost) {
    Merge best;
    const Factors a = detail::factors_of(x);
    const Factors b = detail::factors_of(y);
    if (a.scalars != b.scalars) {
        return best;
    }
    const std::size_t most = std::min(a.matrices.size(), b.matrices.size());
    for (const bool left : {true, false}) {
        for (std::size_t k = 1; k < most; ++k) {
            const bool equal =
                left ? a.matrices[k - 1] == b.matrices[k - 1]
                     : a.matrices[a.matrices.size() - k] == b.matrices[b.matrices.size() - k];
            if (!equal) {
                break;
            }
            Merge merge = merged(a, b, k, left, cost);
            if (merge.saving > best.saving) {
                best = std::move(merge);
            }
        }
    }
    return best;
}

/// Merges the best pair of terms until none saves anything.
Expr factor_terms(std::vector<Expr> terms, const ProductCost& cost) {
    for (bool changed = true; changed;) {
        changed = false;
        Merge best;
        std::pair<std::size_t, std::size_t> pair;
        for (std::size_t i = 0; i < terms.size(); ++i) {
            for (std::size_t j = i + 1; j < terms.size(); ++j) {
                Merge merge = best_merge(terms[i], terms[j], cost);
                if (merge.saving > best.saving) {
                    best = std::move(merge);
                    pair = {i, j};
                }
            }
        }
        if (best.saving > 0) {
            terms[pair.first] = best.term;
            terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(pair.second));
            changed = true;
        }
    }
    return add(terms);
}

}  // namespace

Expr factor_sums(const Expr& e, const ProductCost& cost) {
    constexpr std::size_t kMostTerms = 16;  // pairs are tried, so long sums are left alone
    std::unordered_map<Expr, Expr> done;
    const Expr roots[] = {e};
    for (const Expr& node : topological_order(roots)) {
        Expr result = node;
        std::vector<Expr> children;
        for (const Expr& c : node->children) {
            children.push_back(done.at(c));
        }
        if (node->op == Op::add && children.size() <= kMostTerms) {
            result = factor_terms(std::move(children), cost);
        } else if (children != node->children) {
            result = with_children(node, children);
        }
        done.emplace(node, result);
    }
    return done.at(e);
}

}  // namespace matgrad
