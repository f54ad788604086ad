#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "expression/build.hpp"
#include "expression/distances.hpp"
#include "expression/functions.hpp"
#include "expression/guarded.hpp"
#include "expression/lines.hpp"
#include "expression/make_node.hpp"
#include "expression/pairs.hpp"
#include "expression/spread.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad {
namespace {

using detail::make_node;

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
    if (a->op == Op::eye) {
        return dim(a.shape().rows);
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
    return make_node(op, {a}, Shape::scalar());
}

Expr sum_of(Op op, const Expr& a) {
    if (a->op == Op::transpose || a->op == Op::diag_matrix || a->op == Op::row_sum ||
        a->op == Op::col_sum) {
        return apply(op, a->children.front());
    }
    if (a->op == Op::diag_vector) {
        return apply(Op::trace, a->children.front());
    }
    if (a->op == Op::ones) {
        return multiply(dim(a.shape().rows), dim(a.shape().cols));
    }
    return make_node(op, {a}, Shape::scalar());
}

Expr cholesky_of(Op op, const Expr& a) {
    require_square(a, "chol");
    if (a.shape().is_scalar()) {
        return apply(Op::sqrt, a);
    }
    return a->op == Op::eye ? a : make_node(op, {a}, a.shape());
}

Expr diag_vector_of(Op op, const Expr& a) {
    const Dim& n = a.shape().rows;
    if (a->op == Op::diag_matrix) {
        return a->children.front();
    }
    if (a->op == Op::eye) {
        return ones(n, Dim::literal(1));
    }
    if (a->op == Op::transpose) {
        return make_node(op, a->children, {n, Dim::literal(1)});
    }
    return make_node(op, {a}, {n, Dim::literal(1)});
}

Expr diag_matrix_of(Op op, const Expr& a) {
    const Dim& n = a.shape().rows;
    return a->op == Op::ones ? eye(n) : make_node(op, {a}, {n, n});
}

/// tril and triu
Expr triangle_of(Op op, const Expr& a) {
    const Structure kept = op == Op::tril ? Structure::lower : Structure::upper;
    const bool already =
        a->op == op || a->op == Op::eye || a->op == Op::diag_matrix ||
        (a->op == Op::cholesky && op == Op::tril) ||
        (a->op == Op::symbol && (a->structure == kept || a->structure == Structure::diagonal));
    return already ? a : make_node(op, {a}, a.shape());
}

Expr norm_of(Op op, const Expr& a) {
    if (a.shape().is_scalar()) {
        return apply(Op::abs, a);
    }
    const detail::Scaled scaled = detail::split_number(a);
    const Expr base =
        scaled.base->op == Op::transpose ? scaled.base->children.front() : scaled.base;
    return scale(std::fabs(scaled.number), make_node(op, {base}, Shape::scalar()));
}

Expr determinant(const Expr& a) {
    require_square(a, "det");
    if (a.shape().is_scalar()) {
        return a;
    }
    if (a->op == Op::eye) {
        return number(1);
    }
    if (a->op == Op::transpose) {
        return determinant(a->children.front());
    }
    if (a->op == Op::inverse) {
        return power(determinant(a->children.front()), -1);
    }
    return make_node(Op::det, {a}, Shape::scalar());
}

/// logdet and log_det, which are the same where the determinant is known not to be negative
Expr log_determinant(Op op, const Expr& a) {
    require_square(a, "logdet");
    if (a.shape().is_scalar()) {
        return apply(Op::log, a->semidefinite || op == Op::log_det ? a : apply(Op::abs, a));
    }
    if (a->op == Op::eye) {
        return number(0);
    }
    if (a->op == Op::transpose) {
        return log_determinant(op, a->children.front());
    }
    if (a->op == Op::inverse) {
        return negate(log_determinant(op, a->children.front()));
    }
    return make_node(a->semidefinite ? Op::logdet : op, {a}, Shape::scalar());
}

/// The shape of the arguments that are not 1-by-1, or 1-by-1.
Shape common_shape(Op op, std::span<const Expr> arguments) {
    Shape shape = Shape::scalar();
    for (const Expr& a : arguments) {
        if (a.shape().is_scalar()) {
            continue;
        }
        if (!shape.is_scalar() && shape != a.shape()) {
            throw ShapeError(
                fmt::format("{} of {} and {}", function_name(op), shape.text(), a.shape().text()));
        }
        shape = a.shape();
    }
    return shape;
}

/// The value at arguments that are numbers, if it is finite; else nothing.
Expr folded(Op op, std::span<const Expr> arguments) {
    for (const Expr& a : arguments) {
        if (a->op != Op::number) {
            return {};
        }
    }
    const double value =
        detail::function_of(op)->value(arguments.front()->number, arguments.back()->number);
    return std::isfinite(value) ? number(value) : Expr();
}

Expr entrywise(Op op, std::span<const Expr> arguments) {
    if (const Expr value = folded(op, arguments)) {
        return value;
    }
    if (arguments.size() == 1) {
        if (const Expr line = detail::unspread(arguments.front())) {
            return detail::spread(entrywise(op, {&line, 1}), arguments.front().shape());
        }
    }
    if ((op == Op::abs || op == Op::relu) && arguments.front().shape().is_scalar() &&
        arguments.front()->semidefinite) {
        return arguments.front();
    }
    if (const Expr safe = detail::logarithm(op, arguments.front())) {
        return safe;
    }
    const Shape shape = common_shape(op, arguments);
    std::vector<Expr> children(arguments.begin(), arguments.end());
    for (Expr& c : children) {
        if (c.shape() != shape) {
            c = multiply(c, ones(shape.rows, shape.cols));
        }
    }
    if (children.size() == 2) {
        return detail::pair(op, children[0], children[1]);
    }
    const Expr made = make_node(op, std::move(children), shape);
    return op == Op::sqrt ? detail::root_of_distances(made, arguments.front()) : made;
}

}  // namespace

