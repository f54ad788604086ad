#include "reference/dimension_sizes.hpp"

#include <fmt/format.h>

namespace matgrad::detail {

DimensionSizes::DimensionSizes(const std::map<std::string, std::int64_t>& given) {
    for (const auto& [name, size] : given) {
        if (size < 0) {
            throw ShapeError(
                fmt::format("dimension {} is given as {}: expected 0 or more", name, size));
        }
        bindings_[name] = {size, "the dimensions given"};
    }
}

void DimensionSizes::bind(const std::string& symbol, const Shape& shape, std::int64_t rows,
                          std::int64_t cols) {
    const std::string who =
        fmt::format("{}, which is {}-by-{} (declared {})", symbol, rows, cols, shape.text());
    bind_one(who, "rows", shape.rows, rows);
    bind_one(who, "columns", shape.cols, cols);
}

void DimensionSizes::bind_one(const std::string& who, const char* side, const Dim& dim,
                              std::int64_t size) {
    if (dim.name.empty()) {
        if (dim.size != size) {
            throw ShapeError(fmt::format("{} {} in {}: expected {}", size, side, who, dim.size));
        }
        return;
    }
    const auto [found, is_new] = bindings_.try_emplace(dim.name, Binding{size, who});
    if (!is_new && found->second.size != size) {
        throw ShapeError(fmt::format("dimension {} is {} in {}, but {} in {}", dim.name,
                                     found->second.size, found->second.origin, size, who));
    }
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
