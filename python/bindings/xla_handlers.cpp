#include "xla_handlers.hpp"

#ifdef MATGRAD_HAS_XLA

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xla_call.hpp"

namespace nb = nanobind;
namespace ffi = xla::ffi;

namespace matgrad::python {

namespace {

using xla_call::Call;

/// matgrad's exceptions as XLA's errors. Problems that fail are none: their results are NaN.
template <typename Body>
ffi::Error guarded(Body&& body) {
    try {
        body();
        return ffi::Error::Success();
    } catch (const CallerError& error) {
        return {ffi::ErrorCode::kInvalidArgument, std::string("matgrad: ") + error.what()};
    } catch (const std::exception& error) {
        return {ffi::ErrorCode::kInternal, std::string("matgrad: ") + error.what()};
    }
}

using Layout = ffi::Span<const std::int64_t>;

std::span<const std::int64_t> entries(Layout layout) {
    return {layout.begin(), layout.size()};
}

/// In host memory, on a thread of XLA's; needs nothing of Python.
ffi::Error run_on_cpu(std::string_view key, Layout layout, ffi::RemainingArgs operands,
                      ffi::RemainingRets results) {
    return guarded([&] {
        const Call call(key, entries(layout), operands, results);
        const auto planned = call.plan({DeviceKind::cpu, 0});
        call.prefer_large_pages();
        call.for_each_group(
            *planned, [&](const std::vector<OperandView>& in, const std::vector<ResultView>& out) {
                planned->plan.run(in, out);
            });
    });
}

/// Makes the plan, which allocates and compiles, before a stream may be captured.
ffi::Error plan_on_cuda(std::int32_t device, std::string_view key, Layout layout,
                        ffi::RemainingArgs operands, ffi::RemainingRets results) {
    if (results.size() == 0) {
        return ffi::Error::Success();  // a runtime that gives no buffers yet: made at the first run
    }
    return guarded([&] {
        (void)Call(key, entries(layout), operands, results).plan({DeviceKind::cuda, device});
    });
}

ffi::Error run_on_cuda(void* stream, std::int32_t device, ffi::ScratchAllocator scratch,
                       std::string_view key, Layout layout, ffi::RemainingArgs operands,
                       ffi::RemainingRets results) {
    return guarded([&] {
        const Call call(key, entries(layout), operands, results);
        const auto planned = call.plan({DeviceKind::cuda, device});
        EnqueueOptions how;
        how.stream = stream;
        how.workspace_bytes = planned->plan.workspace_bytes();
        if (how.workspace_bytes > 0) {
            constexpr std::size_t kAlignment = 256;
            const std::optional<void*> memory = scratch.Allocate(how.workspace_bytes, kAlignment);
            if (!memory) {
                throw MachineError("no device memory for a workspace of " +
                                   std::to_string(how.workspace_bytes) + " bytes");
            }
            how.workspace = *memory;
        }
        call.for_each_group(
            *planned, [&](const std::vector<OperandView>& in, const std::vector<ResultView>& out) {
                planned->plan.enqueue(in, out, how);
            });
    });
}

XLA_FFI_DEFINE_HANDLER(kRunOnCpu, run_on_cpu,
                       ffi::Ffi::Bind()
                           .Attr<std::string_view>("computation")
                           .Attr<Layout>("layout")
                           .RemainingArgs()
                           .RemainingRets());

XLA_FFI_DEFINE_HANDLER(kPlanOnCuda, plan_on_cuda,
                       ffi::Ffi::Bind<ffi::ExecutionStage::kInitialize>()
                           .Ctx<ffi::DeviceOrdinal>()
                           .Attr<std::string_view>("computation")
                           .Attr<Layout>("layout")
                           .RemainingArgs()
                           .RemainingRets());

#define MATGRAD_CUDA_BINDING                   \
    ffi::Ffi::Bind()                           \
        .Ctx<ffi::PlatformStream<void*>>()     \
        .Ctx<ffi::DeviceOrdinal>()             \
        .Ctx<ffi::ScratchAllocator>()          \
        .Attr<std::string_view>("computation") \
        .Attr<Layout>("layout")                \
        .RemainingArgs()                       \
        .RemainingRets()

XLA_FFI_DEFINE_HANDLER(kRunOnCuda, run_on_cuda, MATGRAD_CUDA_BINDING);
// For Computations with the option `capturable`: XLA may record the call in a CUDA graph.
XLA_FFI_DEFINE_HANDLER(kCaptureOnCuda, run_on_cuda, MATGRAD_CUDA_BINDING,
                       {ffi::Traits::kCmdBufferCompatible});

}  // namespace

nb::dict xla_handlers() {
    const auto capsule = [](auto* handler) {
        return nb::capsule(reinterpret_cast<void*>(handler));
    };
    nb::dict cpu;
    cpu["matgrad_run"] = capsule(kRunOnCpu);
    cpu["matgrad_capturable"] = capsule(kRunOnCpu);
    nb::dict cuda;
    nb::dict run;
    run["initialize"] = capsule(kPlanOnCuda);
    run["execute"] = capsule(kRunOnCuda);
    cuda["matgrad_run"] = run;
    nb::dict capture;
    capture["initialize"] = capsule(kPlanOnCuda);
    capture["execute"] = capsule(kCaptureOnCuda);
    cuda["matgrad_capturable"] = capture;
    nb::dict all;
    all["cpu"] = cpu;
    all["CUDA"] = cuda;
    return all;
}

}  // namespace matgrad::python

#else

namespace matgrad::python {

nanobind::dict xla_handlers() {
    return {};
}

}  // namespace matgrad::python

#endif
