#pragma once
/// \file Steps of either layout, made from those of a Program.
///
/// The Program outlives them. A null pointer says that the layout lacks the step: then the Program is
/// not run in it. batch_reduce is no step: the driver of a run does it.

#include "cpu/steps/step.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// One problem in ordinary matrices: results are row-major with unit column stride, operands have any
/// strides.
[[nodiscard]] CpuStepPtr make_plain_step(const Program& program, const Step& step);
/// A tile of kLanes problems: values of problem scope are row-major with kLanes lanes, those of shared
/// scope have one lane and any strides.
[[nodiscard]] CpuStepPtr make_compact_step(const Program& program, const Step& step);

// By kind of step.
[[nodiscard]] CpuStepPtr make_plain_gemm(const Program& program, const Step& step,
                                         const Gemm& gemm);
[[nodiscard]] CpuStepPtr make_plain_syrk(const Program& program, const Step& step,
                                         const Syrk& syrk);
[[nodiscard]] CpuStepPtr make_plain_potrf(const Program& program, const Step& step,
                                          const Potrf& potrf);
[[nodiscard]] CpuStepPtr make_plain_trsm(const Program& program, const Step& step,
                                         const Trsm& trsm);
[[nodiscard]] CpuStepPtr make_plain_getrf(const Program& program, const Step& step,
                                          const Getrf& getrf);
[[nodiscard]] CpuStepPtr make_plain_solve(const Program& program, const Step& step,
                                          const Solve& solve);
[[nodiscard]] CpuStepPtr make_plain_map(const Program& program, const Step& step, const Map& map);
[[nodiscard]] CpuStepPtr make_plain_reduce(const Program& program, const Step& step,
                                           const Reduce& reduce);
[[nodiscard]] CpuStepPtr make_plain_copy(const Program& program, const Step& step,
                                         const Copy& copy);
[[nodiscard]] CpuStepPtr make_plain_window(const Program& program, const Step& step,
                                           const Window& window);

[[nodiscard]] CpuStepPtr make_compact_gemm(const Program& program, const Step& step,
                                           const Gemm& gemm);
[[nodiscard]] CpuStepPtr make_compact_syrk(const Program& program, const Step& step,
                                           const Syrk& syrk);
[[nodiscard]] CpuStepPtr make_compact_potrf(const Program& program, const Step& step,
                                            const Potrf& potrf);
[[nodiscard]] CpuStepPtr make_compact_trsm(const Program& program, const Step& step,
                                           const Trsm& trsm);
[[nodiscard]] CpuStepPtr make_compact_getrf(const Program& program, const Step& step,
                                            const Getrf& getrf);
[[nodiscard]] CpuStepPtr make_compact_solve(const Program& program, const Step& step,
                                            const Solve& solve);
[[nodiscard]] CpuStepPtr make_compact_map(const Program& program, const Step& step, const Map& map);
[[nodiscard]] CpuStepPtr make_compact_reduce(const Program& program, const Step& step,
                                             const Reduce& reduce);
[[nodiscard]] CpuStepPtr make_compact_copy(const Program& program, const Step& step,
                                           const Copy& copy);
[[nodiscard]] CpuStepPtr make_compact_window(const Program& program, const Step& step,
                                             const Window& window);

}  // namespace matgrad::detail
