#pragma once
/// \file A contender whose work is recorded in CUDA graphs: small batches are launches above all, and a
/// graph launches what it holds at once.

#include "bench/gpu_contender.hpp"

namespace matgrad::bench {

/// Of larger batches launches are too small a part to be worth a row.
inline constexpr std::int64_t kMostProblemsOfAGraph = 16384;
/// Each graph takes memory of the device and time to make.
inline constexpr std::int64_t kMostGraphs = 256;

/// `contender` with ", graph" after its name: its call for each of the copies, at most kMostGraphs, is
/// recorded when it is made ready, after one that is not, and replayed from then on. It offers the cases
/// of at most kMostProblemsOfAGraph problems that the contender offers.
[[nodiscard]] GpuContender as_graphs(GpuContender contender);

}  // namespace matgrad::bench
