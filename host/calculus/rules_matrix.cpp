// Functions of a matrix as a whole: inverse, determinants, trace, norms, sums, diagonals.

#include "calculus/rules.hpp"
#include "expression/build.hpp"
#include "expression/spread.hpp"

namespace matgrad {
namespace {

const Expr& argument(const Expr& y) {
    return y->children.front();
}

/// A linear function commutes with d; its adjoint is given by what it does to Ybar.
Expr differential_of_linear(const Expr& y, const IsActive&) {
    return apply(y->op, differential(argument(y)));
}

template <Expr (*Adjoint)(const Expr& y, const Expr& ybar)>
std::vector<Contribution> to_argument(const Expr& y, const Expr& ybar, const IsActive&) {
    return {{argument(y), Adjoint(y, ybar)}};
}

// Scalar functions: d f = <F, dY>, and the adjoint of Y is fbar*F. One function gives F for both.
template <Expr (*Slope)(const Expr& y)>
Expr differential_by_slope(const Expr& y, const IsActive&) {
    return dot(Slope(y), differential(argument(y)));
}

template <Expr (*Slope)(const Expr& y)>
std::vector<Contribution> adjoint_by_slope(const Expr& y, const Expr& ybar, const IsActive&) {
    return {{argument(y), multiply(ybar, Slope(y))}};
}

// inv
Expr differential_of_inverse(const Expr& y, const IsActive&) {
    return negate(multiply(y, differential(argument(y)), y));
}
Expr adjoint_of_inverse(const Expr& y, const Expr& ybar) {
    return negate(multiply(transpose(y), ybar, transpose(y)));
}

// det, logdet: written with tr, as on paper
Expr differential_of_logdet(const Expr& y, const IsActive&) {
    return apply(Op::trace, multiply(inverse(argument(y)), differential(argument(y))));
}
Expr adjoint_of_logdet(const Expr& y, const Expr& ybar) {
    return multiply(ybar, transpose(inverse(argument(y))));
}
Expr differential_of_det(const Expr& y, const IsActive& active) {
    return multiply(y, differential_of_logdet(y, active));
}
Expr adjoint_of_det(const Expr& y, const Expr& ybar) {
    return multiply(ybar, y, transpose(inverse(argument(y))));
}

// tr, sum
Expr adjoint_of_trace(const Expr& y, const Expr& ybar) {
    return multiply(ybar, eye(argument(y).shape().rows));
}
Expr adjoint_of_sum(const Expr& y, const Expr& ybar) {
    const Shape& s = argument(y).shape();
    return multiply(ybar, ones(s.rows, s.cols));
}

// dot: the one function of two arguments
Expr differential_of_dot(const Expr& y, const IsActive& active) {
    const Expr& a = y->children[0];
    const Expr& b = y->children[1];
    std::vector<Expr> terms;
    if (active(a)) {
        terms.push_back(dot(differential(a), b));
    }
    if (active(b)) {
        terms.push_back(dot(a, differential(b)));
    }
    return add(terms);
}
std::vector<Contribution> adjoint_of_dot(const Expr& y, const Expr& ybar, const IsActive& active) {
    const Expr& a = y->children[0];
    const Expr& b = y->children[1];
    std::vector<Contribution> result;
    if (active(a)) {
        result.push_back({a, multiply(ybar, b)});
    }
    if (active(b)) {
        result.push_back({b, multiply(ybar, a)});
    }
    return result;
}

// logsumexp, norms
Expr slope_of_logsumexp(const Expr& y) {
    return apply(Op::exp, subtract(argument(y), y));
}
Expr slope_of_norm2(const Expr& y) {
    return divide(argument(y), y);
}
Expr slope_of_norm1(const Expr& y) {
    return apply(Op::sign, argument(y));
}

// Functions of each row or column: d f_i = <F_i, dY_i> for the row F_i of one matrix.
bool is_by_rows(const Expr& y) {
    return y->op == Op::row_logsumexp || y->op == Op::row_norm2 || y->op == Op::row_max;
}
template <Expr (*Slope)(const Expr& y)>
Expr differential_of_lines(const Expr& y, const IsActive&) {
    return apply(is_by_rows(y) ? Op::row_sum : Op::col_sum,
                 hadamard(Slope(y), differential(argument(y))));
}
template <Expr (*Slope)(const Expr& y)>
Expr adjoint_of_lines(const Expr& y, const Expr& ybar) {
    return hadamard(detail::spread(ybar, argument(y).shape()), Slope(y));
}

/// exp(Y - y) for the logs y of the sums of exp of each row or column: the softmax of each.
Expr softmax_of_lines(const Expr& y) {
    return apply(Op::exp, subtract(argument(y), detail::spread(y, argument(y).shape())));
}
/// Each row or column of Y by its norm. The norms are turned over before they are spread.
Expr direction_of_lines(const Expr& y) {
    return hadamard(argument(y), detail::spread(power(y, -1), argument(y).shape()));
}

/// 1 at the first largest entry of each row or column.
Expr marks_of_lines(const Expr& y) {
    return apply(y->op == Op::row_max ? Op::is_row_max : Op::is_col_max, argument(y));
}
Expr differential_of_marks(const Expr& y, const IsActive&) {
    return zeros(y.shape());
}
std::vector<Contribution> adjoint_of_marks(const Expr&, const Expr&, const IsActive&) {
    return {};
}

// chol
/// The lower triangle with half of the diagonal.
Expr half_lower(const Expr& a) {
    return subtract(apply(Op::tril, a),
                    scale(0.5, apply(Op::diag_matrix, apply(Op::diag_vector, a))));
}
Expr differential_of_cholesky(const Expr& y, const IsActive&) {
    return multiply(
        y, half_lower(multiply(inverse(y), differential(argument(y)), transpose(inverse(y)))));
}
Expr adjoint_of_cholesky(const Expr& y, const Expr& ybar) {
    return multiply(transpose(inverse(y)), half_lower(multiply(transpose(y), ybar)), inverse(y));
}

// rowsum, colsum, diag, tril, triu
Expr adjoint_of_line_sum(const Expr& y, const Expr& ybar) {
    return detail::spread(ybar, argument(y).shape());
}
Expr adjoint_of_diag_matrix(const Expr&, const Expr& ybar) {
    return apply(Op::diag_vector, ybar);
}
Expr adjoint_of_diag_vector(const Expr&, const Expr& ybar) {
    return apply(Op::diag_matrix, ybar);
}
Expr adjoint_of_triangle(const Expr& y, const Expr& ybar) {
    return apply(y->op, ybar);
}

constexpr std::string_view kBook = "Magnus & Neudecker ch. 8";

// What brings the differential out of a linear function.
constexpr Identity kSumMoves{"sum(P) = tr(ones'*P)", "sum as an inner product"};
constexpr Identity kRowSumMoves{"rowsum(P) = P*ones", "sum as a product"};
constexpr Identity kColSumMoves{"colsum(P) = ones'*P", "sum as a product"};
constexpr Identity kDiagMatrixMoves{"tr(P'*diag(q)) = diag(P)'*q", "diagonal in a trace"};
constexpr Identity kDiagVectorMoves{"p'*diag(Q) = tr(diag(p)*Q)", "diagonal in a trace"};
constexpr Identity kTrilMoves{"tr(P'*tril(Q)) = tr(tril(P)'*Q)", "triangle in a trace"};
constexpr Identity kTriuMoves{"tr(P'*triu(Q)) = tr(triu(P)'*Q)", "triangle in a trace"};

constexpr Rule kInverse{"d(inv(Y)) = -inv(Y)*dY*inv(Y)", "Matrix Cookbook 40", kCyclic,
                        differential_of_inverse, to_argument<adjoint_of_inverse>};
constexpr Rule kDet{"d(det(Y)) = det(Y)*tr(inv(Y)*dY)", "Matrix Cookbook 42", kCyclic,
                    differential_of_det, to_argument<adjoint_of_det>};
constexpr Rule kLogdet{"d(logdet(Y)) = tr(inv(Y)*dY)", "Matrix Cookbook 43", kCyclic,
                       differential_of_logdet, to_argument<adjoint_of_logdet>};
constexpr Rule kLogOfDet{"d(log(det(Y))) = tr(inv(Y)*dY)", "Matrix Cookbook 43", kCyclic,
                         differential_of_logdet, to_argument<adjoint_of_logdet>};
constexpr Rule kTrace{"d(tr(Y)) = tr(dY)", "Matrix Cookbook 36", kCyclic, differential_of_linear,
                      to_argument<adjoint_of_trace>};
constexpr Rule kSum{"d(sum(Y)) = sum(dY)", kBook, kSumMoves, differential_of_linear,
                    to_argument<adjoint_of_sum>};
constexpr Rule kDot{"d(dot(Y,Z)) = dot(dY,Z) + dot(Y,dZ)", kBook, kInnerProduct,
                    differential_of_dot, adjoint_of_dot};
constexpr Rule kLogsumexp{"d(logsumexp(y)) = dot(exp(y - logsumexp(y)),dy)", kBook, kInnerProduct,
                          differential_by_slope<slope_of_logsumexp>,
                          adjoint_by_slope<slope_of_logsumexp>};
constexpr Rule kNorm2{"d(norm2(Y)) = dot(Y,dY)/norm2(Y)", "Matrix Cookbook 129", kInnerProduct,
                      differential_by_slope<slope_of_norm2>, adjoint_by_slope<slope_of_norm2>};
constexpr Rule kNorm1{"d(norm1(Y)) = dot(sign(Y),dY)", kBook, kInnerProduct,
                      differential_by_slope<slope_of_norm1>, adjoint_by_slope<slope_of_norm1>};
constexpr Rule kRowSum{"d(rowsum(Y)) = rowsum(dY)", kBook, kRowSumMoves, differential_of_linear,
                       to_argument<adjoint_of_line_sum>};
constexpr Rule kColSum{"d(colsum(Y)) = colsum(dY)", kBook, kColSumMoves, differential_of_linear,
                       to_argument<adjoint_of_line_sum>};
constexpr Rule kRowLogsumexp{"d(rowlogsumexp(Y)) = rowsum(rowsoftmax(Y).*dY)", kBook, kRowSumMoves,
                             differential_of_lines<softmax_of_lines>,
                             to_argument<adjoint_of_lines<softmax_of_lines>>};
constexpr Rule kColLogsumexp{"d(collogsumexp(Y)) = colsum(colsoftmax(Y).*dY)", kBook, kColSumMoves,
                             differential_of_lines<softmax_of_lines>,
                             to_argument<adjoint_of_lines<softmax_of_lines>>};
constexpr Rule kRowNorm2{"d(rownorm2(Y)) = rowsum(Y.*dY)./rownorm2(Y)", "Matrix Cookbook 129",
                         kRowSumMoves, differential_of_lines<direction_of_lines>,
                         to_argument<adjoint_of_lines<direction_of_lines>>};
constexpr Rule kColNorm2{"d(colnorm2(Y)) = colsum(Y.*dY)./colnorm2(Y)", "Matrix Cookbook 129",
                         kColSumMoves, differential_of_lines<direction_of_lines>,
                         to_argument<adjoint_of_lines<direction_of_lines>>};
constexpr Rule kRowMax{"d(rowmax(Y)) = rowsum(isrowmax(Y).*dY)", kBook, kRowSumMoves,
                       differential_of_lines<marks_of_lines>,
                       to_argument<adjoint_of_lines<marks_of_lines>>};
constexpr Rule kColMax{"d(colmax(Y)) = colsum(iscolmax(Y).*dY)", kBook, kColSumMoves,
                       differential_of_lines<marks_of_lines>,
                       to_argument<adjoint_of_lines<marks_of_lines>>};
constexpr Rule kMarks{"d(isrowmax(Y)) = 0", "constant between ties", kEntrywise,
                      differential_of_marks, adjoint_of_marks};
constexpr Rule kCholesky{
    "d(chol(Y)) = chol(Y)*(tril(P) - diag(diag(P))/2), P = inv(chol(Y))*dY*inv(chol(Y))'",
    "Murray, arXiv 1602.07527", kTrilMoves, differential_of_cholesky,
    to_argument<adjoint_of_cholesky>};
constexpr Rule kDiagMatrix{"d(diag(y)) = diag(dy)", kBook, kDiagMatrixMoves, differential_of_linear,
                           to_argument<adjoint_of_diag_matrix>};
constexpr Rule kDiagVector{"d(diag(Y)) = diag(dY)", kBook, kDiagVectorMoves, differential_of_linear,
                           to_argument<adjoint_of_diag_vector>};
constexpr Rule kTril{"d(tril(Y)) = tril(dY)", kBook, kTrilMoves, differential_of_linear,
                     to_argument<adjoint_of_triangle>};
constexpr Rule kTriu{"d(triu(Y)) = triu(dY)", kBook, kTriuMoves, differential_of_linear,
                     to_argument<adjoint_of_triangle>};

}  // namespace

const Rule* detail::matrix_rule(Op op) {
    static constexpr OpRule kRules[] = {
        {Op::inverse, kInverse},
        {Op::det, kDet},
        {Op::logdet, kLogdet},
        {Op::log_det, kLogOfDet},
        {Op::trace, kTrace},
        {Op::sum, kSum},
        {Op::dot, kDot},
        {Op::logsumexp, kLogsumexp},
        {Op::norm2, kNorm2},
        {Op::norm1, kNorm1},
        {Op::row_sum, kRowSum},
        {Op::col_sum, kColSum},
        {Op::row_norm2, kRowNorm2},
        {Op::col_norm2, kColNorm2},
        {Op::row_logsumexp, kRowLogsumexp},
        {Op::col_logsumexp, kColLogsumexp},
        {Op::row_max, kRowMax},
        {Op::col_max, kColMax},
        {Op::is_row_max, kMarks},
        {Op::is_col_max, kMarks},
        {Op::cholesky, kCholesky},
        {Op::diag_matrix, kDiagMatrix},
        {Op::diag_vector, kDiagVector},
        {Op::tril, kTril},
        {Op::triu, kTriu},
    };
    return find_rule(kRules, op);
}

}  // namespace matgrad
