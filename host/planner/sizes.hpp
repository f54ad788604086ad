#pragma once
/// \file Gives the named dimensions of the forms the sizes of the operands.

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "expression/dimension_sizes.hpp"
#include "program/program.hpp"

namespace matgrad {

/// Sizes by dimension name.
class Sizes {
public:
    explicit Sizes(detail::DimensionSizes sizes) : sizes_(std::move(sizes)) {}
    /// The dimension with its size. Errors: ShapeError for a name that no operand has.
    [[nodiscard]] Extent extent(const Dim& dim) const;
    [[nodiscard]] std::int64_t size(const Dim& dim) const { return extent(dim).size; }

private:
    detail::DimensionSizes sizes_;
};

/// Reads the size of every named dimension of `forms`, and of `further` symbols that have an
/// operand, from the operands.
///
/// Errors   OperandError for a symbol without operand and for two operands of one name; ShapeError
///          where two operands, or an operand and its declaration, disagree (both are named), for a
///          negative size, and where the bytes of an operand overflow 64 bits.
[[nodiscard]] Sizes bind_sizes(std::span<const Expr> forms, std::span<const Operand> operands,
                               std::span<const Declaration> further = {});

/// The form with the size of each dimension that it counts.
[[nodiscard]] Expr with_numbers_for_dimensions(const Expr& form, const Sizes& sizes);

/// rows * cols * 8. Errors: ShapeError naming `what` if that overflows 64 bits.
std::int64_t checked_bytes(const std::string& what, std::int64_t rows, std::int64_t cols);

}  // namespace matgrad
