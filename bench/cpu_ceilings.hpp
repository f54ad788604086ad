#pragma once
/// \file What the processor does at most, measured: a copy of an array far beyond the caches, and
/// multiply-adds in registers.

#include "bench/work.hpp"

namespace matgrad::bench {

/// With `threads` threads; takes about a second.
[[nodiscard]] Ceilings measure_cpu_ceilings(int threads);

namespace detail {

/// Runs `rounds` rounds of independent multiply-adds on full vector registers, in the best
/// instruction set of this machine, and gives how many operations that were (a multiply-add is two).
double multiply_add(ScalarType type, std::int64_t rounds);

}  // namespace detail
}  // namespace matgrad::bench
