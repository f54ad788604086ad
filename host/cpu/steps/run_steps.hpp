#pragma once
/// \file Steps on tiles of many problems in ordinary matrices.
///
/// In such a tile the value of a problem is row-major and that of the next one follows without a gap.
/// A step does all problems in one call where it can, else one after the other. What it gives for a
/// problem is the same bits wherever the problem lies in the tile and however many there are.

#include <cstdint>

#include "cpu/steps/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// May what a step gives be of the Program's type, and written past the caches?
enum class Leaves : char {
    no,
    by_lines,  ///< where its rows are whole lines of the cache
    anyhow,
};

struct RunStep {
    CpuStepPtr step;
    bool at_once = false;  ///< all problems in one call
    Leaves leaves = Leaves::no;
};

/// `tile`: the most problems of a run. Times are of one problem in a full tile.
[[nodiscard]] RunStep make_run_step(const Program& program, const Step& step, std::int64_t tile);

/// A step of which only the sum over the batch is used: it writes one matrix, the sum over the run, in
/// place of one for each problem. Null if the sum cannot be made in one call.
[[nodiscard]] CpuStepPtr make_sum_step(const Program& program, const Step& step, std::int64_t tile);

// By kind of step; null if not in one call.
[[nodiscard]] CpuStepPtr make_run_gemm(const Program& program, const Step& step, const Gemm& gemm,
                                       std::int64_t tile);
/// Problem by problem, by one loop of kernels; no step if not so.
[[nodiscard]] RunStep make_run_gemm_batch(const Program& program, const Step& step,
                                          const Gemm& gemm);
[[nodiscard]] RunStep make_run_syrk_batch(const Program& program, const Step& step,
                                          const Syrk& syrk);
[[nodiscard]] CpuStepPtr make_run_map(const Program& program, const Step& step, const Map& map,
                                      std::int64_t tile);
[[nodiscard]] CpuStepPtr make_run_reduce(const Program& program, const Step& step,
                                         const Reduce& reduce, std::int64_t tile);
[[nodiscard]] CpuStepPtr make_sum_gemm(const Program& program, const Step& step, const Use& a,
                                       const Use& b, double alpha, std::int64_t tile);
[[nodiscard]] CpuStepPtr make_sum_reduce(const Program& program, const Step& step,
                                         const Reduce& reduce, std::int64_t tile);

}  // namespace matgrad::detail
