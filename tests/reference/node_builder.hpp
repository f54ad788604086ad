#pragma once
/// \file Nodes made by hand, one operation each, without the builders and their simplifications:
/// what a test writes is what the reference evaluates.

#include <utility>
#include <vector>

#include "expression/node.hpp"
#include "reference/reference.hpp"

namespace matgrad::reference_test {

inline const Dim kOne = Dim::literal(1);
inline const Dim kM = Dim::named("m");
inline const Dim kN = Dim::named("n");
inline const Dim kP = Dim::named("p");

inline Expr leaf(const std::string& name, const Dim& rows, const Dim& cols) {
    Node node;
    node.op = Op::symbol;
    node.shape = {rows, cols};
    node.name = name;
    return NodeAccess::expr(std::make_shared<const Node>(std::move(node)));
}

inline Expr make(Op op, const Shape& shape, std::vector<Expr> children, double number = 0,
                 int num_scalars = 0) {
    Node node;
    node.op = op;
    node.shape = shape;
    node.children = std::move(children);
    node.number = number;
    node.num_scalars = num_scalars;
    return NodeAccess::expr(std::make_shared<const Node>(std::move(node)));
}

inline Expr number_node(double value) {
    return make(Op::number, Shape::scalar(), {}, value);
}

/// number * scalars * matrices
inline Expr product(double number, std::vector<Expr> scalars, const std::vector<Expr>& matrices) {
    const int num_scalars = static_cast<int>(scalars.size());
    const Shape shape = matrices.empty()
                            ? Shape::scalar()
                            : Shape{matrices.front()->shape.rows, matrices.back()->shape.cols};
    scalars.insert(scalars.end(), matrices.begin(), matrices.end());
    return make(Op::product, shape, std::move(scalars), number, num_scalars);
}

/// A function from any matrix to a scalar, or entrywise.
inline Expr to_scalar(Op op, const Expr& a) {
    return make(op, Shape::scalar(), {a});
}
inline Expr entrywise(Op op, const Expr& a, double number = 0) {
    return make(op, a->shape, {a}, number);
}
inline Expr transposed(const Expr& a) {
    return make(Op::transpose, {a->shape.cols, a->shape.rows}, {a});
}

}  // namespace matgrad::reference_test
