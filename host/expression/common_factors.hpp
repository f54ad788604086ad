#pragma once
/// \file Common factors of a sum: P*A*Q + P*B*Q = P*(A + B)*Q, wherever a cost handed in says so.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "expression/make_node.hpp"

namespace matgrad::detail {

/// Terms with equal scalars that share `prefix` leading and `suffix` trailing matrix factors; each has
/// at least one more.
struct CommonFactors {
    std::vector<Factors> terms;
    std::size_t prefix = 0;
    std::size_t suffix = 0;

    [[nodiscard]] std::span<const Expr> head() const {
        return std::span(terms.front().matrices).first(prefix);
    }
    [[nodiscard]] std::span<const Expr> tail() const {
        return std::span(terms.front().matrices).last(suffix);
    }
    /// What stays inside the bracket of one term.
    [[nodiscard]] std::span<const Expr> middle(std::size_t term) const {
        const std::span<const Expr> all(terms[term].matrices);
        return all.subspan(prefix, all.size() - prefix - suffix);
    }
    /// head * inner * tail, factor by factor.
    [[nodiscard]] std::vector<Expr> around(const Expr& inner) const;
};

/// How a sum is factored.
struct Factoring {
    /// Longer sums, and sums of more matrix factors in all, are left as they are.
    std::size_t most_terms = 32;
    std::size_t most_factors = 64;
    /// What taking the common factors out saves; nothing if the terms had better stay apart.
    std::function<std::optional<double>(const CommonFactors&)> gain;
    /// The sum of what stays inside a bracket.
    std::function<Expr(std::span<const Expr> terms)> inside;
};

/// Is it a sum of matrices within the limits?
[[nodiscard]] bool is_within_limits(const Expr& sum, const Factoring& how);

/// `sum` with common factors taken out, those first that save the most; as it is if it is not within
/// the limits. Never multiplies out.
///
/// Cost   grows with the square of the number of terms, times the common factors of each pair.
[[nodiscard]] Expr factored(const Expr& sum, const Factoring& how);

}  // namespace matgrad::detail
