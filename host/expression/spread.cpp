#include "expression/spread.hpp"

#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad::detail {
namespace {

/// The longer of two where one is 1; nothing where they differ.
std::optional<Dim> common_dim(const Dim& a, const Dim& b) {
    if (a.is_one() || a == b) {
        return b;
    }
    return b.is_one() ? std::optional(a) : std::nullopt;
}

}  // namespace

Expr spread(const Expr& e, const Shape& shape) {
    const Shape& s = e.shape();
    if (s == shape) {
        return e;
    }
    if (s.is_scalar()) {
        return multiply(e, ones(shape.rows, shape.cols));
    }
    const Dim one = Dim::literal(1);
    return s.cols.is_one() ? multiply(e, ones(one, shape.cols))
                           : multiply(ones(shape.rows, one), e);
}

Expr unspread(const Expr& e) {
    const Shape& s = e.shape();
    if (e->op != Op::product || s.rows.is_one() || s.cols.is_one()) {
        return {};
    }
    Factors f = factors_of(e);
    if (f.matrices.size() < 2) {
        return {};
    }
    const Dim one = Dim::literal(1);
    if (f.matrices.back()->op == Op::ones && f.matrices.back().shape().rows.is_one()) {
        f.matrices.pop_back();
        return make_product(std::move(f), {s.rows, one});
    }
    if (f.matrices.front()->op == Op::ones && f.matrices.front().shape().cols.is_one()) {
        f.matrices.erase(f.matrices.begin());
        return make_product(std::move(f), {one, s.cols});
    }
    return {};
}

std::optional<Shape> common_shape(std::span<const Expr> operands) {
    Shape common = Shape::scalar();
    for (const Expr& e : operands) {
        const std::optional<Dim> rows = common_dim(common.rows, e.shape().rows);
        const std::optional<Dim> cols = common_dim(common.cols, e.shape().cols);
        if (!rows || !cols) {
            return std::nullopt;
        }
        common = {*rows, *cols};
    }
    for (const Expr& e : operands) {
        if (e.shape() == common) {
            return common;
        }
    }
    return std::nullopt;
}

std::vector<Expr> spread_alike(std::span<const Expr> operands) {
    std::vector<Expr> alike(operands.begin(), operands.end());
    const std::optional<Shape> common = common_shape(operands);
    for (Expr& e : alike) {
        if (common && !e.shape().is_scalar()) {
            e = spread(e, *common);
        }
    }
    return alike;
}

}  // namespace matgrad::detail
