#pragma once
/// \file Bytes on chip, and the rows of panels that they leave room for.

#include "program/region_parts.hpp"

namespace matgrad::detail {

/// Fills panel, whole_bytes, row_bytes and bytes of each pass, and bytes and fits of the regions.
///
/// A whole value lives from the first step that makes or reads it to the last that reads it; one from memory that is not
/// kept lives once in each pass; panels live so among the steps of one panel. A result has the buffer of what it may
/// overwrite (aliasing.hpp) where that ends, copies of operands too.
void measure(const Program& program, const Dimensions& dimensions, std::int64_t limit,
             Regions& regions);

}  // namespace matgrad::detail
