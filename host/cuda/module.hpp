#pragma once
/// \file The interface of the module of the CUDA executors: a shared library of its own, opened at first
/// use of a device (loader.hpp). No header of CUDA is included here.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "executor/executor.hpp"
#include "matgrad/device.hpp"
#include "program/program.hpp"

namespace matgrad::gpu {

/// Calls work(0), ..., work(count - 1) on the threads of the program; run_workers of executor/workers.hpp.
using RunWorkers = void (*)(int count, const std::function<void(int)>& work);

/// Makes an executor in host memory.
using MakeExecutor = std::function<std::unique_ptr<const Executor>(Program)>;

struct ExecutorOptions {
    int device = 0;
    bool all_devices = false;  ///< every GPU there is takes a part of a batch in host memory
    bool tf32 = false;         ///< float products may round their factors to TF32
    bool capturable = false;   ///< as PlanOptions::capturable
    GpuExecutor executor = GpuExecutor::automatic;
    /// `enqueue` may be given rows: the workspace has room for the batched operands of a slice.
    bool gathers = false;
    /// `run` takes at most this many bytes on each device; 0: what is free there.
    std::size_t device_memory = 0;
    /// The workspace is kept below this many bytes where a single problem fits; 0: the executor
    /// chooses.
    std::size_t workspace_limit = 0;
    int threads = 1;                   ///< that copy to and from pinned memory
    RunWorkers run_workers = nullptr;  ///< whose threads they are; null: the caller's alone
    /// `run` leaves the few problems to it whose factors have to be made with more care than on a GPU; made when the
    /// first such problem comes. Null: they fail, as they do in `enqueue`.
    MakeExecutor make_finisher = nullptr;
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

/// The kernel of a Program's steps of problem scope, for the eyes of people.
struct KernelReport {
    std::string reason;  ///< why there is none; the rest is empty then
    std::string source;  ///< as it is compiled
    std::string text;    ///< what it does, what it takes, and a bound of its time: some lines
};

/// What a kernel is held against in a file that is compiled by itself.
struct KernelCheck {
    Program value;         ///< the function's value alone, in double
    std::string function;  ///< as it was written
    /// Of operands, by their names, that have one.
    std::vector<std::pair<std::string, Structure>> structures;
    bool free_entries = false;      ///< the convention of symmetric variables
    bool positive_entries = false;  ///< of operands without structure
    bool small_variables = false;
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
    /// For one device or for all. The `run` of the executor streams a batch through its devices in
    /// chunks, with upload, compute and download overlapped.
    ///
    /// Errors   OperandError for a device that does not exist; UnsupportedError for sizes past what the
    ///          libraries take; MachineError.
    [[nodiscard]] virtual std::unique_ptr<const Executor> make_executor(
        Program program, const ExecutorOptions& options) const = 0;
    /// Needs neither a device nor a driver. `architecture`: 90 for sm_90. The bound is of `batch` problems.
    ///
    /// Errors   OperandError for an architecture that is not known; MachineError.
    [[nodiscard]] virtual KernelReport report_kernel(const Program& program, int architecture,
                                                     std::int64_t batch) const = 0;
    /// A whole .cu file: the kernel, all that it includes, and a main() that runs and checks it.
    ///
    /// Errors   OperandError; UnsupportedError that says why the Program is not one kernel alone.
    [[nodiscard]] virtual std::string standalone_kernel(const Program& program, int architecture,
                                                        std::int64_t batch,
                                                        const KernelCheck& check) const = 0;
};

/// The one symbol of the shared library, `extern "C"`. `version` is MATGRAD_MODULE_VERSION of the
/// caller; null if the module is of another.
using ModuleEntry = const Module* (*)(const char* version);
inline constexpr const char* kModuleEntry = "matgrad_cuda_module";

}  // namespace matgrad::gpu
