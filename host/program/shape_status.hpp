#pragma once
/// \file What is singular by its shape.

#include <cstdint>

#include "program/program.hpp"

namespace matgrad {

/// The status that every problem has from the start: that of a Gram matrix root' root whose root has fewer
/// rows than columns, which has no inverse whatever its entries and their roundings are; else 0.
[[nodiscard]] std::int32_t shape_status(const Program& program);

}  // namespace matgrad
