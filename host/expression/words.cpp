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

Expr rows_of(const Expr& a) {
    return dim(a.shape().rows);
}

Expr cols_of(const Expr& a) {
    return dim(a.shape().cols);
}

Expr mean_of(const Expr& a) {
    return over(over(apply(Op::sum, a), a.shape().rows), a.shape().cols);
}

Expr variance_of(const Expr& a) {
    const Expr squares = power(apply(Op::norm2, subtract(a, mean_of(a))), 2);
    return over(over(squares, a.shape().rows), a.shape().cols);
}

Expr row_mean_of(const Expr& a) {
    return over(apply(Op::row_sum, a), a.shape().cols);
}

Expr col_mean_of(const Expr& a) {
    return over(apply(Op::col_sum, a), a.shape().rows);
}

Expr softmax_of(const Expr& a) {
    return exp_without(a, apply(Op::logsumexp, a));
}

Expr row_softmax_of(const Expr& a) {
    return exp_without(a, apply(Op::row_logsumexp, a));
}

Expr col_softmax_of(const Expr& a) {
    return exp_without(a, apply(Op::col_logsumexp, a));
}

}  // namespace matgrad::detail
