#pragma once
/// \file Symmetric products of middle size, a a', in plain memory.
///
/// The inner dimension is cut into chunks by the shape alone. Chunks are independent, so that threads
/// share them, and are added up in order.

#include <cstdint>

#include "cpu/view.hpp"

namespace matgrad::detail {

/// Is a product of order n done better here than by a BLAS?
[[nodiscard]] bool is_middle_gram(std::int64_t n);

/// Independent chunks of a product of order n over `inner` terms.
[[nodiscard]] std::int64_t gram_chunks(std::int64_t n, std::int64_t inner);

/// Bytes for all chunks; a multiple of 64.
[[nodiscard]] std::int64_t gram_scratch_bytes(std::int64_t n, std::int64_t inner);

/// One chunk of a a', computed in `type`, kept in scratch. The type of a is no wider.
void gram_chunk(ScalarType type, const View& a, std::int64_t chunk, std::byte* scratch);

/// The lower triangle of c = alpha * the sum of all chunks; the upper one too if `mirror`.
void gram_sum(ScalarType type, double alpha, std::int64_t inner, const std::byte* scratch,
              bool mirror, const View& c);

}  // namespace matgrad::detail
