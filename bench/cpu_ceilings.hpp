#pragma once
/// \file What the processor does at most, measured: reading and copying arrays far beyond the caches,
/// and multiply-adds in registers.

#include <cstddef>
#include <cstdint>

#include "bench/work.hpp"

namespace matgrad::bench {

/// With `threads` threads; takes about a second.
[[nodiscard]] Ceilings measure_cpu_ceilings(int threads);

namespace detail {

/// Runs `rounds` rounds of independent multiply-adds on full vector registers, in the best
/// instruction set of this machine, and gives how many operations that were (a multiply-add is two).
double multiply_add(ScalarType type, std::int64_t rounds);

/// All that read_array and stream_array are given is a multiple of this, in address and size.
inline constexpr std::size_t kStreamGrain = 4096;

/// Reads an array into registers, by full vectors; gives the exclusive or of its 64-bit words, so
/// that no read can be left out.
std::uint64_t read_array(const std::byte* from, std::size_t bytes);

/// Copies by full vectors and non-temporal stores, which are done when it returns: the lines that are
/// written are not read before.
void stream_array(const std::byte* from, std::size_t bytes, std::byte* to);

}  // namespace detail
}  // namespace matgrad::bench
