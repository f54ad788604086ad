#pragma once
/// \file Copies in plain memory that are done in registers.

#include "cpu/view.hpp"

namespace matgrad::detail {

/// to = from, one type; from with unit row stride, to with unit column stride.
void transpose_copy(const View& from, const View& to);

/// Copies `bytes` past the caches.
void stream_copy(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to);

}  // namespace matgrad::detail
