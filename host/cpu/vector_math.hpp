#pragma once
/// \file Entrywise functions over strips of numbers, vectorised.
///
/// Each number's result depends on that number alone, not on its place in the strip. NaN, infinity,
/// zero and subnormal numbers give what the C library gives, to a few ulp. Lengths are rounded up to
/// whole vectors: strips must have room for kStripRoom numbers beyond their length.

#include <cstdint>

#include "program/program.hpp"

namespace matgrad::detail {

inline constexpr std::int64_t kStripRoom = 16;

/// out[i] = op(a[i], b[i], number) for an arithmetic op; out may be a or b.
/// Not for load and the is_... ops, which know of positions.
void apply_strip(MapOp op, float* out, const float* a, const float* b, double number,
                 std::int64_t count);
void apply_strip(MapOp op, double* out, const double* a, const double* b, double number,
                 std::int64_t count);

/// out[i] = in[i]. Of these alone the length is exact: nothing is written beyond it.
void convert_strip(const float* in, float* out, std::int64_t count);
void convert_strip(const float* in, double* out, std::int64_t count);
void convert_strip(const double* in, float* out, std::int64_t count);
void convert_strip(const double* in, double* out, std::int64_t count);

}  // namespace matgrad::detail
