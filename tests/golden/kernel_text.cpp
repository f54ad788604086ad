#include "golden/kernel_text.hpp"

#include "cuda/context.hpp"
#include "cuda/fused/source.hpp"
#include "cuda/kernel_source.hpp"
#include "cuda/library/batch_sums.hpp"
#include "cuda/library/results.hpp"
#include "cuda/library/step.hpp"

namespace matgrad::golden {

std::string kernel_text(const Program& program) {
    const auto context = gpu::Context::of(0);
    const gpu::Thresholds thresholds = gpu::Thresholds::of(context->info().major);
    gpu::KernelSource source;
    gpu::StepSetup setup(program, *context, thresholds, source, {});
    gpu::BatchSums sums;
    for (const Step& step : program.steps) {
        setup.begin_step(step);
        if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
            sums.add(setup, *sum);
        } else {
            (void)gpu::make_step(setup);
        }
    }
    (void)gpu::Results(setup, {});
    return source.text();
}

std::string fused_text(const Program& program) {
    constexpr std::int64_t kBlockBytes = std::int64_t{219} << 10;
    const gpu::FusedDescription what = gpu::describe_fused(program);
    if (!what.is_fused()) {
        return "not fused: " + what.reason + "\n";
    }
    const gpu::FusedConfiguration configuration =
        gpu::configure_fused(program, what, gpu::Thresholds::of(9), kBlockBytes);
    return configuration.reason.empty() ? gpu::fused_text(program, what, configuration)
                                        : "not fused: " + configuration.reason + "\n";
}

}  // namespace matgrad::golden
