#include <cmath>

#include "expression/build.hpp"
#include "expression/guarded.hpp"
#include "expression/make_node.hpp"
#include "expression/names.hpp"

namespace matgrad {

Expr number(double value) try {
    if (!std::isfinite(value)) {
        throw UnsupportedError("a constant is not finite: " + std::to_string(value));
    }
    Node node;
    node.op = Op::number;
    node.shape = Shape::scalar();
    node.number = value;
    return detail::make_node(std::move(node));
} catch (...) {
    detail::throw_as_matgrad();
}

Expr symbol(const Declaration& declaration) try {
    detail::check_declaration(declaration);
    return hidden_symbol(declaration);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr hidden_symbol(const Declaration& declaration) {
    Node node;
    node.op = Op::symbol;
    node.shape = declaration.shape;
    node.name = declaration.name;
    node.structure = declaration.structure;
    return detail::make_node(std::move(node));
}

Expr eye(const Dim& n) try {
    detail::check_dim(n, "eye");
    if (n.is_one()) {
        return number(1);
    }
    Node node;
    node.op = Op::eye;
    node.shape = {n, n};
    return detail::make_node(std::move(node));
} catch (...) {
    detail::throw_as_matgrad();
}

Expr ones(const Dim& m, const Dim& n) try {
    detail::check_dim(m, "ones");
    detail::check_dim(n, "ones");
    if (m.is_one() && n.is_one()) {
        return number(1);
    }
    Node node;
    node.op = Op::ones;
    node.shape = {m, n};
    return detail::make_node(std::move(node));
} catch (...) {
    detail::throw_as_matgrad();
}

Expr dim(const Dim& n) try {
    detail::check_dim(n, "dim");
    if (n.name.empty()) {
        return number(static_cast<double>(n.size));
    }
    Node node;
    node.op = Op::dim;
    node.shape = Shape::scalar();
    node.name = n.name;
    return detail::make_node(std::move(node));
} catch (...) {
    detail::throw_as_matgrad();
}

Expr unit_columns(const Dim& n, std::int64_t first, const Dim& count) {
    if (first == 1 && n == count) {
        return eye(n);
    }
    Node node;
    node.op = Op::unit_columns;
    node.shape = {n, count};
    node.number = static_cast<double>(first);
    return detail::make_node(std::move(node));
}

bool is_number(const Expr& a, double value) {
    return a->op == Op::number && a->number == value;
}

}  // namespace matgrad
