#pragma once
/// \file The instructions of entrywise expressions.

#include <optional>
#include <string_view>

#include "functions/entrywise.hpp"

namespace matgrad {

enum class MapOp {
    load,         ///< operand number a
    constant,     ///< number
    is_diagonal,  ///< 1 where row == col
    is_lower,     ///< 1 where row >= col
    is_upper,     ///< 1 where row <= col
    row_index,    ///< the row, from 0, as a number
    col_index,
    add,
    sub,
    mul,
    div,     ///< registers a, b
    scale,   ///< number * a
    offset,  ///< number + a
    pow,     ///< a ^ number as pow(); integer exponents -64..64 by multiplication
    perturb,  ///< a*(1 + eps) or a*(1 - eps), eps of the type that the step computes in, at least by the
///< smallest number; by a hash of row + col, row * col and number, which is a natural number
// the entrywise functions, of registers a or a, b; mask is register a where register b is not 0, else exactly 0,
// even if a is NaN
#define MATGRAD_ROW(name, ...) name,
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
};

[[nodiscard]] constexpr MapOp map_op(Entrywise function) {
    switch (function) {
#define MATGRAD_ROW(name, ...) \
    case Entrywise::name:      \
        return MapOp::name;
        MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    }
    return MapOp::load;
}

/// The entrywise function that the instruction is, if it is one.
[[nodiscard]] constexpr std::optional<Entrywise> entrywise_of(MapOp op) {
#define MATGRAD_ROW(name, ...)  \
    if (op == MapOp::name) {    \
        return Entrywise::name; \
    }
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    return std::nullopt;
}

/// True for what knows its place in the matrix and reads nothing.
[[nodiscard]] constexpr bool is_position(MapOp op) {
    return op == MapOp::is_diagonal || op == MapOp::is_lower || op == MapOp::is_upper ||
           op == MapOp::row_index || op == MapOp::col_index;
}

/// True if the result depends on the place in the matrix.
[[nodiscard]] constexpr bool knows_place(MapOp op) {
    return is_position(op) || op == MapOp::perturb;
}

/// True if the instruction reads register a.
[[nodiscard]] constexpr bool reads_a(MapOp op) {
    return op != MapOp::load && op != MapOp::constant && !is_position(op);
}

/// True if the instruction reads register b too.
[[nodiscard]] constexpr bool reads_b(MapOp op) {
    const std::optional<Entrywise> function = entrywise_of(op);
    return op == MapOp::add || op == MapOp::sub || op == MapOp::mul || op == MapOp::div ||
           (function && arity_of(*function) == 2);
}

}  // namespace matgrad
