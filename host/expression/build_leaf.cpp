#include "expression/build.hpp"
#include "expression/make_node.hpp"

namespace matgrad {

Expr number(double value) {
    Node node;
    node.op = Op::number;
    node.shape = Shape::scalar();
    node.number = value;
    return detail::make_node(std::move(node));
}

Expr symbol(const Declaration& declaration) {
    Node node;
    node.op = Op::symbol;
    node.shape = declaration.shape;
    node.name = declaration.name;
    node.structure = declaration.structure;
    return detail::make_node(std::move(node));
}

Expr eye(const Dim& n) {
    if (n.is_one()) {
        return number(1);
    }
    Node node;
    node.op = Op::eye;
    node.shape = {n, n};
    return detail::make_node(std::move(node));
}

Expr ones(const Dim& m, const Dim& n) {
    if (m.is_one() && n.is_one()) {
        return number(1);
    }
    Node node;
    node.op = Op::ones;
    node.shape = {m, n};
    return detail::make_node(std::move(node));
}

bool is_number(const Expr& a, double value) {
    return a->op == Op::number && a->number == value;
}

}  // namespace matgrad
