#include "planner/factoring.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

using detail::Factors;

// All pairs of terms are tried and each product is ordered, so what is long is left alone.
constexpr std::size_t kMostTerms = 16;
constexpr std::size_t kLongestProduct = 16;

/// Two terms with `common` equal factors at the left or the right end.
struct Merge {
    double saving = 0;
    std::size_t common = 0;
    bool left = true;
};

std::span<const Expr> shared_end(const Factors& a, const Merge& m) {
    const std::span<const Expr> all(a.matrices);
    return m.left ? all.first(m.common) : all.last(m.common);
}

std::span<const Expr> own_end(const Factors& a, const Merge& m) {
    const std::span<const Expr> all(a.matrices);
    return m.left ? all.subspan(m.common) : all.first(all.size() - m.common);
}

std::vector<Expr> with_inner(const Factors& a, const Merge& m, const Expr& inner) {
    const std::span<const Expr> shared = shared_end(a, m);
    std::vector<Expr> factors(shared.begin(), shared.end());
    factors.insert(m.left ? factors.end() : factors.begin(), inner);
    return factors;
}

Expr bare(const Factors& a, const Merge& m) {
    return scale(a.number, multiply(own_end(a, m)));
}

/// The merge of two terms that saves the most; it saves nothing if they have no common end.
Merge best_merge(const Expr& x, const Expr& y, const ProductCost& cost) {
    Merge best;
    const Factors a = detail::factors_of(x);
    const Factors b = detail::factors_of(y);
    if (a.scalars != b.scalars || a.matrices.size() > kLongestProduct ||
        b.matrices.size() > kLongestProduct) {
        return best;
    }
    const std::size_t m = a.matrices.size();
    const std::size_t n = b.matrices.size();
    for (const bool left : {true, false}) {
        for (std::size_t k = 1; k < std::min(m, n); ++k) {
            if (left ? a.matrices[k - 1] != b.matrices[k - 1]
                     : a.matrices[m - k] != b.matrices[n - k]) {
                break;
            }
            Merge merge{0, k, left};
            const Expr inner = add(bare(a, merge), bare(b, merge));
            merge.saving = cost(a.matrices) + cost(b.matrices) - cost(own_end(a, merge)) -
                           cost(own_end(b, merge)) - cost(with_inner(a, merge, inner));
            if (merge.saving > best.saving) {
                best = merge;
            }
        }
    }
    return best;
}

Expr factor_terms(std::vector<Expr> terms, const ProductCost& cost);

/// What is left inside the bracket may have a common end of its own.
Expr merged(const Expr& x, const Expr& y, const Merge& merge, const ProductCost& cost) {
    const Factors a = detail::factors_of(x);
    const Factors b = detail::factors_of(y);
    std::vector<Expr> factors =
        with_inner(a, merge, factor_terms({bare(a, merge), bare(b, merge)}, cost));
    factors.insert(factors.begin(), a.scalars.begin(), a.scalars.end());
    return multiply(factors);
}

/// Merges the best pair of terms until none saves anything.
Expr factor_terms(std::vector<Expr> terms, const ProductCost& cost) {
    for (bool changed = true; changed;) {
        changed = false;
        Merge best;
        std::pair<std::size_t, std::size_t> pair;
        for (std::size_t i = 0; i < terms.size(); ++i) {
            for (std::size_t j = i + 1; j < terms.size(); ++j) {
                const Merge merge = best_merge(terms[i], terms[j], cost);
                if (merge.saving > best.saving) {
                    best = merge;
                    pair = {i, j};
                }
            }
        }
        if (best.saving > 0) {
            terms[pair.first] = merged(terms[pair.first], terms[pair.second], best, cost);
            terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(pair.second));
            changed = true;
        }
    }
    return add(terms);
}

}  // namespace

Expr factor_sums(const Expr& e, const ProductCost& cost) {
    return rebuilt(e, [&](const Expr& node, std::span<const Expr> children) {
        return node->op == Op::add && children.size() <= kMostTerms
                   ? factor_terms({children.begin(), children.end()}, cost)
                   : with_images(node, children);
    });
}

}  // namespace matgrad
