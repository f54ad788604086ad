// Sums, products, entrywise products and powers.

#include "calculus/rules.hpp"
#include "expression/build.hpp"

namespace matgrad {
namespace {

Expr differential_of_sum(const Expr& y, const IsActive& active) {
    std::vector<Expr> terms;
    for (const Expr& c : y->children) {
        if (active(c)) {
            terms.push_back(differential(c));
        }
    }
    return add(terms);
}

std::vector<Contribution> adjoint_of_sum(const Expr& y, const Expr& ybar, const IsActive& active) {
    std::vector<Contribution> result;
    for (const Expr& c : y->children) {
        if (active(c)) {
            result.push_back({c, ybar});
        }
    }
    return result;
}

/// The children of a product with number `i` replaced.
Expr product_with(const Expr& y, std::size_t i, const Expr& replacement) {
    std::vector<Expr> factors{number(y->number)};
    factors.insert(factors.end(), y->children.begin(), y->children.end());
    factors[i + 1] = replacement;
    return multiply(factors);
}

Expr differential_of_product(const Expr& y, const IsActive& active) {
    std::vector<Expr> terms;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        if (active(y->children[i])) {
            terms.push_back(product_with(y, i, differential(y->children[i])));
        }
    }
    return add(terms);
}

/// The scalar factor i of c*s*t*M gets c*t*<Ybar, M>.
Expr adjoint_of_scalar_factor(const Expr& y, const Expr& ybar, std::size_t i) {
    const auto num_scalars = static_cast<std::size_t>(y->num_scalars);
    std::vector<Expr> factors{number(y->number)};
    for (std::size_t k = 0; k < num_scalars; ++k) {
        if (k != i) {
            factors.push_back(y->children[k]);
        }
    }
    if (num_scalars == y->children.size()) {
        factors.push_back(ybar);
    } else {
        const std::vector<Expr> chain(y->children.begin() + y->num_scalars, y->children.end());
        factors.push_back(dot(ybar, multiply(chain)));
    }
    return multiply(factors);
}

/// Ybar*ones(n,1) as rowsum(Ybar) for m in m*ones(1,n), a column spread over a matrix, and colsum(Ybar)
/// for m in ones(m,1)*m; an empty Expr where a product does not spread.
Expr adjoint_of_spread(const Expr& y, const Expr& ybar, std::size_t i) {
    const auto first = static_cast<std::size_t>(y->num_scalars);
    if (y->children.size() != first + 2) {
        return {};
    }
    const Expr& other = y->children[i == first ? first + 1 : first];
    if (other->op != Op::ones || !(i == first ? other.shape().rows : other.shape().cols).is_one()) {
        return {};
    }
    return apply(i == first ? Op::row_sum : Op::col_sum, ybar);
}

/// The matrix factor M of c*s*L*M*R gets c*s*L'*Ybar*R'.
Expr adjoint_of_matrix_factor(const Expr& y, const Expr& ybar, std::size_t i) {
    const auto num_scalars = static_cast<std::size_t>(y->num_scalars);
    std::vector<Expr> factors{number(y->number)};
    factors.insert(factors.end(), y->children.begin(), y->children.begin() + y->num_scalars);
    if (const Expr sums = adjoint_of_spread(y, ybar, i)) {
        factors.push_back(sums);
        return multiply(factors);
    }
    for (std::size_t k = i; k-- > num_scalars;) {
        factors.push_back(transpose(y->children[k]));
    }
    factors.push_back(ybar);
    for (std::size_t k = y->children.size(); --k > i;) {
        factors.push_back(transpose(y->children[k]));
    }
    return multiply(factors);
}

std::vector<Contribution> adjoint_of_product(const Expr& y, const Expr& ybar,
                                             const IsActive& active) {
    std::vector<Contribution> result;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        const Expr& child = y->children[i];
        if (!active(child)) {
            continue;
        }
        const bool is_scalar = i < static_cast<std::size_t>(y->num_scalars);
        result.push_back({child, is_scalar ? adjoint_of_scalar_factor(y, ybar, i)
                                           : adjoint_of_matrix_factor(y, ybar, i)});
    }
    return result;
}

/// The entrywise factors with number `i` replaced.
Expr hadamard_with(const Expr& y, std::size_t i, const Expr& replacement) {
    std::vector<Expr> factors = y->children;
    factors[i] = replacement;
    return hadamard(factors);
}

Expr differential_of_hadamard(const Expr& y, const IsActive& active) {
    std::vector<Expr> terms;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        if (active(y->children[i])) {
            terms.push_back(hadamard_with(y, i, differential(y->children[i])));
        }
    }
    return add(terms);
}

std::vector<Contribution> adjoint_of_hadamard(const Expr& y, const Expr& ybar,
                                              const IsActive& active) {
    std::vector<Contribution> result;
    for (std::size_t i = 0; i < y->children.size(); ++i) {
        if (active(y->children[i])) {
            result.push_back({y->children[i], hadamard_with(y, i, ybar)});
        }
    }
    return result;
}

Expr derivative_of_power(const Expr& y) {
    return scale(y->number, power(y->children.front(), y->number - 1));
}

Expr differential_of_power(const Expr& y, const IsActive&) {
    return hadamard(derivative_of_power(y), differential(y->children.front()));
}

std::vector<Contribution> adjoint_of_power(const Expr& y, const Expr& ybar, const IsActive&) {
    return {{y->children.front(), hadamard(ybar, derivative_of_power(y))}};
}

constexpr Identity kLinear{"tr(P*(Q + R)) = tr(P*Q) + tr(P*R)", "linearity of the trace"};

constexpr Rule kSum{"d(Y + Z) = dY + dZ", "Matrix Cookbook 35", kLinear, differential_of_sum,
                    adjoint_of_sum};
constexpr Rule kProduct{"d(Y*Z) = dY*Z + Y*dZ", "Matrix Cookbook 34, 37, 44", kCyclic,
                        differential_of_product, adjoint_of_product};
constexpr Rule kHadamard{"d(Y.*Z) = dY.*Z + Y.*dZ", "Matrix Cookbook 38", kEntrywise,
                         differential_of_hadamard, adjoint_of_hadamard};
constexpr Rule kPower{"d(Y.^k) = k*Y.^(k-1).*dY", "Magnus & Neudecker ch. 8", kEntrywise,
                      differential_of_power, adjoint_of_power};

}  // namespace

const Rule* detail::arithmetic_rule(Op op) {
    static constexpr OpRule kRules[] = {
        {Op::add, kSum}, {Op::product, kProduct}, {Op::hadamard, kHadamard}, {Op::power, kPower}};
    return find_rule(kRules, op);
}

}  // namespace matgrad