Expr inverse(const Expr& a) {
    require_square(a, "inv");
    if (a.shape().is_scalar()) {
        return power(a, -1);
    }
    if (a->op == Op::eye) {
        return a;
    }
    if (a->op == Op::inverse) {
        return a->children.front();
    }
    if (a->op == Op::transpose) {
        return transpose(inverse(a->children.front()));
    }
    if (a->op == Op::diag_matrix) {
        return apply(Op::diag_matrix, power(a->children.front(), -1));
    }
    if (a->op != Op::product) {
        return make_node(Op::inverse, {a}, a.shape());
    }
    detail::Factors parts = detail::factors_of(a);
    if (parts.number == 0) {
        return make_node(Op::inverse, {a}, a.shape());
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
        factors.push_back(make_node(Op::inverse, {bare}, a.shape()));
    }
    return multiply(factors);
}

Expr dot(const Expr& a, const Expr& b) try {
    require_given(a, "dot");
    require_given(b, "dot");
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
        factors.push_back(make_node(Op::dot, {x, y}, Shape::scalar()));
    }
    return multiply(factors);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr apply(Op op, const Expr& a) {
    const auto linear = [&](Expr (*f)(Op, const Expr&)) {
        return a.shape().is_scalar() ? a : apply_linear(op, a, f);
    };
    switch (op) {
        case Op::inverse:
            return inverse(a);
        case Op::transpose:
            return transpose(a);
        case Op::det:
            return determinant(a);
        case Op::logdet:
        case Op::log_det:
            return log_determinant(op, a);
        case Op::trace:
            require_square(a, "tr");
            return linear(trace_of);
        case Op::sum:
            return linear(sum_of);
        case Op::diag_vector:
            require_square(a, "diag");
            return linear(diag_vector_of);
        case Op::diag_matrix:
            return linear(diag_matrix_of);
        case Op::row_sum:
        case Op::col_sum:
            return linear(detail::of_lines);
        case Op::tril:
        case Op::triu:
            return linear(triangle_of);
        case Op::norm1:
        case Op::norm2:
            return norm_of(op, a);
        case Op::row_norm2:
        case Op::col_norm2:
        case Op::row_logsumexp:
        case Op::col_logsumexp:
            return detail::of_lines(op, a);
        case Op::row_max:
        case Op::col_max:
        case Op::is_row_max:
        case Op::is_col_max:
            return detail::largest_of_lines(op, a);
        case Op::cholesky:
            return cholesky_of(op, a);
        case Op::logsumexp:
            return a.shape().is_scalar()
                       ? a
                       : make_node(op, {a->op == Op::transpose ? a->children.front() : a},
                                   Shape::scalar());
        case Op::differential:
            return differential(a);
        case Op::adjugate:
            require_square(a, "adj");
            return a.shape().is_scalar() ? number(1) : make_node(op, {a}, a.shape());
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            return entrywise(op, {&a, 1});
        case Op::number:
        case Op::symbol:
        case Op::eye:
        case Op::ones:
        case Op::dim:
        case Op::unit_columns:
        case Op::add:
        case Op::product:
        case Op::hadamard:
        case Op::power:
        case Op::dot:
            break;
    }
    throw std::logic_error("apply: the operation is no function of one argument");
}

Expr call(Op op, std::span<const Expr> arguments) {
    if (op == Op::dot) {
        return dot(arguments[0], arguments[1]);
    }
    return is_entrywise(op) ? entrywise(op, arguments) : apply(op, arguments.front());
}

}  // namespace matgrad
