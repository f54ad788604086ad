// exp(A)/sum(exp(A)) as exp(A - logsumexp(A)), and the same of rows, columns and parts of products.

#include <cmath>
#include <optional>

#include "expression/build.hpp"
#include "expression/spread.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad::detail {
namespace {

/// What a divisor is the same for.
enum class Same { everywhere, in_rows, in_columns };

/// A divisor by its logarithm: 1-by-1, a column with a number for each row, or a row.
struct Divisor {
    Same same = Same::everywhere;
    Expr log;
    Expr exponent;    ///< Z of the exp(Z) that the divisor is a sum of
    bool any = true;  ///< true: every exponential takes it; false: exp(Z) and exp(Z') alone
};

Same turned(Same same) {
    return same == Same::in_rows      ? Same::in_columns
           : same == Same::in_columns ? Same::in_rows
                                      : same;
}

Divisor turned(Divisor d) {
    d.same = turned(d.same);
    d.log = transpose(d.log);
    return d;
}

Expr divided(const Expr& a, const Divisor& d, int depth);

/// The child number i divided, the others as they are.
Expr with_divided_child(const Expr& a, std::size_t i, const Divisor& d, int depth) {
    const Expr child = divided(a->children[i], d, depth);
    if (!child) {
        return {};
    }
    std::vector<Expr> children = a->children;
    children[i] = child;
    return with_children(a, children);
}

Expr divided_product(const Expr& a, const Divisor& d, int depth) {
    const auto first = static_cast<std::size_t>(a->num_scalars);
    const std::size_t end = a->children.size();
    for (std::size_t i = 0; i < end; ++i) {
        // What divides rows passes to the first factor, what divides columns to the last one.
        const bool passes = i < first ? d.same == Same::everywhere
                                      : d.same == Same::everywhere ||
                                            (d.same == Same::in_rows ? i == first : i + 1 == end);
        if (!passes) {
            continue;
        }
        if (Expr result = with_divided_child(a, i, d, depth)) {
            return result;
        }
    }
    return {};
}

/// a with an exponential in it that has taken the divisor; an empty Expr if there is none.
Expr divided(const Expr& a, const Divisor& d, int depth) {
    constexpr int kDeepest = 8;
    if (depth > kDeepest) {
        return {};
    }
    ++depth;
    switch (a->op) {
        case Op::exp: {
            const Expr& z = a->children.front();
            const bool own =
                z == d.exponent || z->transposed_fingerprint == d.exponent->fingerprint;
            return own || d.any ? apply(Op::exp, subtract(z, spread(d.log, a.shape()))) : Expr();
        }
        case Op::transpose: {
            const Expr inner = divided(a->children.front(), turned(d), depth);
            return inner ? transpose(inner) : inner;
        }
        case Op::power: {
            if (a->number < 1 || std::trunc(a->number) != a->number) {
                return {};
            }
            const Expr inner = divided(a->children.front(), d, depth);
            return inner ? hadamard(inner, power(a->children.front(), a->number - 1)) : inner;
        }
        case Op::add: {
            std::vector<Expr> terms;
            for (const Expr& term : a->children) {
                terms.push_back(divided(term, d, depth));
                if (!terms.back()) {
                    return {};
                }
            }
            return add(terms);
        }
        case Op::product:
            return divided_product(a, d, depth);
        case Op::hadamard:
        case Op::dot:
            for (std::size_t i = 0; i < a->children.size(); ++i) {
                if (Expr result = with_divided_child(a, i, d, depth)) {
                    return result;
                }
            }
            return {};
        case Op::row_sum:
            return d.same == Same::in_columns ? Expr() : with_divided_child(a, 0, d, depth);
        case Op::col_sum:
            return d.same == Same::in_rows ? Expr() : with_divided_child(a, 0, d, depth);
        case Op::sum:
        case Op::trace:
        case Op::diag_vector:
        case Op::tril:
        case Op::triu:
            return d.same == Same::everywhere ? with_divided_child(a, 0, d, depth) : Expr();
        default:
            return {};
    }
}

/// The exponential that is a divisor's own goes before any other.
Expr divided_by(const Expr& a, Divisor d, bool any) {
    d.any = any;
    return divided(a, d, 0);
}

/// The sum of exponentials that `a` is: over all entries, rows or columns.
std::optional<Divisor> sum_of_exponentials(const Expr& a) {
    const auto of = [](Same same, Op over, const Expr& sum) -> std::optional<Divisor> {
        const Expr z = exponent_of(sum->children.front());
        return z ? std::optional(Divisor{same, apply(over, z), z}) : std::nullopt;
    };
    if (a->op == Op::sum) {
        return of(Same::everywhere, Op::logsumexp, a);
    }
    if (a->op == Op::row_sum) {
        return of(Same::in_rows, Op::row_logsumexp, a);
    }
    if (a->op == Op::col_sum) {
        return of(Same::in_columns, Op::col_logsumexp, a);
    }
    if (a->op == Op::product && a->number == 1 && a->num_scalars == 0 && a->children.size() == 2) {
        // exp(A)*ones(n,1), ones(1,m)*exp(A)
        const Expr& left = a->children[0];
        const Expr& right = a->children[1];
        if (right->op == Op::ones && right.shape().cols.is_one()) {
            return sum_of_exponentials(apply(Op::row_sum, left));
        }
        if (left->op == Op::ones && left.shape().rows.is_one()) {
            return sum_of_exponentials(apply(Op::col_sum, right));
        }
    }
    return std::nullopt;
}

/// A factor that divides by a sum of exponentials: s^-k, with k a whole number.
struct Found {
    Divisor divisor;
    Expr base;
    double times = 0;
};

std::optional<Found> divisor_of(const Expr& factor) {
    const Expr line = unspread(factor);
    const Expr& raised = line ? line : factor;
    if (raised->op != Op::power || raised->number > -1 ||
        std::trunc(raised->number) != raised->number) {
        return {};
    }
    const Expr& base = raised->children.front();
    const std::optional<Divisor> d = sum_of_exponentials(base);
    return d ? std::optional(Found{*d, spread(base, factor.shape()), -raised->number})
             : std::nullopt;
}

/// Divides one of `factors` other than number i; false if none takes it.
bool divide_one(std::vector<Expr>& factors, std::size_t i, const Divisor& d) {
    for (const bool any : {false, true}) {
        for (std::size_t k = 0; k < factors.size(); ++k) {
            if (k == i) {
                continue;
            }
            if (const Expr result = divided_by(factors[k], d, any)) {
                factors[k] = result;
                return true;
            }
        }
    }
    return false;
}

/// exp(Z).^p.*sigmoid(-Z).^q has the factor sigmoid(Z).^min(p, q).
bool join_logistic(std::vector<Expr>& factors) {
    const auto exponent_of = [](const Expr& a) { return a->op == Op::power ? a->number : 1; };
    const auto base_of = [](const Expr& a) { return a->op == Op::power ? a->children.front() : a; };
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const Expr sigmoid = base_of(factors[i]);
        if (sigmoid->op != Op::sigmoid || exponent_of(factors[i]) <= 0) {
            continue;
        }
        const Expr z = negate(sigmoid->children.front());
        const Expr exponential = apply(Op::exp, z);
        for (Expr& other : factors) {
            if (!(base_of(other) == exponential) || exponent_of(other) <= 0) {
                continue;
            }
            const double q = exponent_of(factors[i]);
            const double p = exponent_of(other);
            const double both = std::min(p, q);
            factors[i] = power(sigmoid, q - both);
            other = power(exponential, p - both);
            factors.push_back(power(apply(Op::sigmoid, z), both));
            return true;
        }
    }
    return false;
}

