#include <algorithm>
#include <cmath>

#include "expression/functions.hpp"
#include "expression/make_node.hpp"

namespace matgrad::detail {
namespace {

/// The value of a function at the numbers that all its arguments are, spread over a shape or not. Of what
/// is not known it is 0.
double value_at_constants(const Expr& a) {
    double arguments[2] = {0, 0};
    for (std::size_t i = 0; i < a->children.size(); ++i) {
        const Expr& child = a->children[i];
        const Scaled scaled = split_number(child);
        if (child->op != Op::number && scaled.base->op != Op::ones) {
            return 0;
        }
        arguments[i] = scaled.number;
    }
    if (a->op == Op::power) {
        return std::pow(arguments[0], a->number);
    }
    // They have a value everywhere, which is not folded.
    const bool known = is_entrywise(a->op) && a->op != Op::sigmoid && a->op != Op::softplus;
    return known ? function_of(a->op)->value(arguments[0], arguments[a->children.size() - 1]) : 0;
}

}  // namespace

bool is_not_finite(const Expr& a) {
    if (a->symbols != nullptr && !a->symbols->empty()) {  // a factor may be one
        return (a->op == Op::product || a->op == Op::hadamard) &&
               std::any_of(a->children.begin(), a->children.end(), is_not_finite);
    }
    for (const Expr& node : topological_order({&a, 1})) {
        if ((node->op == Op::power || is_entrywise(node->op)) &&
            !std::isfinite(value_at_constants(node))) {
            return true;
        }
    }
    return false;
}

}  // namespace matgrad::detail
