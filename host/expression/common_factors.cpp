#include "expression/common_factors.hpp"

#include <algorithm>
#include <cmath>

#include "expression/build.hpp"

namespace matgrad::detail {
namespace {

using Chain = std::vector<Expr>;

std::size_t common_prefix(const Chain& a, const Chain& b) {
    const auto [at, end] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(at - a.begin());
}

std::size_t common_suffix(const Chain& a, const Chain& b) {
    const auto [at, end] = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
    return static_cast<std::size_t>(at - a.rbegin());
}

/// A way to join some terms of the sum.
struct Candidate {
    std::vector<std::size_t> members;
    CommonFactors common;
    double saved = 0;
};

class SumFactoring {
public:
    SumFactoring(const Expr& sum, const Factoring& how) : shape_(sum.shape()), how_(how) {
        for (const Expr& t : sum->children) {
            terms_.push_back(factors_of(t));
        }
    }

    Expr run() {
        while (const auto best = best_candidate()) {
            join(*best);
        }
        std::vector<Expr> sum;
        for (const Factors& t : terms_) {
            sum.push_back(make_product(t, shape_));
        }
        return add(sum);
    }

private:
    /// Every pair of terms opens a candidate; further terms join it where they share as much.
    [[nodiscard]] std::optional<Candidate> best_candidate() const {
        std::optional<Candidate> best;
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            for (std::size_t j = i + 1; j < terms_.size(); ++j) {
                consider_pair(i, j, best);
            }
        }
        return best;
    }

    void consider_pair(std::size_t i, std::size_t j, std::optional<Candidate>& best) const {
        const Chain& a = terms_[i].matrices;
        const Chain& b = terms_[j].matrices;
        const std::size_t shorter = std::min(a.size(), b.size());
        if (terms_[i].scalars != terms_[j].scalars || shorter == 0) {
            return;
        }
        const std::size_t most_prefix = std::min(common_prefix(a, b), shorter - 1);
        const std::size_t most_suffix = std::min(common_suffix(a, b), shorter - 1);
        for (std::size_t p = 0; p <= most_prefix; ++p) {
            for (std::size_t s = 0; s <= std::min(most_suffix, shorter - 1 - p); ++s) {
                if (p + s == 0) {
                    continue;
                }
                Candidate c = with_all_members(i, p, s);
                const std::optional<double> saved = how_.gain(c.common);
                if (saved && (!best || *saved > best->saved)) {
                    c.saved = *saved;
                    best = std::move(c);
                }
            }
        }
    }

    [[nodiscard]] Candidate with_all_members(std::size_t i, std::size_t p, std::size_t s) const {
        Candidate c{{}, {{}, p, s}, 0};
        const Chain& a = terms_[i].matrices;
        for (std::size_t j = 0; j < terms_.size(); ++j) {
            const Chain& b = terms_[j].matrices;
            if (b.size() > p + s && terms_[j].scalars == terms_[i].scalars &&
                common_prefix(a, b) >= p && common_suffix(a, b) >= s) {
                c.members.push_back(j);
                c.common.terms.push_back(terms_[j]);
            }
        }
        return c;
    }

    void join(const Candidate& c) {
        const Factors& first = c.common.terms.front();
        // A factor common to all numbers goes outside: -P*A*Q - P*B*Q = -P*(A + B)*Q.
        double outside = first.number;
        for (const Factors& t : c.common.terms) {
            if (std::abs(t.number) != std::abs(outside)) {
                outside = 1;
            }
        }
        std::vector<Expr> inner;
        for (std::size_t m = 0; m < c.common.terms.size(); ++m) {
            inner.push_back(
                scale(c.common.terms[m].number / outside, multiply(c.common.middle(m))));
        }
        std::vector<Expr> factors{number(outside)};
        factors.insert(factors.end(), first.scalars.begin(), first.scalars.end());
        const Chain around = c.common.around(how_.inside(inner));
        factors.insert(factors.end(), around.begin(), around.end());
        const Expr joined = multiply(factors);
        std::vector<Factors> rest;
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            if (i == c.members.front()) {
                rest.push_back(factors_of(joined));
            } else if (std::find(c.members.begin(), c.members.end(), i) == c.members.end()) {
                rest.push_back(terms_[i]);
            }
        }
        terms_ = std::move(rest);
    }

    std::vector<Factors> terms_;
    Shape shape_;
    const Factoring& how_;
};

}  // namespace

std::vector<Expr> CommonFactors::around(const Expr& inner) const {
    std::vector<Expr> all(head().begin(), head().end());
    all.push_back(inner);
    all.insert(all.end(), tail().begin(), tail().end());
    return all;
}

bool is_within_limits(const Expr& sum, const Factoring& how) {
    if (sum->op != Op::add || sum.shape().is_scalar() || sum->children.size() > how.most_terms) {
        return false;
    }
    std::size_t factors = 0;
    for (const Expr& t : sum->children) {
        factors += factors_of(t).matrices.size();
    }
    return factors <= how.most_factors;
}

Expr factored(const Expr& sum, const Factoring& how) {
    return is_within_limits(sum, how) ? SumFactoring(sum, how).run() : sum;
}

}  // namespace matgrad::detail
