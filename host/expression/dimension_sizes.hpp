#pragma once
/// \file The sizes of named dimensions, read off the matrices given for the symbols.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "expression/node.hpp"

namespace matgrad::detail {

/// Binds names of dimensions to sizes and remembers which operand gave each size first.
class DimensionSizes {
public:
    DimensionSizes() = default;
    /// Errors: ShapeError for a negative size.
    explicit DimensionSizes(const std::map<std::string, std::int64_t>& given);

    /// Binds the dimensions of a symbol of this shape whose operand is rows-by-cols.
    /// Errors: ShapeError naming this operand and the one that gave another size before.
    void bind(const std::string& symbol, const Shape& shape, std::int64_t rows, std::int64_t cols);

    /// The size, or nothing if nobody gave it.
    [[nodiscard]] std::optional<std::int64_t> find(const Dim& dim) const;
    /// The size. Errors: ShapeError naming `where` if nobody gave it.
    [[nodiscard]] std::int64_t size(const Dim& dim, const std::string& where) const;

    /// Error: ShapeError if unit columns, as of X(5,:), lie outside their identity; their sizes are known.
    void require_inside(const Node& unit_columns) const;

private:
    struct Binding {
        std::int64_t size = 0;
        std::string origin;  ///< "operand A is 3-by-4"; empty for a size that was given
        std::string side;    ///< "rows of A"
    };
    void bind_one(const Binding& found, const Shape& shape, const Dim& dim);

    std::map<std::string, Binding> bindings_;
};

}  // namespace matgrad::detail
