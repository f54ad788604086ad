#pragma once
/// \file Weighted terms under construction: of a sum with their factors, of a product with their
/// exponents. Equal bases merge where they first appeared.

#include <unordered_map>
#include <vector>

#include "expression/make_node.hpp"

namespace matgrad::detail {

class WeightedTerms {
public:
    struct Term {
        double weight = 0;
        Expr base;
    };

    void add(double weight, const Expr& base) {
        const auto [at, is_new] = index_.try_emplace(base, terms_.size());
        if (is_new) {
            terms_.push_back({weight, base});
        } else {
            terms_[at->second].weight += weight;
        }
    }

    [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }

    /// `make(weight, base)` of each term whose weight is not 0. What is not finite stays, for 0 times
    /// infinity is NaN.
    template <typename Make>
    [[nodiscard]] std::vector<Expr> made(const Make& make) const {
        std::vector<Expr> result;
        for (const Term& term : terms_) {
            if (term.weight != 0 || is_not_finite(term.base)) {
                result.push_back(make(term.weight, term.base));
            }
        }
        return result;
    }

private:
    std::vector<Term> terms_;
    std::unordered_map<Expr, std::size_t> index_;
};

}  // namespace matgrad::detail
