#include "expression/rebuild.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "expression/build.hpp"

namespace matgrad {

Expr rebuilt(const Expr& root, const Rebuild& rebuild) {
    std::unordered_map<Expr, Expr> images;
    for (const Expr& node : topological_order(std::span<const Expr>(&root, 1))) {
        std::vector<Expr> children;
        children.reserve(node->children.size());
        for (const Expr& child : node->children) {
            children.push_back(images.at(child));
        }
        images.emplace(node, rebuild(node, children));
    }
    return images.at(root);
}

Expr with_children(const Expr& a, std::span<const Expr> children) {
    if (children.empty()) {
        return a;
    }
    if (a->op == Op::add) {
        return add(children);
    }
    if (a->op == Op::product) {
        return scale(a->number, multiply(children));
    }
    if (a->op == Op::hadamard) {
        return hadamard(children);
    }
    if (a->op == Op::power) {
        return power(children.front(), a->number);
    }
    return call(a->op, children);
}

Expr with_images(const Expr& node, std::span<const Expr> children) {
    return std::equal(children.begin(), children.end(), node->children.begin())
               ? node
               : with_children(node, children);
}

Expr without_norm_of_even_power(const Expr& a) {
    const bool is_even_power = a->op == Op::power && std::fmod(a->number, 2) == 0;
    if (!is_even_power || a->children.front()->op != Op::norm2) {
        return a;
    }
    const Expr& y = a->children.front()->children.front();
    return power(dot(y, y), a->number / 2);
}

}  // namespace matgrad
