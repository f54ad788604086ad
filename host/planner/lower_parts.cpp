// Parts of matrices: products with unit columns, which no executor multiplies by, and the largest entries of rows.

#include "expression/build.hpp"
#include "planner/lowering.hpp"

namespace matgrad::detail {

/// A link of unit columns at one end, with the rest. One row or column is a view: of a single factor it alone is
/// computed.
Use Lowering::window(const Links& links, const ChainOrder& order, int i, int j, bool left) {
    const Link& first = links[static_cast<std::size_t>(i)];
    const Link& last = links[static_cast<std::size_t>(j)];
    const Link& unit = left ? first : last;
    const bool takes = unit.transposed == left;
    const std::int64_t offset = static_cast<std::int64_t>(unit.expr->number) - 1;
    const bool is_line = takes && unit.expr.shape().cols.is_one();
    const int from = left ? i + 1 : i;
    const int to = left ? j : j - 1;
    const Selection line = left ? Selection{offset, -1} : Selection{-1, offset};
    const Link& rest = links[static_cast<std::size_t>(from)];
    if (is_line && from == to && rest.weight.kind == LinkKind::dense && !is_present(rest.ready) &&
        rest.selection.is_whole()) {
        return lower(rest.expr, line);
    }
    const Use part = lower_chain_part(links, order, from, to);
    if (is_line) {
        return sliced(part, line.row, line.col);
    }
    const std::int64_t moved = takes ? offset : -offset;
    return emit(Window{part, left ? moved : 0, left ? 0 : moved}, first.rows, last.cols,
                text_of(links, i, j),
                takes ? "a part is copied, no product" : "put among zeros, no product");
}

/// The unit columns themselves.
Use Lowering::unit_columns(const Link& link) {
    const Expr& e = link.expr;
    const Use columns =
        emit(Window{lower(eye(e.shape().cols)), 1 - static_cast<std::int64_t>(e->number), 0},
             sizes_.extent(e.shape().rows), sizes_.extent(e.shape().cols), text_of(e), "");
    return link.transposed ? transposed(columns) : columns;
}

Use Lowering::lower_row_max(const Expr& y) {
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    const Use v = lower(y);
    return reduce(
        ReduceOp::max, ReduceOver::rows, r, c, [&](BodyWriter& b) { return load(b, v, r, c); },
        "rowmax(" + text_of(y) + ")", "");
}

/// The number of the first largest column comes from a reduction too: of the greatest -column, where an entry that
/// is less than the largest one counts as far to the right. No entry of a row with NaN is less.
Use Lowering::lower_is_row_max(const Expr& y) {
    constexpr double kFar = 0x1p60;
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    const Use v = lower(y);
    const Use largest = lower(apply(Op::row_max, y));
    const Use place = reduce(
        ReduceOp::max, ReduceOver::rows, r, c,
        [&](BodyWriter& b) {
            const int below = b.binary(MapOp::sub, load(b, largest, r, c), load(b, v, r, c));
            const int is_less = b.unary(MapOp::step, below);
            // Infinite ones are equal, and their difference is no number.
            const int is_number =
                b.offset(1, b.scale(-1, b.binary(MapOp::mask, b.constant(1),
                                                 b.binary(MapOp::sub, is_less, is_less))));
            const int far =
                b.binary(MapOp::mask, b.binary(MapOp::mask, b.constant(kFar), is_less), is_number);
            return b.binary(MapOp::sub, b.scale(-1, b.mask(MapOp::col_index)), far);
        },
        "-(first largest column of " + text_of(y) + ")", "ties go to the first");
    return map(
        r, c,
        [&](BodyWriter& b) {
            const int off = b.binary(MapOp::add, b.mask(MapOp::col_index), load(b, place, r, c));
            return b.offset(1, b.scale(-1, b.binary(MapOp::mask, b.constant(1), off)));
        },
        text_of(apply(Op::is_row_max, y)), "");
}

}  // namespace matgrad::detail
