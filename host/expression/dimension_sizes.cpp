#include "expression/dimension_sizes.hpp"

#include <fmt/format.h>

namespace matgrad::detail {

DimensionSizes::DimensionSizes(const std::map<std::string, std::int64_t>& given) {
    for (const auto& [name, size] : given) {
        if (size < 0) {
            throw ShapeError(
                fmt::format("dimension {} is given as {}: expected 0 or more", name, size));
        }
        bindings_[name] = {size, "", ""};
    }
}

void DimensionSizes::bind(const std::string& symbol, const Shape& shape, std::int64_t rows,
                          std::int64_t cols) {
    const std::string origin = fmt::format("operand {} is {}-by-{}", symbol, rows, cols);
    bind_one({rows, origin, "rows of " + symbol}, shape, shape.rows);
    bind_one({cols, origin, "columns of " + symbol}, shape, shape.cols);
}

void DimensionSizes::bind_one(const Binding& found, const Shape& shape, const Dim& dim) {
    const auto& [size, origin, side] = found;
    if (dim.name.empty()) {
        if (dim.size != size) {
            throw ShapeError(fmt::format("{}: expected {}", origin, shape.text()));
        }
        return;
    }
    const auto [at, is_new] = bindings_.try_emplace(dim.name, found);
    const Binding& first = at->second;
    if (is_new || first.size == size) {
        return;
    }
    if (first.origin.empty()) {
        throw ShapeError(fmt::format("{} ({}): {} ({}) must equal {}, which is given as {}", origin,
                                     shape.text(), side, size, dim.name, first.size));
    }
    if (first.origin == origin) {
        throw ShapeError(fmt::format("{}: expected a square matrix ({})", origin, shape.text()));
    }
    throw ShapeError(fmt::format("{}, {}: {} ({}) must equal {} ({})", first.origin, origin,
                                 first.side, first.size, side, size));
}

std::optional<std::int64_t> DimensionSizes::find(const Dim& dim) const {
    if (dim.name.empty()) {
        return dim.size;
    }
    const auto found = bindings_.find(dim.name);
    if (found == bindings_.end()) {
        return std::nullopt;
    }
    return found->second.size;
}

void DimensionSizes::require_inside(const Node& unit_columns) const {
    const Dim& dim = unit_columns.shape.rows;
    const Dim& count = unit_columns.shape.cols;
    const std::int64_t size = *find(dim);
    const auto first = static_cast<std::int64_t>(unit_columns.number);
    const std::int64_t last = first + *find(count) - 1;
    if (last <= size) {
        return;
    }
    const auto origin_of = [this](const Dim& d) {
        const auto found = bindings_.find(d.name);
        return found == bindings_.end() || found->second.origin.empty()
                   ? ""
                   : found->second.origin + ": ";
    };
    const std::string range = count.is_one()       ? std::to_string(first)
                              : count.name.empty() ? fmt::format("{}:{}", first, last)
                                                   : fmt::format("{}:{} with {} = {}", first,
                                                                 count.name, count.name, last);
    throw ShapeError(fmt::format("{}found index {}, expected at most {}{}; indices count from 1",
                                 origin_of(dim), range, dim.name.empty() ? "" : dim.name + " = ",
                                 size));
}

std::int64_t DimensionSizes::size(const Dim& dim, const std::string& where) const {
    const std::optional<std::int64_t> size = find(dim);
    if (!size) {
        throw ShapeError(
            fmt::format("{}: the size of {} is not known; no symbol has it and no "
                        "dimension of that name is given",
                        where, dim.name));
    }
    return *size;
}

}  // namespace matgrad::detail
