#include "planner/sizes.hpp"

#include <fmt/format.h>

#include "expression/build.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

std::string shape_of(const Operand& o) {
    return fmt::format("operand {} is {}-by-{}", o.name, o.rows, o.cols);
}

}  // namespace

Extent Sizes::extent(const Dim& dim) const {
    const std::optional<std::int64_t> size = sizes_.find(dim);
    if (!size) {
        throw ShapeError(
            fmt::format("dimension {} has no size: no operand has a side of that name", dim.name));
    }
    return {dim.name.empty() ? dim.text() : dim.name, *size};
}

Expr with_numbers_for_dimensions(const Expr& form, const Sizes& sizes) {
    return rebuilt(form, [&](const Expr& node, std::span<const Expr> children) {
        return node->op == Op::dim ? number(static_cast<double>(sizes.size(Dim::named(node->name))))
                                   : with_images(node, children);
    });
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
            throw ShapeError(fmt::format("{}: expected sizes of at least 0", shape_of(o)));
        }
        checked_bytes(o.name, o.rows, o.cols);
    }
    detail::DimensionSizes sizes;
    const auto bind = [&](const Declaration& d, const Operand& o) {
        sizes.bind(d.name, d.shape, o.rows, o.cols);
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
    for (const Expr& e : topological_order(forms)) {
        const bool sized =
            e->op == Op::unit_columns && sizes.find(e.shape().rows) && sizes.find(e.shape().cols);
        if (sized) {
            sizes.require_inside(node_of(e));
        }
    }
    return Sizes(std::move(sizes));
}

}  // namespace matgrad
