#include "calculus/factor.hpp"

#include <algorithm>
#include <optional>

#include "calculus/product_cost.hpp"
#include "expression/build.hpp"
#include "expression/common_factors.hpp"

namespace matgrad {
namespace {

using Chain = std::vector<Expr>;
using detail::CommonFactors;

Chain matrix_factors(const Expr& sum) {
    Chain all;
    for (const Expr& t : sum->children) {
        const Chain own = detail::factors_of(t).matrices;
        all.insert(all.end(), own.begin(), own.end());
    }
    return all;
}

/// Weighs common factors by the operations of all products and sums, at a spread of sizes.
class AssumedGain {
public:
    explicit AssumedGain(const Expr& sum) : shape_(sum.shape()), sizes_(matrix_factors(sum)) {}

    /// The relative savings at all sizes together; nothing if joining costs more at any of them.
    [[nodiscard]] std::optional<double> operator()(const CommonFactors& common) const {
        const std::span<const Expr> middle = common.middle(0);
        const Dim& rows = middle.front().shape().rows;
        const Dim& cols = middle.back().shape().cols;
        const Chain joined =
            common.around(rows.is_one() && cols.is_one() ? number(1) : ones(rows, cols));
        const auto additions = static_cast<double>(common.terms.size() - 1);
        double saved = 0;
        for (std::size_t k = 0; k < sizes_.count(); ++k) {
            double apart = additions * sizes_.size(shape_.rows, k) * sizes_.size(shape_.cols, k);
            double together = product_cost(joined, sizes_, k) +
                              additions * sizes_.size(rows, k) * sizes_.size(cols, k);
            for (std::size_t m = 0; m < common.terms.size(); ++m) {
                apart += product_cost(common.terms[m].matrices, sizes_, k);
                together += product_cost(common.middle(m), sizes_, k);
            }
            apart = std::min(apart, cost_with_sharing(common, k).value_or(apart));
            if (together > apart) {
                return std::nullopt;
            }
            saved += (apart - together) / std::max(apart, 1.0);
        }
        return saved;
    }

private:
    /// Where one term is the head or tail of all others, P*T + T, T is computed once.
    [[nodiscard]] std::optional<double> cost_with_sharing(const CommonFactors& common,
                                                          std::size_t k) const {
        const auto least = std::min_element(common.terms.begin(), common.terms.end(),
                                            [](const detail::Factors& a, const detail::Factors& b) {
                                                return a.matrices.size() < b.matrices.size();
                                            });
        const Chain& shared = least->matrices;
        double cost = product_cost(shared, sizes_, k);
        for (auto term = common.terms.begin(); term != common.terms.end(); ++term) {
            if (term == least) {
                continue;
            }
            const Chain& chain = term->matrices;
            const auto rest = static_cast<std::ptrdiff_t>(chain.size() - shared.size());
            cost += sizes_.size(shape_.rows, k) * sizes_.size(shape_.cols, k);
            Chain others;
            if (std::equal(shared.begin(), shared.end(), chain.begin() + rest)) {
                others.assign(chain.begin(), chain.begin() + rest);
                others.push_back(ones(others.back().shape().cols, shape_.cols));
            } else if (std::equal(shared.begin(), shared.end(), chain.begin())) {
                others.assign(chain.end() - rest, chain.end());
                others.insert(others.begin(), ones(shape_.rows, others.front().shape().rows));
            } else {
                return std::nullopt;
            }
            cost += product_cost(others, sizes_, k);
        }
        return cost;
    }

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
    detail::Factoring how;
    how.inside = [](std::span<const Expr> inner) { return factored_sum(inner); };
    if (!is_within_limits(sum, how)) {
        return sum;
    }
    how.gain = AssumedGain(sum);
    return with_common_scalars(factored(sum, how));
}

}  // namespace matgrad
