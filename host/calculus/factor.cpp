#include "calculus/factor.hpp"

#include <algorithm>
#include <optional>

#include "calculus/product_cost.hpp"
#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kMostTerms = 32;
constexpr std::size_t kMostFactors = 64;  // of all terms together

using Chain = std::vector<Expr>;

/// A way to join some terms: they share `prefix` leading and `suffix` trailing factors.
struct Candidate {
    std::vector<std::size_t> members;
    std::size_t prefix = 0;
    std::size_t suffix = 0;
    double saved = 0;  ///< relative saving, summed over the assumed sizes
};

std::size_t common_prefix(const Chain& a, const Chain& b) {
    std::size_t k = 0;
    while (k < std::min(a.size(), b.size()) && a[k] == b[k]) {
        ++k;
    }
    return k;
}

std::size_t common_suffix(const Chain& a, const Chain& b) {
    std::size_t k = 0;
    while (k < std::min(a.size(), b.size()) && a[a.size() - 1 - k] == b[b.size() - 1 - k]) {
        ++k;
    }
    return k;
}

Chain part(const Chain& c, std::size_t from, std::size_t to) {
    return {c.begin() + static_cast<std::ptrdiff_t>(from),
            c.begin() + static_cast<std::ptrdiff_t>(to)};
}

class SumFactoring {
public:
    explicit SumFactoring(std::vector<detail::Factors> terms, const Shape& shape)
        : terms_(std::move(terms)), shape_(shape), sizes_(all_factors()) {}

    Expr run() {
        while (const auto best = best_candidate()) {
            join(*best);
        }
        std::vector<Expr> sum;
        for (const detail::Factors& t : terms_) {
            sum.push_back(detail::make_product(t, shape_));
        }
        return add(sum);
    }

private:
    [[nodiscard]] Chain all_factors() const {
        Chain all;
        for (const detail::Factors& t : terms_) {
            all.insert(all.end(), t.matrices.begin(), t.matrices.end());
        }
        return all;
    }

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
        if (terms_[i].scalars != terms_[j].scalars) {
            return;
        }
        const std::size_t shorter = std::min(a.size(), b.size());
        const std::size_t most_prefix = std::min(common_prefix(a, b), shorter - 1);
        const std::size_t most_suffix = std::min(common_suffix(a, b), shorter - 1);
        for (std::size_t p = 0; p <= most_prefix; ++p) {
            for (std::size_t s = 0; s <= std::min(most_suffix, shorter - 1 - p); ++s) {
                if (p + s == 0) {
                    continue;
                }
                Candidate c = with_all_members(i, p, s);
                if (evaluate(c) && (!best || c.saved > best->saved)) {
                    best = std::move(c);
                }
            }
        }
    }

    [[nodiscard]] Candidate with_all_members(std::size_t i, std::size_t p, std::size_t s) const {
        Candidate c{{}, p, s, 0};
        const Chain& a = terms_[i].matrices;
        for (std::size_t j = 0; j < terms_.size(); ++j) {
            const Chain& b = terms_[j].matrices;
            if (b.size() > p + s && terms_[j].scalars == terms_[i].scalars &&
                common_prefix(a, b) >= p && common_suffix(a, b) >= s) {
                c.members.push_back(j);
            }
        }
        return c;
    }

    /// Fills in what joining saves; false if it costs more at any size.
    [[nodiscard]] bool evaluate(Candidate& c) const {
        const Chain& first = terms_[c.members.front()].matrices;
        const Chain middle = part(first, c.prefix, first.size() - c.suffix);
        const Dim& rows = middle.front().shape().rows;
        const Dim& cols = middle.back().shape().cols;
        Chain joined = part(first, 0, c.prefix);
        joined.push_back(rows.is_one() && cols.is_one() ? number(1) : ones(rows, cols));
        const Chain tail = part(first, first.size() - c.suffix, first.size());
        joined.insert(joined.end(), tail.begin(), tail.end());
        const auto additions = static_cast<double>(c.members.size() - 1);
        for (std::size_t k = 0; k < sizes_.count(); ++k) {
            double apart = additions * sizes_.size(shape_.rows, k) * sizes_.size(shape_.cols, k);
            double together = product_cost(joined, sizes_, k) +
                              additions * sizes_.size(rows, k) * sizes_.size(cols, k);
            for (const std::size_t m : c.members) {
                const Chain& chain = terms_[m].matrices;
                apart += product_cost(chain, sizes_, k);
                together += product_cost(part(chain, c.prefix, chain.size() - c.suffix), sizes_, k);
            }
            apart = std::min(apart, cost_with_sharing(c, k).value_or(apart));
            if (together > apart) {
                return false;
            }
            c.saved += (apart - together) / std::max(apart, 1.0);
        }
        return true;
    }

    /// Where one member is the head or tail of all others, P*T + T, T is computed once.
    [[nodiscard]] std::optional<double> cost_with_sharing(const Candidate& c, std::size_t k) const {
        const auto shorter = [this](std::size_t a, std::size_t b) {
            return terms_[a].matrices.size() < terms_[b].matrices.size();
        };
        const std::size_t least = *std::min_element(c.members.begin(), c.members.end(), shorter);
        const Chain& shared = terms_[least].matrices;
        double cost = product_cost(shared, sizes_, k);
        for (const std::size_t m : c.members) {
            const Chain& chain = terms_[m].matrices;
            const std::size_t rest = chain.size() - shared.size();
            if (m == least) {
                continue;
            }
            cost += sizes_.size(shape_.rows, k) * sizes_.size(shape_.cols, k);
            Chain others;
            if (common_suffix(chain, shared) == shared.size()) {
                others = part(chain, 0, rest);
                others.push_back(ones(others.back().shape().cols, shape_.cols));
            } else if (common_prefix(chain, shared) == shared.size()) {
                others = part(chain, shared.size(), chain.size());
                others.insert(others.begin(), ones(shape_.rows, others.front().shape().rows));
            } else {
                return std::nullopt;
            }
            cost += product_cost(others, sizes_, k);
        }
        return cost;
    }

    void join(const Candidate& c) {
        const detail::Factors& first = terms_[c.members.front()];
        const Chain& chain = first.matrices;
        const Chain head = part(chain, 0, c.prefix);
        const Chain tail = part(chain, chain.size() - c.suffix, chain.size());
        // A factor common to all numbers goes outside: -P*A*Q - P*B*Q = -P*(A + B)*Q.
        double outside = first.number;
        for (const std::size_t m : c.members) {
            if (std::abs(terms_[m].number) != std::abs(outside)) {
                outside = 1;
            }
        }
        std::vector<Expr> inner;
        for (const std::size_t m : c.members) {
            const detail::Factors& t = terms_[m];
            const Expr middle = multiply(part(t.matrices, c.prefix, t.matrices.size() - c.suffix));
            inner.push_back(scale(t.number / outside, middle));
        }
        std::vector<Expr> factors{number(outside)};
        factors.insert(factors.end(), first.scalars.begin(), first.scalars.end());
        factors.insert(factors.end(), head.begin(), head.end());
        factors.push_back(factored_sum(inner));
        factors.insert(factors.end(), tail.begin(), tail.end());
        const Expr joined = multiply(factors);
        std::vector<detail::Factors> rest;
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            if (i == c.members.front()) {
                rest.push_back(detail::factors_of(joined));
            } else if (std::find(c.members.begin(), c.members.end(), i) == c.members.end()) {
                rest.push_back(terms_[i]);
            }
        }
        terms_ = std::move(rest);
    }

    std::vector<detail::Factors> terms_;
    Shape shape_;
    AssumedSizes sizes_;
};

