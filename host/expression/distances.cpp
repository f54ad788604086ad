#include "expression/distances.hpp"

#include <vector>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/pairs.hpp"
#include "expression/spread.hpp"

namespace matgrad::detail {
namespace {

/// X of the column rowsum(X.^2), X' of the row colsum(X'.^2); else an empty Expr.
Expr squared_in(const Expr& line, Op op) {
    if (line->op != op) {
        return {};
    }
    const bool turned = line->children.front()->op == Op::transpose;
    const Expr& squares =
        turned ? line->children.front()->children.front() : line->children.front();
    if (squares->op != Op::power || squares->number != 2) {
        return {};
    }
    const Expr& base = squares->children.front();
    return turned ? transpose(base) : base;
}

/// Does column + row - 2*product hold the squared distances of points?
bool are_of_points(const Expr& column, const Expr& row, const Expr& product) {
    if (column->op == Op::diag_vector && column->children.front() == product) {
        return product->symmetric && row == transpose(column);
    }
    const Expr x = squared_in(column, Op::row_sum);
    const Expr y = squared_in(row, Op::col_sum);
    return x && y && x.shape().cols == y.shape().rows && multiply(x, y) == product;
}

/// Squared distances c + r - 2*P of points, and c + r, the size of what cancels in them.
struct Distances {
    Expr squared;
    Expr terms;
};

/// Those that `sum` is, if it is such.
Distances distances_in(const Expr& sum) {
    constexpr std::size_t kTerms = 3;
    if (sum->op != Op::add || sum->children.size() != kTerms) {
        return {};
    }
    Scaled column;
    Scaled row;
    Scaled product;
    std::vector<Expr> lines;
    for (const Expr& term : sum->children) {
        const Expr line = unspread(term);
        Scaled& part = !line ? product : line.shape().cols.is_one() ? column : row;
        if (part.base) {
            return {};
        }
        part = split_number(line ? line : term);
        if (line) {
            lines.push_back(term);
        }
    }
    const bool are_distances = column.base && row.base && product.base && column.number > 0 &&
                               column.number == row.number &&
                               product.number == -2 * column.number &&
                               are_of_points(column.base, row.base, product.base);
    return are_distances ? Distances{sum, add(lines)} : Distances{};
}

}  // namespace

Expr root_of_distances(const Expr& root, const Expr& a) {
    constexpr double kRoundings = 4e-15;  // 18 of double: what is smaller is nothing but roundings
    const Factors f = factors_of(a);
    const Distances found = f.matrices.size() == 1 ? distances_in(f.matrices.front()) : Distances{};
    return found.squared
               ? pair(Op::mask, root, pair(Op::less, scale(kRoundings, found.terms), found.squared))
               : root;
}

}  // namespace matgrad::detail
