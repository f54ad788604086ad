#include <cmath>

#include "expression/build.hpp"
#include "expression/lines.hpp"
#include "expression/make_node.hpp"

namespace matgrad::detail {

Expr of_lines(Op op, const Expr& a) {
    const Shape& s = a.shape();
    const bool by_rows = op == Op::row_sum || op == Op::row_logsumexp || op == Op::row_norm2;
    const bool is_sum = op == Op::row_sum || op == Op::col_sum;
    const bool is_norm = op == Op::row_norm2 || op == Op::col_norm2;
    const Dim& length = by_rows ? s.cols : s.rows;
    if (length.is_one()) {
        return is_norm ? apply(Op::abs, a) : a;
    }
    if ((by_rows ? s.rows : s.cols).is_one()) {
        return apply(is_sum ? Op::sum : is_norm ? Op::norm2 : Op::logsumexp, a);
    }
    const Dim one = Dim::literal(1);
    const Shape shape = by_rows ? Shape{s.rows, one} : Shape{one, s.cols};
    if (is_sum && a->op == Op::ones) {
        return multiply(dim(length), ones(shape.rows, shape.cols));
    }
    if (is_norm) {
        const Scaled scaled = split_number(a);
        return scale(std::fabs(scaled.number), make_node(op, {scaled.base}, shape));
    }
    return make_node(op, {a}, shape);
}

Expr largest_of_lines(Op op, const Expr& a) {
    const Shape& s = a.shape();
    const bool by_rows = op == Op::row_max || op == Op::is_row_max;
    const bool marks = op == Op::is_row_max || op == Op::is_col_max;
    if ((by_rows ? s.cols : s.rows).is_one()) {
        return marks ? ones(s.rows, s.cols) : a;
    }
    if (marks) {
        return make_node(op, {a}, s);
    }
    return make_node(op, {a},
                     by_rows ? Shape{s.rows, Dim::literal(1)} : Shape{Dim::literal(1), s.cols});
}

}  // namespace matgrad::detail
