#pragma once
/// \file What one pass over steps works with: the values of a slice of the batch (or of a single
/// problem, for shared steps), handles, the stream, and scratch.
///
/// A pass enqueues the operations of its steps on the stream, or it records them: the same code then
/// says what it would enqueue and which arrays of addresses its calls take, and calls nothing of CUDA.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>
#include <vector>

#include "batch_state.hpp"
#include "batch_transfer.hpp"
#include "condition.hpp"
#include "cuda/device_view.hpp"
#include "cuda/handles.hpp"
#include "cuda/kernels.hpp"

namespace matgrad::gpu {

/// The part of the workspace that steps use one after the other.
struct StepMemory {
    void** pointers = nullptr;     ///< arrays of addresses, one entry per problem each
    std::int64_t most_arrays = 0;  ///< of a whole slice each
    int* info = nullptr;           ///< one per problem of a slice
    std::byte* scratch = nullptr;
    std::int64_t scratch_bytes = 0;
    std::span<std::byte> host;  ///< for the large factorizations
};

/// Products of parts of the batch that stand for the value of a gemm whose sum alone is used.
struct PartialSums {
    DeviceView view;
    std::int64_t count = 0;  ///< 0: there are none
};

/// What a pass would enqueue.
struct OperationLog {
    struct Operation {
        const Step* step = nullptr;  ///< null: what the executor does between steps
        const char* name = "";
    };
    std::vector<Operation> operations;
};

class StepRun {
public:
    const Program& program;
    const Kernels& kernels;
    Lease* handles = nullptr;  ///< null where operations are only ever recorded
    cudaStream_t stream = nullptr;
    std::int64_t batch = 1;
    Statuses status;            ///< of each problem; data is null where nothing can fail
    bool loses_results = true;  ///< problems that fail may have NaN for results
    bool capturing = false;
    bool tf32 = false;
    std::span<const DeviceView> values;
    std::span<std::int64_t* const> wide_pivots;  ///< by value: as the 64-bit library keeps them
    std::span<PartialSums> partial_sums;         ///< by value
    std::span<const DeviceView> results;  ///< of the slice, as the values that hold them are seen
    std::span<const double> beta;         ///< of results; empty: all 0
    StepMemory memory;
    OperationLog* log = nullptr;  ///< where operations go; null: to the stream

    StepRun(const Program& the_program, const Kernels& the_kernels)
        : program(the_program), kernels(the_kernels) {}

    /// Statuses for what writes results; null: no problem loses them.
    [[nodiscard]] const std::int32_t* lost() const { return loses_results ? status.data : nullptr; }
    /// Null between steps. The scratch of the one before is free again.
    void begin_step(const Step* step) {
        step_ = step;
        taken_ = 0;
    }
    /// One operation of the stream: `call` enqueues it.
    template <typename Call>
    void enqueue(const char* operation, const Call& call) {
        if (log != nullptr) {
            log->operations.push_back({step_, operation});
        } else {
            call();
        }
    }
    /// One of cuSOLVER. Errors: UnsupportedError that names the step where the stream is captured: no
    /// document lets its routines be.
    template <typename Call>
    void enqueue_solver(const char* operation, const Call& call) {
        forbid_capture(operation);
        enqueue(operation, call);
    }

    /// Scratch until the next step begins.
    [[nodiscard]] std::byte* take(std::int64_t bytes);
    /// Row-major, one per problem or one alone (batch stride 0).
    [[nodiscard]] DeviceView take_matrix(ScalarType type, std::int64_t rows, std::int64_t cols,
                                         bool per_problem = true);
    [[nodiscard]] const DeviceView& value(ValueId id) const {
        return values[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] DeviceView view(const Use& use) const { return use_of(use, value(use.value)); }
    /// Problems of a view: 1 where all share it.
    [[nodiscard]] std::int64_t problems(const DeviceView& v) const {
        return v.batch_stride == 0 ? 1 : batch;
    }
    /// The addresses of the matrices, one per problem. A pass that records notes which arrays its calls
    /// take; fill_pointers then writes them all, before the pass that enqueues.
    [[nodiscard]] void** pointers_to(const DeviceView& v);
    void forget_pointers() { pointers_.clear(); }
    void fill_pointers();

    // `lost`: status of the problems; where one has lost its numbers, NaN is written. Null: nowhere.

    /// to = from, for `count` problems; converted where the types differ.
    void copy(const DeviceView& from, const DeviceView& to, std::int64_t count,
              const std::int32_t* lost = nullptr);
    /// to = from + beta * to, for `count` problems, but for those that are lost.
    void add(const DeviceView& from, double beta, const DeviceView& to, std::int64_t count,
             const std::int32_t* lost, const MeanOf& mean = {});
    /// Problem p of `to` = problem rows[p] of `from`.
    void gather(const DeviceView& from, const DeviceView& to, const std::int64_t* rows);
    void set_identity(const DeviceView& to);
    void map(KernelId kernel, std::span<const DeviceView> operands, const DeviceView& out,
             const std::int32_t* lost = nullptr);
    /// `pivots` as Kernels::reduce takes them.
    void reduce(KernelId kernel, std::span<const DeviceView> operands, const std::int32_t* pivots,
                const DeviceView& out, const std::int32_t* lost = nullptr,
                const char* operation = "reduce kernel");
    /// Status of problems of which nothing has been factored, unless something has.
    void start_status();
    /// The status of each problem from the factors that were made.
    void read_cholesky_status(const Diagonals& diagonals, const int* info);
    void read_lu_status(const Diagonals& diagonals, bool zero_fails);
    /// Runs `read` with statuses of the step alone: what fails there does not fail its problem.
    template <typename Read>
    void read_aside(const Read& read) {
        start_status();
        const Statuses of_problems = status;
        status = {reinterpret_cast<std::int32_t*>(take(batch * std::int64_t{sizeof(std::int32_t)})),
                  true, nullptr};
        read();
        status = of_problems;
    }
    /// A problem whose triangle has a condition estimated above `most` fails, or up to root.far has a better one.
    void mark_ill_conditioned(const DeviceView& triangle, double most, const GramRoot& root);
    /// The results of problems that lost their numbers become NaN.
    void mark_failed(std::span<const Matrices> results);
    /// Problems of which a term of a sum over the batch is not finite fail, and keep their results.
    void mark_not_finite(const DeviceView& terms);
    /// What is about to be summed becomes 0 where a problem failed.
    void clear_failed(const DeviceView& v);

private:
    void forbid_capture(const char* operation) const;

    const Step* step_ = nullptr;
    std::vector<PointerArray> pointers_;
    std::int64_t taken_ = 0;
};

}  // namespace matgrad::gpu
