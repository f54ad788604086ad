#include "cuda/library_executor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cuda/library/arguments.hpp"
#include "cuda/library/enqueue.hpp"
#include "cuda/library/host_scratch.hpp"
#include "cuda/library/library_plan.hpp"

namespace matgrad::gpu {
namespace {

bool is_captured(cudaStream_t stream) {
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    const cudaError_t code = cudaStreamIsCapturing(stream, &capture);
    if (code == cudaErrorStreamCaptureImplicit) {
        (void)cudaGetLastError();
        throw OperandError(
            "the stream is the default one, which waits for one that is being captured: expected a "
            "stream of its own");
    }
    check(code, "cudaStreamIsCapturing");
    return capture != cudaStreamCaptureStatusNone;
}

class LibraryExecutor final : public DeviceExecutor {
public:
    LibraryExecutor(Program program, const ExecutorOptions& options)
        : program_(std::move(program)),
          options_(options),
          context_(Context::of(options.device)),
          plan_(make_library_plan(program_, options, *context_)),
          host_scratch_(static_cast<std::size_t>(plan_->host_bytes)) {}

    [[nodiscard]] const Program& program() const noexcept override { return program_; }
    [[nodiscard]] int device() const noexcept override { return options_.device; }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
        return static_cast<std::size_t>(plan_->placement.bytes);
    }

    [[nodiscard]] std::string explain() const override {
        std::string text = fmt::format(
            "cuda:{} ({}): library, {} problem{} at a time, workspace {} bytes{}{}\n",
            options_.device, context_->info().name, plan_->placement.slice,
            plan_->placement.slice == 1 ? "" : "s", plan_->placement.bytes,
            options_.tf32 ? ", TF32" : "", options_.capturable ? ", may be captured" : "");
        if (!plan_->thresholds.overridden().empty()) {
            text += "  thresholds of the environment: " + plan_->thresholds.overridden() + "\n";
        }
        for (const std::string& line : explain_plan(*plan_)) {
            text += "  " + line + "\n";
        }
        return text;
    }

    void enqueue(const DeviceCall& call) const override {
        const CurrentDevice current(options_.device);
        check_call(program_, call, options_.device, workspace_bytes());
        if (call.rows != nullptr && !plan_->gathers) {
            throw UnsupportedError(fmt::format(
                "rows are given to an enqueue on cuda:{}: expected a plan made for them, whose "
                "workspace has room for operands",
                options_.device));
        }
        CallStream stream{static_cast<cudaStream_t>(call.stream)};
        const bool capturing = is_captured(stream.stream);
        MATGRAD_CUDA(cudaStreamGetId(stream.stream, &stream.number));
        auto* const workspace = static_cast<std::byte*>(call.workspace);
        Lease lease(context_->handles(), stream, workspace + plan_->placement.blas);
        HostScratch::Loan host(host_scratch_);
        StepRun run(program_, plan_->kernels);
        run.handles = &lease;
        run.stream = stream.stream;
        run.capturing = capturing;
        run.tf32 = options_.tf32;
        run.memory.host = host.span();
        enqueue_plan(*plan_, call, run);
    }

private:
    Program program_;
    ExecutorOptions options_;
    std::shared_ptr<const Context> context_;
    std::unique_ptr<const LibraryPlan> plan_;
    mutable HostScratch host_scratch_;
};

}  // namespace

std::unique_ptr<const DeviceExecutor> make_library_executor(Program program,
                                                            const ExecutorOptions& options) {
    return std::make_unique<LibraryExecutor>(std::move(program), options);
}

}  // namespace matgrad::gpu
