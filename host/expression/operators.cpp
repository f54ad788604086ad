// The operators and functions of matgrad/build.hpp that explain what does not fit and keep the limits
// of the language.

#include <fmt/format.h>

#include <cmath>

#include "expression/ast.hpp"
#include "expression/build.hpp"
#include "expression/elaborate.hpp"
#include "expression/guarded.hpp"
#include "expression/make_node.hpp"
#include "expression/spread.hpp"
#include "expression/symbol_list.hpp"

namespace matgrad {
namespace {

/// An operand in a message.
std::string text_of(const Expr& e) {
    constexpr double kMostWritten = 1000;
    if (e->written_size > kMostWritten) {
        return fmt::format("an expression of {:.3g} operations", e->written_size);
    }
    const std::string text = to_text(e);
    return detail::quote(text, 0, text.size());
}

/// `A is m-by-n, B is p-by-q`
std::string both(const Expr& a, const Expr& b) {
    return fmt::format("{} is {}, {} is {}", text_of(a), a.shape().text(), text_of(b),
                       b.shape().text());
}

Expr within_limits(Expr e, std::string_view call) {
    if (e->depth > detail::kMaxDepth) {
        throw UnsupportedError(fmt::format("{}: the expression is more than {} operations deep",
                                           call, detail::kMaxDepth));
    }
    const std::size_t factors = detail::count_matrix_factors(e);
    if (factors > detail::kMaxProductFactors) {
        throw UnsupportedError(fmt::format("{}: the product has {} matrix factors, the limit is {}",
                                           call, factors, detail::kMaxProductFactors));
    }
    detail::require_no_differentials(e->symbols);
    return e;
}

void require_both_given(const Expr& a, const Expr& b, std::string_view call) {
    require_given(a, call);
    require_given(b, call);
}

bool any_scalar(const Expr& a, const Expr& b) {
    return a.shape().is_scalar() || b.shape().is_scalar();
}

/// Both, spread over the one that is a matrix if the other is a column, a row or a scalar.
std::vector<Expr> alike(const Expr& a, const Expr& b, std::string_view call) {
    require_both_given(a, b, call);
    const Expr operands[] = {a, b};
    if (!detail::common_shape(operands)) {
        throw ShapeError(fmt::format("{}: {}; both must have one shape", call, both(a, b)));
    }
    return detail::spread_alike(operands);
}

void require_square(const Expr& a, std::string_view call) {
    if (!a.shape().is_square()) {
        throw ShapeError(fmt::format("{}: {} is {}, expected a square matrix", call, text_of(a),
                                     a.shape().text()));
    }
}

void require_fit(const detail::Function& f, const Expr& a) {
    switch (f.kind) {
        case detail::FunctionKind::inverse:
        case detail::FunctionKind::factor:
        case detail::FunctionKind::scalar_of_square:
            require_square(a, f.name);
            return;
        case detail::FunctionKind::diagonal:
            if (!a.shape().is_column() && !a.shape().is_square()) {
                throw ShapeError(
                    fmt::format("{}: {} is {}; diag needs a column vector or a square matrix",
                                f.name, text_of(a), a.shape().text()));
            }
            return;
        case detail::FunctionKind::same_vector:
            if (!a.shape().is_column() && !a.shape().rows.is_one()) {
                throw ShapeError(fmt::format(
                    "{}: {} is {}, expected a column or a row; of each row or column of a matrix "
                    "it is row{} or col{}",
                    f.name, text_of(a), a.shape().text(), f.name, f.name));
            }
            return;
        case detail::FunctionKind::constant:
        case detail::FunctionKind::scalar_of_any:
        case detail::FunctionKind::scalar_of_pair:
        case detail::FunctionKind::same_shape:
        case detail::FunctionKind::left_divide:
        case detail::FunctionKind::row_sums:
        case detail::FunctionKind::col_sums:
        case detail::FunctionKind::entrywise:
            return;
    }
}

Expr function(Op op, const Expr& a) try {
    const detail::Function& f = *detail::function_of(op);
    require_given(a, f.name);
    require_fit(f, a);
    return within_limits(call_as_written(op, {&a, 1}), f.name);
} catch (...) {
    detail::throw_as_matgrad();
}

/// A word that stands for others, of arguments that meet entry by entry if there are several.
Expr word(std::string_view name, std::initializer_list<Expr> arguments) try {
    const detail::Function& f = *detail::find_function(name);
    for (const Expr& a : arguments) {
        require_given(a, name);
    }
    require_fit(f, *arguments.begin());
    if (arguments.size() > 1 && !detail::common_shape(arguments)) {
        std::string text;
        for (const Expr& a : arguments) {
            text +=
                fmt::format("{}{} is {}", text.empty() ? "" : ", ", text_of(a), a.shape().text());
        }
        throw ShapeError(fmt::format("{}: {}; all must have one shape", name, text));
    }
    return within_limits(f.made_of(arguments), name);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr function(Op op, const Expr& a, const Expr& b) try {
    const detail::Function& f = *detail::function_of(op);
    require_both_given(a, b, f.name);
    if (f.kind == detail::FunctionKind::entrywise) {
        return within_limits(call_as_written(op, alike(a, b, f.name)), f.name);
    }
    if (a.shape() != b.shape()) {
        throw ShapeError(fmt::format("{}: {}; both must have one shape", f.name, both(a, b)));
    }
    const Expr arguments[] = {a, b};
    return within_limits(call_as_written(op, arguments), f.name);
} catch (...) {
    detail::throw_as_matgrad();
}

/// The unit columns E of which E'*a are the rows of the range.
Expr columns_of(const Expr& a, const Dim& n, const Range& range, std::string_view side) {
    const std::string whole = fmt::format("{} is {}", text_of(a), a.shape().text());
    const auto require_inside = [&](std::int64_t index) {
        if (index < 1 || (n.name.empty() && index > n.size)) {
            throw ShapeError(fmt::format("{}: found {} {}; {}s count from 1 to {}", whole, side,
                                         index, side, n.text()));
        }
    };
    require_inside(range.first);
    if (!range.last.name.empty()) {
        if (range.first != 1) {
            throw ShapeError(fmt::format("{}: found {}s {}:{}; a range to a named size begins at 1",
                                         whole, side, range.first, range.last.name));
        }
        return unit_columns(n, 1, range.last);
    }
    require_inside(range.last.size);
    if (range.last.size < range.first) {
        throw ShapeError(fmt::format("{}: found {}s {}:{}; a range ends where it begins, or later",
                                     whole, side, range.first, range.last.size));
    }
    return unit_columns(n, range.first, Dim::literal(range.last.size - range.first + 1));
}

}  // namespace

Expr part(const Expr& a, const Range& rows, const Range& cols) try {
    require_given(a, "part");
    const Shape& s = a.shape();
    Expr result = a;
    if (!rows.is_all) {
        result = multiply(transpose(columns_of(a, s.rows, rows, "row")), result);
    }
    if (!cols.is_all) {
        result = multiply(result, columns_of(a, s.cols, cols, "column"));
    }
    return within_limits(result, "part");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr part(const Expr& v, const Range& range) try {
    require_given(v, "part");
    const Shape& s = v.shape();
    if (!s.rows.is_one() && !s.cols.is_one()) {
        throw ShapeError(fmt::format("{} is {}: found one index; a matrix has two, as in X(2,:)",
                                     text_of(v), s.text()));
    }
    return s.cols.is_one() ? part(v, range, {}) : part(v, {}, range);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr call_as_written(Op op, std::span<const Expr> arguments) {
    const Expr& a = arguments.front();
    if (op == Op::diag_matrix || op == Op::diag_vector) {
        return apply(a.shape().is_column() ? Op::diag_matrix : Op::diag_vector, a);
    }
    if (op == Op::cholesky && !a->symmetric && !a.shape().is_scalar()) {  // half of it is not read
        throw UnsupportedError(fmt::format(
            "chol: {} is {}, expected a matrix that is known to be symmetric: declared, as in "
            "S=n,n:spd, or built so, as X'*X",
            text_of(a), a.shape().text()));
    }
    return is_entrywise(op) ? call(op, detail::spread_alike(arguments)) : call(op, arguments);
}

Expr operator+(const Expr& a, const Expr& b) try {
    return within_limits(add(alike(a, b, "+")), "+");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr operator-(const Expr& a, const Expr& b) try {
    const std::vector<Expr> terms = alike(a, b, "-");
    return within_limits(subtract(terms[0], terms[1]), "-");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr operator-(const Expr& a) try {
    require_given(a, "-");
    return within_limits(negate(a), "-");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr operator*(const Expr& a, const Expr& b) try {
    require_both_given(a, b, "*");
    if (!any_scalar(a, b) && a.shape().cols != b.shape().rows) {
        throw ShapeError(fmt::format("*: {}; columns of {} ({}) must equal rows of {} ({})",
                                     both(a, b), text_of(a), a.shape().cols.text(), text_of(b),
                                     b.shape().rows.text()));
    }
    return within_limits(multiply(a, b), "*");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr operator/(const Expr& a, const Expr& b) try {
    require_both_given(a, b, "/");
    if (!any_scalar(a, b)) {
        throw ShapeError(
            fmt::format("/: {}; only a scalar divides or is divided by /; use a*inv(b) for the "
                        "inverse or entry_divide(a, b) for each entry",
                        both(a, b)));
    }
    return within_limits(b.shape().is_scalar() ? multiply(a, power(b, -1)) : divide(a, b), "/");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr entry_times(const Expr& a, const Expr& b) try {
    return within_limits(hadamard(alike(a, b, "entry_times")), "entry_times");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr entry_divide(const Expr& a, const Expr& b) try {
    const std::vector<Expr> factors = alike(a, b, "entry_divide");
    return within_limits(divide(factors[0], factors[1]), "entry_divide");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr entry_power(const Expr& a, double exponent) try {
    require_given(a, "entry_power");
    return within_limits(power(a, exponent), "entry_power");
} catch (...) {
    detail::throw_as_matgrad();
}

Expr pow(const Expr& a, double exponent) try {
    require_given(a, "pow");
    if (a.shape().is_scalar()) {
        return within_limits(power(a, exponent), "pow");
    }
    require_square(a, "pow");
    if (std::trunc(exponent) != exponent || std::fabs(exponent) > detail::kMaxMatrixExponent) {
        throw UnsupportedError(fmt::format(
            "pow: {} is {}, the exponent of a matrix is a whole number from -{} to {}, found {}; "
            "each entry alone is raised by entry_power",
            text_of(a), a.shape().text(), detail::kMaxMatrixExponent, detail::kMaxMatrixExponent,
            exponent));
    }
    return within_limits(matrix_power(a, static_cast<int>(exponent)), "pow");
} catch (...) {
    detail::throw_as_matgrad();
}

// Of the functions that are no entrywise ones, by the names of their operations.
#define MATGRAD_FUNCTION(name, op)  \
    Expr name(const Expr& a) {      \
        return function(Op::op, a); \
    }
MATGRAD_FUNCTION(inv, inverse)
MATGRAD_FUNCTION(det, det)
MATGRAD_FUNCTION(logdet, logdet)
MATGRAD_FUNCTION(tr, trace)
MATGRAD_FUNCTION(diag, diag_matrix)
MATGRAD_FUNCTION(sum, sum)
MATGRAD_FUNCTION(rowsum, row_sum)
MATGRAD_FUNCTION(colsum, col_sum)
MATGRAD_FUNCTION(norm2, norm2)
MATGRAD_FUNCTION(norm1, norm1)
MATGRAD_FUNCTION(logsumexp, logsumexp)
MATGRAD_FUNCTION(rownorm2, row_norm2)
MATGRAD_FUNCTION(colnorm2, col_norm2)
MATGRAD_FUNCTION(rowlogsumexp, row_logsumexp)
MATGRAD_FUNCTION(collogsumexp, col_logsumexp)
MATGRAD_FUNCTION(tril, tril)
MATGRAD_FUNCTION(triu, triu)
MATGRAD_FUNCTION(rowmax, row_max)
MATGRAD_FUNCTION(colmax, col_max)
MATGRAD_FUNCTION(isrowmax, is_row_max)
MATGRAD_FUNCTION(iscolmax, is_col_max)
MATGRAD_FUNCTION(chol, cholesky)
#undef MATGRAD_FUNCTION

// Words that stand for what others say.
#define MATGRAD_WORD(name)       \
    Expr name(const Expr& a) {   \
        return word(#name, {a}); \
    }
MATGRAD_WORD(rows)
MATGRAD_WORD(cols)
MATGRAD_WORD(mean)
MATGRAD_WORD(var)
MATGRAD_WORD(rowmean)
MATGRAD_WORD(colmean)
MATGRAD_WORD(softmax)
MATGRAD_WORD(rowsoftmax)
MATGRAD_WORD(colsoftmax)
MATGRAD_WORD(cumsum)
MATGRAD_WORD(rowcumsum)
MATGRAD_WORD(colcumsum)
#undef MATGRAD_WORD
Expr where(const Expr& c, const Expr& a, const Expr& b) {
    return word("where", {c, a, b});
}
Expr clip(const Expr& a, const Expr& lo, const Expr& hi) {
    return word("clip", {a, lo, hi});
}
Expr solve(const Expr& a, const Expr& b) {
    return inv(a) * b;
}

}  // namespace matgrad

// The qualified names: a row of the table that build.hpp does not declare is an error of the compiler.
#define MATGRAD_ARGUMENTS_1 const matgrad::Expr& a
#define MATGRAD_ARGUMENTS_2 const matgrad::Expr &a, const matgrad::Expr &b
#define MATGRAD_PASSED_1 a
#define MATGRAD_PASSED_2 a, b
#define MATGRAD_ROW(name, arity, ...)                               \
    matgrad::Expr matgrad::name(MATGRAD_ARGUMENTS_##arity) {        \
        return function(matgrad::Op::name, MATGRAD_PASSED_##arity); \
    }
MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
#undef MATGRAD_PASSED_2
#undef MATGRAD_PASSED_1
#undef MATGRAD_ARGUMENTS_2
#undef MATGRAD_ARGUMENTS_1
