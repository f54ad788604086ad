#pragma once
/// \file Expressions built in C++: what a text can say, as operators and functions.
///
/// `-logdet(P) + tr(S*P) + 0.1*pow(norm2(P), 2)` is an expression if P and S are, and equals the one
/// that `parse` reads from the same text (`pow` stands for ^, which in C++ binds too loosely).
/// Expressions combine however they came about; numbers mix in.
///
/// Shapes   as in the language (docs/language.md). Here nothing is inferred: a symbol has the shape
///          it was made with, and dimensions of one name are one dimension.
/// Errors   ShapeError with both shapes; ShapeError or NameError naming both symbols where two of
///          one name differ in shape or structure; CallerError for an empty Expr;
///          UnsupportedError past the limits of the language, or for a number that is not finite.
/// Cost     linear in the direct parts of the result.

#include "matgrad/expression.hpp"

namespace matgrad {

/// `symbol("X=m,n")`, `symbol("S=n,n:spd")`. To use the symbols of another expression, take them
/// from `symbols`.
[[nodiscard]] MATGRAD_API Expr symbol(const Declaration& declaration);
[[nodiscard]] MATGRAD_API Expr number(double value);
/// Identity: `eye("n")`, `eye(3)`.
[[nodiscard]] MATGRAD_API Expr eye(const Dim& n);
/// All ones: `ones("m", 1)`.
[[nodiscard]] MATGRAD_API Expr ones(const Dim& m, const Dim& n);
/// How much a dimension is, as a number: `dim("n")`.
[[nodiscard]] MATGRAD_API Expr dim(const Dim& n);

// A scalar is added to every entry, a column to every column of a matrix, a row to every row.
[[nodiscard]] MATGRAD_API Expr operator+(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr operator-(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr operator-(const Expr& a);
/// The matrix product, or the product with a scalar.
[[nodiscard]] MATGRAD_API Expr operator*(const Expr& a, const Expr& b);
/// Quotient where one side is a scalar.
[[nodiscard]] MATGRAD_API Expr operator/(const Expr& a, const Expr& b);

[[nodiscard]] inline Expr operator+(const Expr& a, double b) {
    return a + number(b);
}
[[nodiscard]] inline Expr operator+(double a, const Expr& b) {
    return number(a) + b;
}
[[nodiscard]] inline Expr operator-(const Expr& a, double b) {
    return a - number(b);
}
[[nodiscard]] inline Expr operator-(double a, const Expr& b) {
    return number(a) - b;
}
[[nodiscard]] inline Expr operator*(const Expr& a, double b) {
    return a * number(b);
}
[[nodiscard]] inline Expr operator*(double a, const Expr& b) {
    return number(a) * b;
}
[[nodiscard]] inline Expr operator/(const Expr& a, double b) {
    return a / number(b);
}
[[nodiscard]] inline Expr operator/(double a, const Expr& b) {
    return number(a) / b;
}

inline Expr& operator+=(Expr& a, const Expr& b) {
    return a = a + b;
}
inline Expr& operator-=(Expr& a, const Expr& b) {
    return a = a - b;
}

/// `A.*B`, `A./B`, `A.^k`: of each entry; scalars, columns and rows are spread as by +.
[[nodiscard]] MATGRAD_API Expr entry_times(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr entry_divide(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr entry_power(const Expr& a, double exponent);
/// `A^k`: of a square matrix, to a whole number from -64 to 64, or of a scalar.
[[nodiscard]] MATGRAD_API Expr pow(const Expr& a, double exponent);
/// Rows or columns that `part` takes: `Range(3)`, `Range(2, 5)`, `Range(1, "k")`, `Range()`. Counted from 1 as in
/// mathematics, the last one included.
struct MATGRAD_API Range {
    std::int64_t first = 1;
    Dim last;
    bool is_all = true;  ///< of a default Range: `:`

    Range() = default;
    template <std::integral Index>
    Range(Index only)  // on purpose not explicit
        : first(static_cast<std::int64_t>(only)), last(only), is_all(false) {}
    Range(std::int64_t the_first, Dim the_last)
        : first(the_first), last(std::move(the_last)), is_all(false) {}
};
/// `X(2,:)`, `X(1:3,1:k)`: part(X, 2, {}), part(X, {1, 3}, {1, "k"}).
/// Error: ShapeError naming `a` for what it has not, or if a range to a named size does not begin at 1; where sizes are
/// names, when they are known.
[[nodiscard]] MATGRAD_API Expr part(const Expr& a, const Range& rows, const Range& cols);
/// `v(3)`, `v(1:k)` of a column or a row. Error: also ShapeError if `v` is neither.
[[nodiscard]] MATGRAD_API Expr part(const Expr& v, const Range& range);
/// `A'`
[[nodiscard]] MATGRAD_API Expr transpose(const Expr& a);

// The functions of the language, by their names there.
[[nodiscard]] MATGRAD_API Expr inv(const Expr& a);
/// inv(A)*B.
[[nodiscard]] MATGRAD_API Expr solve(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr det(const Expr& a);
[[nodiscard]] MATGRAD_API Expr logdet(const Expr& a);
[[nodiscard]] MATGRAD_API Expr tr(const Expr& a);
[[nodiscard]] MATGRAD_API Expr diag(const Expr& a);
[[nodiscard]] MATGRAD_API Expr dot(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr sum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowsum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colsum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr norm2(const Expr& a);
[[nodiscard]] MATGRAD_API Expr norm1(const Expr& a);
[[nodiscard]] MATGRAD_API Expr logsumexp(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rownorm2(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colnorm2(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowlogsumexp(const Expr& a);
[[nodiscard]] MATGRAD_API Expr collogsumexp(const Expr& a);
/// How many rows and columns there are, as numbers.
[[nodiscard]] MATGRAD_API Expr rows(const Expr& a);
[[nodiscard]] MATGRAD_API Expr cols(const Expr& a);
[[nodiscard]] MATGRAD_API Expr mean(const Expr& a);
/// The mean of the squared deviations from the mean.
[[nodiscard]] MATGRAD_API Expr var(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowmean(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colmean(const Expr& a);
/// Of a column or a row; of each row or column of a matrix.
[[nodiscard]] MATGRAD_API Expr softmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowsoftmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colsoftmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr cumsum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowcumsum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colcumsum(const Expr& a);
[[nodiscard]] MATGRAD_API Expr tril(const Expr& a);
[[nodiscard]] MATGRAD_API Expr triu(const Expr& a);
[[nodiscard]] MATGRAD_API Expr rowmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr colmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr isrowmax(const Expr& a);
[[nodiscard]] MATGRAD_API Expr iscolmax(const Expr& a);
/// The lower Cholesky factor. Error: also UnsupportedError if nothing says that `a` is symmetric.
[[nodiscard]] MATGRAD_API Expr chol(const Expr& a);

// Of each entry. The definitions are made from the table of these functions, so one that is missing
// here does not compile there.
[[nodiscard]] MATGRAD_API Expr exp(const Expr& a);
[[nodiscard]] MATGRAD_API Expr log(const Expr& a);
[[nodiscard]] MATGRAD_API Expr sqrt(const Expr& a);
[[nodiscard]] MATGRAD_API Expr abs(const Expr& a);
[[nodiscard]] MATGRAD_API Expr sign(const Expr& a);
[[nodiscard]] MATGRAD_API Expr step(const Expr& a);
[[nodiscard]] MATGRAD_API Expr sin(const Expr& a);
[[nodiscard]] MATGRAD_API Expr cos(const Expr& a);
[[nodiscard]] MATGRAD_API Expr tanh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr sigmoid(const Expr& a);
[[nodiscard]] MATGRAD_API Expr softplus(const Expr& a);
[[nodiscard]] MATGRAD_API Expr relu(const Expr& a);
[[nodiscard]] MATGRAD_API Expr tan(const Expr& a);
[[nodiscard]] MATGRAD_API Expr atan(const Expr& a);
[[nodiscard]] MATGRAD_API Expr log1p(const Expr& a);
[[nodiscard]] MATGRAD_API Expr expm1(const Expr& a);
[[nodiscard]] MATGRAD_API Expr cosh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr sinh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr erf(const Expr& a);
[[nodiscard]] MATGRAD_API Expr asinh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr acosh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr atanh(const Expr& a);
[[nodiscard]] MATGRAD_API Expr normcdf(const Expr& a);
[[nodiscard]] MATGRAD_API Expr lognormcdf(const Expr& a);
[[nodiscard]] MATGRAD_API Expr normhazard(const Expr& a);
[[nodiscard]] MATGRAD_API Expr normexcess(const Expr& a);
[[nodiscard]] MATGRAD_API Expr lgamma(const Expr& a);
[[nodiscard]] MATGRAD_API Expr digamma(const Expr& a);
[[nodiscard]] MATGRAD_API Expr trigamma(const Expr& a);
/// The k-th derivative of digamma. `k` is a constant, a whole number from 0 to 20; else UnsupportedError.
[[nodiscard]] MATGRAD_API Expr polygamma(const Expr& k, const Expr& a);
[[nodiscard]] MATGRAD_API Expr max(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr min(const Expr& a, const Expr& b);
/// a.*log(b), and 0 where a is 0.
[[nodiscard]] MATGRAD_API Expr xlogy(const Expr& a, const Expr& b);
/// `A.^P`, `t^p`
[[nodiscard]] MATGRAD_API Expr entry_power(const Expr& a, const Expr& exponent);
/// `A < B`, `A <= B`: 1 where that holds, else 0, also where one is a NaN.
[[nodiscard]] MATGRAD_API Expr less(const Expr& a, const Expr& b);
[[nodiscard]] MATGRAD_API Expr less_equal(const Expr& a, const Expr& b);
/// `where(C, A, 0)` and `where(C, 0, A)`
[[nodiscard]] MATGRAD_API Expr mask(const Expr& a, const Expr& c);
[[nodiscard]] MATGRAD_API Expr unmask(const Expr& a, const Expr& c);
/// a where c is not 0, else b. What is not taken has no part in the result, nor in a gradient.
[[nodiscard]] MATGRAD_API Expr where(const Expr& c, const Expr& a, const Expr& b);
/// min(max(a, lo), hi)
[[nodiscard]] MATGRAD_API Expr clip(const Expr& a, const Expr& lo, const Expr& hi);

[[nodiscard]] inline Expr polygamma(int k, const Expr& a) {
    return polygamma(number(k), a);
}
[[nodiscard]] inline Expr less(const Expr& a, double b) {
    return less(a, number(b));
}
[[nodiscard]] inline Expr less(double a, const Expr& b) {
    return less(number(a), b);
}
[[nodiscard]] inline Expr less_equal(const Expr& a, double b) {
    return less_equal(a, number(b));
}
[[nodiscard]] inline Expr less_equal(double a, const Expr& b) {
    return less_equal(number(a), b);
}
[[nodiscard]] inline Expr clip(const Expr& a, double lo, double hi) {
    return clip(a, number(lo), number(hi));
}
[[nodiscard]] inline Expr max(const Expr& a, double b) {
    return max(a, number(b));
}
[[nodiscard]] inline Expr max(double a, const Expr& b) {
    return max(number(a), b);
}
[[nodiscard]] inline Expr min(const Expr& a, double b) {
    return min(a, number(b));
}
[[nodiscard]] inline Expr min(double a, const Expr& b) {
    return min(number(a), b);
}

}  // namespace matgrad