/// A scalar factor as base and exponent.
detail::Scaled powered(const Expr& s) {
    return s->op == Op::power ? detail::Scaled{s->number, s->children.front()}
                              : detail::Scaled{1, s};
}

double exponent_in(const Expr& term, const Expr& base) {
    for (const Expr& s : detail::factors_of(term).scalars) {
        const detail::Scaled p = powered(s);
        if (p.base == base) {
            return p.number;
        }
    }
    return 0;
}

/// The power of `base` that all terms share: s of s^2*A and s*B, 1/s of A/s and B/s^2.
double common_exponent(const std::vector<Expr>& terms, const Expr& base) {
    double common = exponent_in(terms.front(), base);
    for (const Expr& t : terms) {
        const double own = exponent_in(t, base);
        if (own * common <= 0) {
            return 0;
        }
        common = std::abs(own) < std::abs(common) ? own : common;
    }
    return common;
}

/// The number all terms have up to their sign, or 1.
double common_number(const std::vector<Expr>& terms) {
    const double first = detail::split_number(terms.front()).number;
    for (const Expr& t : terms) {
        if (std::abs(detail::split_number(t).number) != std::abs(first)) {
            return 1;
        }
    }
    return std::abs(first) == 1 ? 1 : first;
}

/// Scalars and numbers all terms share go in front of the sum: 2*s*A - 2*s^2*B = 2*s*(A - s*B).
Expr with_common_scalars(const Expr& sum) {
    if (sum->op != Op::add || sum.shape().is_scalar()) {
        return sum;
    }
    const double shared = common_number(sum->children);
    std::vector<Expr> powers;
    for (const Expr& s : detail::factors_of(sum->children.front()).scalars) {
        const Expr base = powered(s).base;
        powers.push_back(power(base, common_exponent(sum->children, base)));
    }
    const Expr common = multiply(powers);
    if (shared == 1 && is_number(common, 1)) {
        return sum;
    }
    std::vector<Expr> inside;
    for (const Expr& t : sum->children) {
        const detail::Scaled scaled = detail::split_number(t);
        inside.push_back(scale(scaled.number / shared, multiply(power(common, -1), scaled.base)));
    }
    return scale(shared, multiply(common, add(inside)));
}

}  // namespace

Expr factored_sum(std::span<const Expr> terms) {
    const Expr sum = add(terms);
    if (sum->op != Op::add || sum.shape().is_scalar() || sum->children.size() > kMostTerms) {
        return sum;
    }
    std::vector<detail::Factors> parts;
    std::size_t factors = 0;
    for (const Expr& t : sum->children) {
        parts.push_back(detail::factors_of(t));
        factors += parts.back().matrices.size();
    }
    if (factors > kMostFactors) {
        return sum;
    }
    return with_common_scalars(SumFactoring(std::move(parts), sum.shape()).run());
}

}  // namespace matgrad
