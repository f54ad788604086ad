#include "planner/sizes.hpp"

#include <fmt/format.h>

namespace matgrad {
namespace {

/// Where a dimension got its size from.
struct Witness {
    const Operand* operand = nullptr;
    std::int64_t size = 0;
};

std::string shape_of(const Operand& o) {
    return fmt::format("{} is {}-by-{}", o.name, o.rows, o.cols);
}

void bind_dimension(const Dim& dim, std::int64_t size, const Operand& operand,
                    const Declaration& declaration, std::map<std::string, Witness>& seen) {
    if (dim.name.empty()) {
        if (dim.size != size) {
            throw ShapeError(fmt::format("{}, but it is declared {}", shape_of(operand),
                                         declaration.shape.text()));
        }
        return;
    }
    const auto [at, is_new] = seen.try_emplace(dim.name, Witness{&operand, size});
    if (is_new || at->second.size == size) {
        return;
    }
    const Operand& other = *at->second.operand;
    if (&other == &operand) {
        throw ShapeError(fmt::format("{}, but it is declared {}: dimension {} is {} and {}",
                                     shape_of(operand), declaration.shape.text(), dim.name,
                                     at->second.size, size));
    }
    throw ShapeError(fmt::format("{}, {}: dimension {} is {} in {} and {} in {}", shape_of(other),
                                 shape_of(operand), dim.name, at->second.size, other.name, size,
                                 operand.name));
}

}  // namespace

Extent Sizes::extent(const Dim& dim) const {
    if (dim.name.empty()) {
        return {dim.text(), dim.size};
    }
    const auto found = sizes_.find(dim.name);
    if (found == sizes_.end()) {
        throw ShapeError(
            fmt::format("dimension {} has no size: no operand has a side of that name", dim.name));
    }
    return {dim.name, found->second};
}

std::int64_t checked_bytes(const std::string& what, std::int64_t rows, std::int64_t cols) {
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(rows, cols, &bytes) ||
        __builtin_mul_overflow(bytes, std::int64_t{8}, &bytes) || bytes < 0) {
        throw ShapeError(
            fmt::format("{} is {}-by-{}: its bytes do not fit 64 bits", what, rows, cols));
    }
    return bytes;
}

Sizes bind_sizes(std::span<const Expr> forms, std::span<const Operand> operands,
                 std::span<const Declaration> further) {
    std::map<std::string, const Operand*> by_name;
    for (const Operand& o : operands) {
        if (!by_name.try_emplace(o.name, &o).second) {
            throw OperandError(fmt::format("operand {} is given twice", o.name));
        }
        if (o.rows < 0 || o.cols < 0) {
            throw ShapeError(fmt::format("{}: a size cannot be negative", shape_of(o)));
        }
        checked_bytes(o.name, o.rows, o.cols);
    }
    std::map<std::string, Witness> seen;
    const auto bind = [&](const Declaration& d, const Operand& o) {
        bind_dimension(d.shape.rows, o.rows, o, d, seen);
        bind_dimension(d.shape.cols, o.cols, o, d, seen);
    };
    for (const Declaration& d : further) {
        if (const auto found = by_name.find(d.name); found != by_name.end()) {
            bind(d, *found->second);
        }
    }
    for (const Expr& e : topological_order(forms)) {
        if (e->op != Op::symbol) {
            continue;
        }
        const auto found = by_name.find(e->name);
        if (found == by_name.end()) {
            throw OperandError(
                fmt::format("no operand for {}, which is {}", e->name, e.shape().text()));
        }
        bind({e->name, e.shape(), e->structure}, *found->second);
    }
    Sizes sizes;
    for (const auto& [name, witness] : seen) {
        sizes.bind(name, witness.size);
    }
    return sizes;
}

}  // namespace matgrad
