#include <fmt/format.h>

#include <limits>
#include <unordered_map>

#include "reference/reference.hpp"
#include "reference/rules.hpp"

namespace matgrad {

namespace {

using detail::Children;
using detail::DimensionSizes;
using detail::Evaluated;
using Eigen::MatrixXd;

// Every node object once, children before parents. Nodes are told apart by address: were equality
// of expressions wrong somewhere, this oracle would not inherit the mistake.
std::vector<const Node*> nodes_below(const Expr& root) {
    struct Visit {
        const Node* node;
        std::size_t next_child;
    };
    std::vector<const Node*> order;
    std::unordered_map<const Node*, bool> seen{{&node_of(root), true}};
    std::vector<Visit> stack{{&node_of(root), 0}};
    while (!stack.empty()) {
        Visit& visit = stack.back();
        if (visit.next_child == visit.node->children.size()) {
            order.push_back(visit.node);
            stack.pop_back();
            continue;
        }
        const Node* child = &node_of(visit.node->children[visit.next_child++]);
        if (seen.emplace(child, true).second) {
            stack.push_back({child, 0});
        }
    }
    return order;
}

DimensionSizes bind_dimensions(const std::vector<const Node*>& nodes, const MatrixMap& values,
                               const std::map<std::string, std::int64_t>& dims) {
    DimensionSizes dimensions(dims);
    for (const Node* node : nodes) {
        if (node->op != Op::symbol) {
            continue;
        }
        const auto found = values.find(node->name);
        if (found == values.end()) {
            throw OperandError(fmt::format("{}: no value is given, expected a {} matrix",
                                           node->name, node->shape.text()));
        }
        dimensions.bind(node->name, node->shape, found->second.rows(), found->second.cols());
    }
    return dimensions;
}

Evaluated evaluate_symbol(const Node& node, const MatrixMap& values, const MatrixMap& directions) {
    Evaluated result;
    result.value = values.find(node.name)->second;
    const auto direction = directions.find(node.name);
    if (direction == directions.end()) {
        return result;
    }
    result.differential = direction->second;
    result.moves = true;
    if (result.value.rows() != result.differential.rows() ||
        result.value.cols() != result.differential.cols()) {
        throw ShapeError(fmt::format("{} is {}-by-{}, but its direction is {}-by-{}", node.name,
                                     result.value.rows(), result.value.cols(),
                                     result.differential.rows(), result.differential.cols()));
    }
    return result;
}

Evaluated evaluate_atom(const Evaluated& child) {
    if (child.holds_atom) {
        throw UnsupportedError(
            "d(Y): the differential of an expression that holds a d(...) itself");
    }
    Evaluated result;
    result.holds_atom = true;
    result.value =
        child.moves ? child.differential : MatrixXd::Zero(child.value.rows(), child.value.cols());
    return result;
}

Evaluated evaluate_inner(const Node& node, const Children& children,
                         const DimensionSizes& dimensions) {
    Evaluated result;
    for (const Evaluated* child : children) {
        result.moves = result.moves || child->moves;
        result.holds_atom = result.holds_atom || child->holds_atom;
    }
    result.value = detail::value_of_node(node, children, dimensions);
    if (result.holds_atom) {
        result.moves = false;
    }
    if (result.moves) {
        result.differential = detail::differential_of_node(node, children, result.value);
    }
    return result;
}

// What the expression says of its own shape must be what came out.
void check_shape(const Node& node, const MatrixXd& value, const DimensionSizes& dimensions) {
    const std::int64_t rows = dimensions.find(node.shape.rows).value_or(value.rows());
    const std::int64_t cols = dimensions.find(node.shape.cols).value_or(value.cols());
    if (rows != value.rows() || cols != value.cols()) {
        throw ShapeError(fmt::format("a sub-expression of shape {} ({}-by-{}) came out {}-by-{}",
                                     node.shape.text(), rows, cols, value.rows(), value.cols()));
    }
}

Evaluated evaluate(const Expr& expr, const MatrixMap& values, const MatrixMap* directions,
                   const std::map<std::string, std::int64_t>& dims) {
    const MatrixMap at_rest;
    const std::vector<const Node*> nodes = nodes_below(expr);
    const DimensionSizes dimensions = bind_dimensions(nodes, values, dims);
    std::unordered_map<const Node*, Evaluated> known;
    known.reserve(nodes.size());  // Children hold addresses of elements, which an insertion keeps
    for (const Node* node : nodes) {
        Children children;
        for (const Expr& child : node->children) {
            children.push_back(&known.at(&node_of(child)));
        }
        Evaluated result;
        if (node->op == Op::symbol) {
            result = evaluate_symbol(*node, values, directions ? *directions : at_rest);
        } else if (node->op == Op::differential) {
            if (!directions) {
                throw UnsupportedError("d(Y) has no value without a direction in which Y moves");
            }
            result = evaluate_atom(*children[0]);
        } else {
            result = evaluate_inner(*node, children, dimensions);
        }
        check_shape(*node, result.value, dimensions);
        known.emplace(node, std::move(result));
    }
    return std::move(known.at(&node_of(expr)));
}

}  // namespace

MatrixXd evaluate_reference(const Expr& expr, const MatrixMap& values,
                            const std::map<std::string, std::int64_t>& dims) {
    return evaluate(expr, values, nullptr, dims).value;
}

Dual evaluate_differential(const Expr& expr, const MatrixMap& values, const MatrixMap& directions,
                           const std::map<std::string, std::int64_t>& dims) {
    Evaluated result = evaluate(expr, values, &directions, dims);
    Dual dual;
    if (result.moves) {
        dual.differential = std::move(result.differential);
    } else {
        const double filler = result.holds_atom ? std::numeric_limits<double>::quiet_NaN() : 0.0;
        dual.differential = MatrixXd::Constant(result.value.rows(), result.value.cols(), filler);
    }
    dual.value = std::move(result.value);
    return dual;
}

}  // namespace matgrad
