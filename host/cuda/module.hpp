#pragma once
/// \file What the module of the CUDA executors offers. It is a shared library of its own, opened at
/// first use of a device (loader.hpp), so nothing of CUDA is seen here.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "matgrad/device.hpp"
#include "matgrad/plan.hpp"
#include "program/program.hpp"

namespace matgrad::gpu {

/// How an output of the Program becomes a result.
struct OutputForm {
    bool spread = false;  ///< computed once, written for every problem (NaN for the failed ones)
    bool mean = false;    ///< a sum over the batch, divided by the count of problems that succeeded
};

struct ExecutorOptions {
    int device = 0;
    bool tf32 = false;                ///< float products may round their factors to TF32
    bool capturable = false;          ///< as PlanOptions::capturable
    std::vector<OutputForm> outputs;  ///< one per output of the Program, or none: as they are
    /// The workspace is kept below this many bytes where a single problem fits; 0: the executor
    /// chooses.
    std::size_t workspace_limit = 0;
};

/// One enqueue. All pointers are device memory of the executor's device.
struct DeviceCall {
    std::int64_t batch = 0;
    std::span<const ConstBatch> operands;  ///< one per Program::operands
    std::span<const Batch> results;        ///< one per Program::outputs
    std::int32_t* status = nullptr;        ///< `batch` entries, or null
    void* workspace = nullptr;             ///< 256-byte aligned
    std::size_t workspace_bytes = 0;
    void* stream = nullptr;  ///< a cudaStream_t
};

/// A Program made ready for one device: kernels compiled, workspace known. Immutable; may be used
/// from several threads and streams, each call with its own workspace.
class Executor {
public:
    virtual ~Executor() = default;
    [[nodiscard]] virtual const Program& program() const noexcept = 0;
    [[nodiscard]] virtual const ExecutorOptions& options() const noexcept = 0;
    /// For any batch: longer ones are worked off in slices.
    [[nodiscard]] virtual std::size_t workspace_bytes() const noexcept = 0;
    /// Lines for --explain.
    [[nodiscard]] virtual std::string explain() const = 0;
    /// Only enqueues; see Plan::enqueue for what may be allocated, and for graphs.
    ///
    /// Errors   Before any launch OperandError: a host pointer, a pointer or a stream of another
    ///          device, misaligned data, too small or misaligned a workspace; UnsupportedError where the
    ///          stream is captured and a step needs cuSOLVER, unless `capturable`. MachineError with the
    ///          call, the code and the source line when the runtime or a library refuses.
    virtual void enqueue(const DeviceCall& call) const = 0;

    /// Of Module::run_on_host: buffers that one call leaves for the next. They go with the executor.
    struct Buffers {
        virtual ~Buffers() = default;
    };
    [[nodiscard]] std::unique_ptr<Buffers> take_buffers() const {
        const std::lock_guard lock(mutex_);
        return std::move(buffers_);
    }
    void keep_buffers(std::unique_ptr<Buffers> buffers) const {
        const std::lock_guard lock(mutex_);
        buffers_.swap(buffers);
    }

private:
    mutable std::mutex mutex_;
    mutable std::unique_ptr<Buffers> buffers_;
};

/// One batch in host memory. Strides of operands and results may be anything.
struct HostCall {
    std::int64_t batch = 0;
    std::span<const ConstBatch> operands;
    std::span<const Batch> results;
    std::span<std::int32_t> status;  ///< `batch` entries, or empty
    std::size_t device_memory = 0;   ///< most bytes to take on each device; 0: what is free
    int threads = 1;                 ///< for copying to and from pinned memory
};

/// What was enqueued on a stream once, kept as one object of the device: a CUDA graph.
class Recording {
public:
    virtual ~Recording() = default;
    /// Enqueues all of it again, on the same memory. Errors: MachineError.
    virtual void replay() const = 0;
};

/// Device memory and a clock of one device, for measurements. One thread at a time.
class Stopwatch {
public:
    virtual ~Stopwatch() = default;
    /// 256-byte aligned; freed with the stopwatch. Errors: MachineError.
    [[nodiscard]] virtual std::byte* allocate(std::size_t bytes) = 0;
    /// Enqueues a copy between host and device memory, or within device memory.
    virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
    /// Waits for all that was enqueued on the stream.
    virtual void wait() = 0;
    [[nodiscard]] virtual void* stream() const noexcept = 0;  ///< a cudaStream_t of its own
    /// Marks this place of the stream.
    virtual void start() = 0;
    /// Marks this place, waits for it, and gives the seconds that the device took from start to here.
    [[nodiscard]] virtual double stop() = 0;
    /// Records what `enqueue` enqueues on the stream, which does not run. It goes before the stopwatch
    /// does. Errors: those of `enqueue`; MachineError where something of it cannot be recorded. The
    /// stream can be used after both.
    [[nodiscard]] virtual std::unique_ptr<const Recording> record(
        const std::function<void()>& enqueue) = 0;
};

/// Of the driver or of a library.
struct Version {
    std::string name, number;
};

class Module {
public:
    virtual ~Module() = default;
    /// Errors: MachineError that says why there is none.
    [[nodiscard]] virtual std::vector<DeviceInfo> devices() const = 0;
    /// Errors: MachineError.
    [[nodiscard]] virtual std::vector<Version> versions() const = 0;
    /// Errors: OperandError for a device that does not exist; MachineError.
    [[nodiscard]] virtual std::unique_ptr<Stopwatch> make_stopwatch(int device) const = 0;
    /// Errors: OperandError for a device that does not exist; MachineError.
    [[nodiscard]] virtual std::unique_ptr<const Executor> make_executor(
        Program program, const ExecutorOptions& options) const = 0;
    /// Streams a host batch through the devices of `executors` (equal but for their device) in
    /// chunks, with upload, compute and download overlapped. Results of outputs with
    /// `OutputForm::mean` are means; sums and means cover the problems that succeeded.
    ///
    /// Errors   MachineError, Interrupted.
    virtual RunSummary run_on_host(std::span<const Executor* const> executors, const HostCall& call,
                                   const RunHooks& hooks) const = 0;
};

/// The one symbol of the shared library, `extern "C"`. `version` is MATGRAD_MODULE_VERSION of the
/// caller; null if the module is of another.
using ModuleEntry = const Module* (*)(const char* version);
inline constexpr const char* kModuleEntry = "matgrad_cuda_module";

}  // namespace matgrad::gpu
