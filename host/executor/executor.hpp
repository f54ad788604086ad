#pragma once
/// \file One face for every executor: a Program made ready once, then run over batches.
///
/// An executor is immutable and may be used from several threads at once, each call with its own
/// workspace. Who calls it has checked the arguments (host/api): views of host memory are addressed
/// as they are, and results overlap nothing. An output with `repeated` is written for every problem, one
/// with `mean`, a sum or each problem's result, is divided by the count of the problems that succeeded.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "matgrad/types.hpp"
#include "program/program.hpp"

namespace matgrad {

/// A call's place in a longer batch, which comes in parts, one after the other, and gives the bits of one call.
struct BatchPart {
    std::int64_t first = 0;          ///< the number in the whole batch of problem 0 of the call
    std::int64_t whole = 0;          ///< problems of the whole batch
    std::int64_t failed_before = 0;  ///< of the parts before
    std::span<std::byte>
        sums;  ///< Executor::part_bytes of it, 64-byte aligned, kept between the parts
    [[nodiscard]] bool is_last(std::int64_t batch) const { return first + batch == whole; }
};

/// One batch in host memory.
struct HostCall {
    std::int64_t batch = 0;
    std::span<const ConstStrided> operands;  ///< one per Program::operands
    std::span<const Strided> results;        ///< one per Program::outputs
    std::span<std::int32_t> status;          ///< `batch` entries, or empty
    /// Executor::workspace_bytes() of it, 64-byte aligned, where that is host memory; or empty: the
    /// executor then uses its own.
    std::span<std::byte> workspace = {};
    /// One per result, or empty: all 0. Results are added to beta times what is there; a beta of 0 does not
    /// read it. What would be NaN because problems failed, a mean over failed ones alone too, is written
    /// only where beta is 0, and else leaves what is there.
    std::span<const double> beta = {};
    /// Problem i of the call is problem rows[i] of the batched operands; empty: i. Results and status are
    /// by the numbers of the call.
    std::span<const std::int64_t> rows = {};
    /// The caller's threads; null: those of the process.
    const Parallel* parallel = nullptr;
    /// Of the outputs that are one for the batch the last part writes those of the whole. Only of an executor that
    /// takes parts, of a Program without means; no beta and no rows.
    const BatchPart* part = nullptr;
};

/// One batch in the memory of a GPU, to be enqueued on one of its streams.
struct DeviceCall {
    std::int64_t batch = 0;
    std::span<const ConstStrided> operands;  ///< one per Program::operands
    std::span<const Strided> results;        ///< one per Program::outputs
    std::int32_t* status = nullptr;          ///< `batch` entries, or null
    void* workspace = nullptr;               ///< 256-byte aligned
    std::size_t workspace_bytes = 0;
    void* stream = nullptr;       ///< a cudaStream_t
    bool sums_for_means = false;  ///< a mean is left undivided: the batch is a part of a longer one
    std::span<const double> beta = {};  ///< as HostCall::beta, in host memory
    /// As HostCall::rows, in device memory: read when the call runs. Null: problem i is i.
    const std::int64_t* rows = nullptr;
};

/// Where the workspace of a call lies.
enum class WorkspaceMemory {
    host,    ///< calls of `run`; there is no `enqueue`
    device,  ///< calls of `enqueue`; `run` brings its own
    none,    ///< `run` brings its own; there is no `enqueue`
};

class Executor {
public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor() = default;

    [[nodiscard]] virtual const Program& program() const noexcept = 0;
    [[nodiscard]] virtual WorkspaceMemory workspace_memory() const noexcept = 0;
    /// Of a call with any batch: longer ones are worked off in pieces. 0 if there is no workspace.
    [[nodiscard]] virtual std::size_t workspace_bytes() const noexcept = 0;
    /// How the Program will be run, in lines for --explain.
    [[nodiscard]] virtual std::string explain() const = 0;

    /// Runs a batch in host memory and returns when it is done.
    ///
    /// Errors   Interrupted if a hook asks for it, and what a hook throws; std::bad_alloc; MachineError
    ///          on GPUs.
    virtual RunSummary run(const HostCall& call, const RunHooks& hooks) const = 0;

    /// Parts of a batch begin at a multiple of this; 0: the executor takes no parts.
    [[nodiscard]] virtual std::int64_t part_size(std::int64_t whole) const noexcept;
    [[nodiscard]] virtual std::size_t part_bytes() const noexcept;

    /// Frees the memory that calls of `run` have left for later ones: at most one workspace for each
    /// call that was under way at once. Calls under way keep theirs.
    virtual void release() const noexcept;

    /// Only enqueues; see Plan::enqueue for what may be allocated, and for graphs.
    ///
    /// Errors   Before any launch OperandError: no executor of one GPU; a host pointer, a pointer or a
    ///          stream of another device, misaligned data, too small or misaligned a workspace;
    ///          UnsupportedError where the stream is captured and a step needs cuSOLVER, unless
    ///          `capturable`, and for `rows` where the executor was not made for them. MachineError with the call, the code and the source line when the runtime
    ///          or a library refuses.
    virtual void enqueue(const DeviceCall& call) const;
};

}  // namespace matgrad
