#include <cmath>

#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {
namespace {

Expr raw(Op op, std::vector<Expr> children, const Shape& shape) {
    Node node;
    node.op = op;
    node.shape = shape;
    node.children = std::move(children);
    return detail::make_node(std::move(node));
}

void require_square(const Expr& a, const char* what) {
    if (!a.shape().is_square()) {
        throw ShapeError(std::string(what) +
                         " of a matrix that is not square: " + a.shape().text());
    }
}

/// f(c*s*A) = c*s*f(A) for a linear f.
Expr apply_linear(Op op, const Expr& a, Expr (*f)(Op, const Expr&)) {
    detail::Factors parts = detail::factors_of(a);
    const Expr bare = detail::make_product({1, {}, std::move(parts.matrices)}, a.shape());
    std::vector<Expr> factors{number(parts.number)};
    factors.insert(factors.end(), parts.scalars.begin(), parts.scalars.end());
    factors.push_back(f(op, bare));
    return multiply(factors);
}

Expr trace_of(Op op, const Expr& a) {
    if (a->op == Op::transpose) {
        return trace_of(op, a->children.front());
    }
    if (a->op == Op::diag_matrix) {
        return apply(Op::sum, a->children.front());
    }
    if (a->op == Op::product) {  // tr(A*b*c'*D) = c'*D*A*b
        std::vector<Expr> m = detail::factors_of(a).matrices;
        for (std::size_t i = 0; i + 1 < m.size(); ++i) {
            if (!m[i].shape().cols.is_one()) {
                continue;
            }
            std::vector<Expr> turned(m.begin() + static_cast<std::ptrdiff_t>(i) + 1, m.end());
            turned.insert(turned.end(), m.begin(), m.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            return multiply(turned);
        }
    }
    return raw(op, {a}, Shape::scalar());
}

Expr sum_of(Op op, const Expr& a) {
    switch (a->op) {
        case Op::transpose:
            return apply(op, a->children.front());
        case Op::diag_matrix:
        case Op::row_sum:
        case Op::col_sum:
            return apply(op, a->children.front());
        case Op::diag_vector:
            return apply(Op::trace, a->children.front());
        default:
            return raw(op, {a}, Shape::scalar());
    }
}

Expr linear_matrix_function(Op op, const Expr& a) {
    const Shape& s = a.shape();
    switch (op) {
        case Op::row_sum:
            if (s.cols.is_one()) {
                return a;
            }
            if (s.rows.is_one()) {
                return apply(Op::sum, a);
            }
            return raw(op, {a}, {s.rows, Dim::literal(1)});
        case Op::col_sum:
            if (s.rows.is_one()) {
                return a;
            }
            if (s.cols.is_one()) {
                return apply(Op::sum, a);
            }
            return raw(op, {a}, {Dim::literal(1), s.cols});
        case Op::diag_vector:
            if (a->op == Op::diag_matrix) {
                return a->children.front();
            }
            if (a->op == Op::eye) {
                return ones(s.rows, Dim::literal(1));
            }
            if (a->op == Op::transpose) {
                return raw(op, a->children, {s.rows, Dim::literal(1)});
            }
            return raw(op, {a}, {s.rows, Dim::literal(1)});
        case Op::diag_matrix:
            if (a->op == Op::ones) {
                return eye(s.rows);
            }
            return raw(op, {a}, {s.rows, s.rows});
        default: {  // tril, triu
            const Structure kept = op == Op::tril ? Structure::lower : Structure::upper;
            const bool already = a->op == op || a->op == Op::eye || a->op == Op::diag_matrix ||
                                 (a->op == Op::symbol &&
                                  (a->structure == kept || a->structure == Structure::diagonal));
            return already ? a : raw(op, {a}, s);
        }
    }
}

Expr norm_of(Op op, const Expr& a) {
    if (a.shape().is_scalar()) {
        return apply(Op::abs, a);
    }
    const detail::Scaled scaled = detail::split_number(a);
    const Expr base =
        scaled.base->op == Op::transpose ? scaled.base->children.front() : scaled.base;
    return scale(std::fabs(scaled.number), raw(op, {base}, Shape::scalar()));
}

Expr determinant(const Expr& a) {
    require_square(a, "det");
    if (a.shape().is_scalar()) {
        return a;
    }
    switch (a->op) {
        case Op::eye:
            return number(1);
        case Op::transpose:
            return determinant(a->children.front());
        case Op::inverse:
            return power(determinant(a->children.front()), -1);
        default:
            return raw(Op::det, {a}, Shape::scalar());
    }
}

Expr log_determinant(const Expr& a) {
    require_square(a, "logdet");
    if (a.shape().is_scalar()) {
        return apply(Op::log, a->semidefinite ? a : apply(Op::abs, a));
    }
    switch (a->op) {
        case Op::eye:
            return number(0);
        case Op::transpose:
            return log_determinant(a->children.front());
        case Op::inverse:
            return negate(log_determinant(a->children.front()));
        default:
            return raw(Op::logdet, {a}, Shape::scalar());
    }
}

double evaluate(Op op, double x) {
    switch (op) {
        case Op::exp:
            return std::exp(x);
        case Op::log:
            return std::log(x);
        case Op::sqrt:
            return std::sqrt(x);
        case Op::abs:
            return std::fabs(x);
        case Op::sign:
            return static_cast<double>((x > 0) - (x < 0));
        case Op::step:
            return x > 0 ? 1 : 0;
        case Op::sin:
            return std::sin(x);
        case Op::cos:
            return std::cos(x);
        case Op::tanh:
            return std::tanh(x);
        case Op::relu:
            return x > 0 ? x : 0;
        default:
            return std::nan("");
    }
}

Expr entrywise(Op op, const Expr& a) {
    if (a->op == Op::number) {
        const double value = evaluate(op, a->number);
        if (std::isfinite(value)) {
            return number(value);
        }
    }
    if ((op == Op::abs || op == Op::relu) && a.shape().is_scalar() && a->semidefinite) {
        return a;
    }
    return raw(op, {a}, a.shape());
}

}  // namespace

Expr inverse(const Expr& a) {
    require_square(a, "inv");
    if (a.shape().is_scalar()) {
        return power(a, -1);
    }
    switch (a->op) {
        case Op::eye:
            return a;
        case Op::inverse:
            return a->children.front();
        case Op::transpose:
            return transpose(inverse(a->children.front()));
        case Op::diag_matrix:
            return apply(Op::diag_matrix, power(a->children.front(), -1));
        case Op::product:
            break;
        default:
            return raw(Op::inverse, {a}, a.shape());
    }
    detail::Factors parts = detail::factors_of(a);
    if (parts.number == 0) {
        return raw(Op::inverse, {a}, a.shape());
    }
    std::vector<Expr> factors{number(1 / parts.number)};
    for (const Expr& s : parts.scalars) {
        factors.push_back(power(s, -1));
    }
    bool all_square = true;
    for (const Expr& m : parts.matrices) {
        all_square = all_square && m.shape().is_square();
    }
    if (all_square) {
        for (std::size_t i = parts.matrices.size(); i-- > 0;) {
            factors.push_back(inverse(parts.matrices[i]));
        }
    } else {
        const Expr bare = detail::make_product({1, {}, std::move(parts.matrices)}, a.shape());
        factors.push_back(raw(Op::inverse, {bare}, a.shape()));
    }
    return multiply(factors);
}

Expr dot(const Expr& a, const Expr& b) {
    if (a.shape() != b.shape()) {
        throw ShapeError("dot of " + a.shape().text() + " and " + b.shape().text());
    }
    if (a.shape().is_scalar()) {
        return multiply(a, b);
    }
    detail::Factors left = detail::factors_of(a);
    detail::Factors right = detail::factors_of(b);
    std::vector<Expr> factors{number(left.number), number(right.number)};
    factors.insert(factors.end(), left.scalars.begin(), left.scalars.end());
    factors.insert(factors.end(), right.scalars.begin(), right.scalars.end());
    const Expr x = detail::make_product({1, {}, std::move(left.matrices)}, a.shape());
    const Expr y = detail::make_product({1, {}, std::move(right.matrices)}, b.shape());
    if (x->op == Op::ones) {
        factors.push_back(apply(Op::sum, y));
    } else if (y->op == Op::ones) {
        factors.push_back(apply(Op::sum, x));
    } else if (x->op == Op::eye) {
        factors.push_back(apply(Op::trace, y));
    } else if (y->op == Op::eye) {
        factors.push_back(apply(Op::trace, x));
    } else {
        factors.push_back(raw(Op::dot, {x, y}, Shape::scalar()));
    }
    return multiply(factors);
}

Expr apply(Op op, const Expr& a) {
    switch (op) {
        case Op::inverse:
            return inverse(a);
        case Op::transpose:
            return transpose(a);
        case Op::det:
            return determinant(a);
        case Op::logdet:
            return log_determinant(a);
        case Op::trace:
            require_square(a, "tr");
            return a.shape().is_scalar() ? a : apply_linear(op, a, trace_of);
        case Op::sum:
            return a.shape().is_scalar() ? a : apply_linear(op, a, sum_of);
        case Op::diag_vector:
            require_square(a, "diag");
            [[fallthrough]];
        case Op::row_sum:
        case Op::col_sum:
        case Op::diag_matrix:
        case Op::tril:
        case Op::triu:
            return a.shape().is_scalar() ? a : apply_linear(op, a, linear_matrix_function);
        case Op::norm1:
        case Op::norm2:
            return norm_of(op, a);
        case Op::logsumexp:
            return a.shape().is_scalar() ? a : raw(op, {a}, Shape::scalar());
        case Op::differential:
            return differential(a);
        default:
            return entrywise(op, a);
    }
}

Expr differential(const Expr& y) {
    if (y->op == Op::transpose) {
        return transpose(differential(y->children.front()));
    }
    if (y->op == Op::product && y->children.size() == 1) {  // a number times Y
        return scale(y->number, differential(y->children.front()));
    }
    return raw(Op::differential, {y}, y.shape());
}

Expr with_children(const Expr& a, std::span<const Expr> children) {
    switch (a->op) {
        case Op::number:
        case Op::symbol:
        case Op::eye:
        case Op::ones:
            return a;
        case Op::add:
            return add(children);
        case Op::product:
            return scale(a->number, multiply(children));
        case Op::hadamard:
            return hadamard(children);
        case Op::power:
            return power(children.front(), a->number);
        case Op::dot:
            return dot(children[0], children[1]);
        default:
            return apply(a->op, children.front());
    }
}

}  // namespace matgrad
