#include "expression/dimension_sizes.hpp"

#include <fmt/format.h>

namespace matgrad::detail {

DimensionSizes::DimensionSizes(const std::map<std::string, std::int64_t>& given) {
    for (const auto& [name, size] : given) {
        if (size < 0) {
            throw ShapeError(
                fmt::format("dimension {} is given as {}: expected 0 or more", name, size));
        }
        bindings_[name] = {size, ""};
    }
}

void DimensionSizes::bind(const std::string& symbol, const Shape& shape, std::int64_t rows,
                          std::int64_t cols) {
    const std::string origin = fmt::format("operand {} is {}-by-{}", symbol, rows, cols);
    bind_one(origin, shape, shape.rows, rows);
    bind_one(origin, shape, shape.cols, cols);
}

void DimensionSizes::bind_one(const std::string& origin, const Shape& shape, const Dim& dim,
                              std::int64_t size) {
    if (dim.name.empty()) {
        if (dim.size != size) {
            throw ShapeError(fmt::format("{}: expected {}", origin, shape.text()));
        }
        return;
    }
    const auto [found, is_new] = bindings_.try_emplace(dim.name, Binding{size, origin});
    const Binding& first = found->second;
    if (is_new || first.size == size) {
        return;
    }
    if (first.origin.empty()) {
        throw ShapeError(fmt::format("{} ({}): {} is {} here and given as {}", origin, shape.text(),
                                     dim.name, size, first.size));
    }
    if (first.origin == origin) {
        throw ShapeError(fmt::format("{}: expected a square matrix ({})", origin, shape.text()));
    }
    throw ShapeError(fmt::format("{} but {}: {} is {} here and {} there", origin, first.origin,
                                 dim.name, size, first.size));
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