/// Divisors that are factors of the list itself.
bool absorb_in(std::vector<Expr>& factors) {
    for (std::size_t i = 0; i < factors.size(); ++i) {
        std::optional<Found> found = divisor_of(factors[i]);
        if (!found || !divide_one(factors, i, found->divisor)) {
            continue;
        }
        factors[i] = power(found->base, 1 - found->times);
        return true;
    }
    return join_logistic(factors);
}

/// diag(v./r) before a matrix divides its rows, after it its columns.
bool absorb_in_diagonal(std::vector<Expr>& matrices) {
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        if (matrices[i]->op != Op::diag_matrix) {
            continue;
        }
        const Expr& v = matrices[i]->children.front();
        std::vector<Expr> entries = v->op == Op::hadamard ? v->children : std::vector<Expr>{v};
        for (Expr& entry : entries) {
            const std::optional<Found> found = divisor_of(entry);
            if (!found || found->divisor.same != Same::in_rows) {
                continue;
            }
            for (const bool any : {false, true}) {
                Expr below;
                std::size_t at = i;
                if (i + 1 < matrices.size()) {
                    at = i + 1;
                    below = divided_by(matrices[at], found->divisor, any);
                }
                if (!below && i > 0) {
                    at = i - 1;
                    below = divided_by(matrices[at], turned(found->divisor), any);
                }
                if (below) {
                    entry = power(found->base, 1 - found->times);
                    matrices[i] = apply(Op::diag_matrix, hadamard(entries));
                    matrices[at] = below;
                    return true;
                }
            }
        }
    }
    return false;
}

}  // namespace

bool absorb_divisors(Factors& product) {
    std::vector<Expr> all = product.scalars;
    // A chain is one factor for what is the same everywhere: any of its matrices may take it.
    all.insert(all.end(), product.matrices.begin(), product.matrices.end());
    const std::size_t scalars = product.scalars.size();
    for (std::size_t i = 0; i < scalars; ++i) {
        const std::optional<Found> found = divisor_of(all[i]);
        if (found && divide_one(all, i, found->divisor)) {
            all[i] = power(found->base, 1 - found->times);
            const auto middle = all.begin() + static_cast<std::ptrdiff_t>(scalars);
            product.scalars.assign(all.begin(), middle);
            product.matrices.assign(middle, all.end());
            return true;
        }
    }
    return join_logistic(product.scalars) || absorb_in_diagonal(product.matrices);
}

bool absorb_divisors(std::vector<Expr>& entrywise_factors) {
    return absorb_in(entrywise_factors);
}

}  // namespace matgrad::detail
