#include "expression/words.hpp"

#include "expression/build.hpp"
#include "expression/spread.hpp"

namespace matgrad::detail {
namespace {

/// exp(A - L): L is the logsumexp over what the exponentials add up to 1.
Expr exp_without(const Expr& a, const Expr& log) {
    return apply(Op::exp, subtract(a, spread(log, a.shape())));
}

Expr over(const Expr& a, const Dim& n) {
    return multiply(a, power(dim(n), -1));
}

}  // namespace

Expr solution_of(Arguments arguments) {
    return multiply(inverse(arguments[0]), arguments[1]);
}

Expr rows_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return dim(a.shape().rows);
}

Expr cols_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return dim(a.shape().cols);
}

Expr mean_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return over(over(apply(Op::sum, a), a.shape().rows), a.shape().cols);
}

Expr variance_of(Arguments arguments) {
    const Expr& a = arguments.front();
    const Expr squares = power(apply(Op::norm2, subtract(a, mean_of(arguments))), 2);
    return over(over(squares, a.shape().rows), a.shape().cols);
}

Expr row_mean_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return over(apply(Op::row_sum, a), a.shape().cols);
}

Expr col_mean_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return over(apply(Op::col_sum, a), a.shape().rows);
}

Expr softmax_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return exp_without(a, apply(Op::logsumexp, a));
}

Expr row_softmax_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return exp_without(a, apply(Op::row_logsumexp, a));
}

Expr col_softmax_of(Arguments arguments) {
    const Expr& a = arguments.front();
    return exp_without(a, apply(Op::col_logsumexp, a));
}

Expr row_cumulative_sum_of(Arguments arguments) {
    const Dim& n = arguments.front().shape().cols;
    return multiply(arguments.front(), apply(Op::triu, ones(n, n)));
}

Expr col_cumulative_sum_of(Arguments arguments) {
    const Dim& n = arguments.front().shape().rows;
    return multiply(apply(Op::tril, ones(n, n)), arguments.front());
}

Expr cumulative_sum_of(Arguments arguments) {
    return arguments.front().shape().is_column() ? col_cumulative_sum_of(arguments)
                                                 : row_cumulative_sum_of(arguments);
}

Expr where_of(Arguments arguments) {
    const std::vector<Expr> alike = spread_alike(arguments);
    const Expr kept[] = {alike[1], alike[0]};
    const Expr others[] = {alike[2], alike[0]};
    return add(call(Op::mask, kept), call(Op::unmask, others));
}

Expr clip_of(Arguments arguments) {
    const std::vector<Expr> alike = spread_alike(arguments);
    const Expr above[] = {alike[0], alike[1]};
    const Expr between[] = {call(Op::max, above), alike[2]};
    return call(Op::min, between);
}

}  // namespace matgrad::detail
