#pragma once
/// \file Plans: a function and its gradients made ready for one size of problem, then run over
/// batches.
///
/// Real entries. Each operand is batched (one matrix per problem) or shared (one for all). Matrices
/// are addressed by row, column and batch strides in elements, so row-major, column-major and
/// sliced data are all read in place; results may not overlap operands. NaN and infinity propagate
/// as IEEE 754 says; where a matrix is factored, a pivot that is not finite or not positive
/// (Cholesky), or not finite or zero (LU), fails that problem alone: its status is the 1-based
/// number of the pivot, its results are NaN, and its neighbours are bit for bit what they were.
///
/// A plan is made for a device. `Plan::run` takes host memory and blocks, wherever it computes;
/// `Plan::enqueue` takes the memory of one GPU and only enqueues.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "matgrad/calculus.hpp"
#include "matgrad/check.hpp"
#include "matgrad/device.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/types.hpp"

namespace matgrad {

/// `V` of the Hessian-vector product with respect to `variable`: the gradient of <grad f, V>.
struct MATGRAD_API HvpRequest {
    std::string variable;
    std::string direction;  ///< name of the operand V, of the variable's shape
};

/// What is done over the batch to one output, named as `OutputInfo::text` names it: `value`,
/// `gradient X`, `hvp X`.
struct MATGRAD_API OutputReduction {
    std::string output;
    Reduction reduction = Reduction::none;
};

struct MATGRAD_API PlanOptions {
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    /// The function is F = sum of f over the batch, or its mean over the problems that succeed. So the
    /// value is reduced, and what is differentiated by a shared variable; a gradient or Hessian-vector
    /// product of a batched variable stays one per problem: of a mean it is divided by the count of the
    /// problems that succeed.
    Reduction reduction = Reduction::none;
    Convention convention = Convention::projected;
    bool value = true;                  ///< compute f itself
    std::vector<std::string> wrt = {};  ///< one gradient for each
    std::vector<HvpRequest> hvp = {};   ///< one for each, of the variable's own block
    std::optional<Entry> entry = {};    ///< only this component of each gradient
    int threads = 0;                    ///< 0: as many as the machine has
    Device device = {};                 ///< the processor, unless another is asked for
    bool tf32 = false;  ///< on a GPU, float products may round their factors to TF32 (10 bits)
    /// On a GPU, a CUDA graph may hold `enqueue` whatever the plan factors, with the bits of a plain call:
    /// no cuSOLVER. A Cholesky factor is then one block's work, slow beyond a few hundred rows.
    bool capturable = false;
    /// On a GPU, the most bytes that `run` takes on each device; 0: what is free there.
    std::size_t device_memory = 0;
    /// `explain` also shows the Program after each pass of the planner that changed it.
    bool explain_passes = false;
    /// For outputs named here this is done to the output of f, whatever `reduction` says.
    std::vector<OutputReduction> reductions = {};
    /// The Hessian over all these variables at once, applied to their directions: one result for each,
    /// cross terms included.
    std::vector<HvpRequest> joint_hvp = {};
};

struct MATGRAD_API OutputInfo {
    OutputKind kind = OutputKind::value;
    std::string name;  ///< variable; empty for the value
    std::int64_t rows = 1;
    std::int64_t cols = 1;
    bool batched =
        false;  ///< one per problem; false if every operand is shared or the batch is reduced
    /// sum, mean: over the batch; of a batched output, mean: divided by the count of the problems that
    /// succeeded.
    Reduction reduction = Reduction::none;
    [[nodiscard]] std::string text() const { return output_text(kind, name); }
};

/// What the batch that a plan is weighed for takes at least.
struct MATGRAD_API PlanCost {
    double operations = 0;  ///< of all steps; a function such as exp counts as one
    double bytes = 0;       ///< operands that are read, once each; results, written once
};

/// An immutable plan; may be run from several threads at once, each with its own workspace.
class MATGRAD_API Plan {
public:
    /// The operands a run needs, in the order it takes them.
    [[nodiscard]] const std::vector<Operand>& operands() const;
    /// The results a run writes, in order: the value if asked for, gradients, then HVPs.
    [[nodiscard]] const std::vector<OutputInfo>& outputs() const;
    /// Where it runs: never `automatic`, which make_plan has settled. `explain` says why.
    [[nodiscard]] Device device() const;
    /// Bytes of workspace, independent of the batch: host memory for a CPU plan, device memory for a
    /// plan on one GPU; 0 for `cuda:all`, which allocates its own.
    [[nodiscard]] std::size_t workspace_bytes() const;
    [[nodiscard]] PlanCost cost() const;
    /// The Program with operations, bytes, scopes and the reason for each choice.
    [[nodiscard]] std::string explain() const;

    /// Runs `batch` problems in host memory and returns when they are done. Any device: on GPUs the
    /// batch is streamed through device memory in chunks, so it may be larger than that.
    ///
    /// operands, results   one per operands(), outputs(), in order
    /// status              `batch` entries, or empty
    /// Errors   OperandError for null or misaligned data with a non-empty shape, results that
    ///          overlap anything: before anything is written. Interrupted. MachineError on GPUs:
    ///          no memory even for one problem, a device lost.
    RunSummary run(std::int64_t batch, std::span<const ConstStrided> operands,
                   std::span<const Strided> results, std::span<std::int32_t> status = {},
                   const RunHooks& hooks = {}) const;

    /// The same in the caller's workspace, which holds all intermediate results. Only for plans on the
    /// processor.
    ///
    /// workspace   at least workspace_bytes(), 64-byte aligned
    /// Errors   OperandError also for too small or misaligned a workspace, and on a GPU.
    RunSummary run(std::int64_t batch, std::span<const ConstStrided> operands,
                   std::span<const Strided> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks = {}) const;

    /// Enqueues `batch` problems in the memory of the plan's GPU on a stream: waits for nothing, compiles
    /// nothing, and allocates nothing but what CUDA loads at the first use of a kernel, and handles for a
    /// call that comes while others are under way. The last bits may depend on `batch`. Threads and streams
    /// may share a plan, each with a workspace; all memory must stay until the stream is done with it.
    ///
    /// operands, results   as in `run`: any strides; each address a multiple of the element's size.
    ///                     All of it device memory (or managed memory) of the plan's GPU.
    /// status              `batch` entries of device memory, or null. A problem that fails has its
    ///                     pivot there and NaN in its results; no exception and no count.
    /// workspace           device memory, 256-byte aligned, `workspace_bytes` of it: at least
    ///                     workspace_bytes(). Its contents need not be kept between calls.
    /// stream              a cudaStream_t of the plan's GPU; null is its default stream
    /// Errors   Before anything is enqueued OperandError: what `run` says of its arguments, host memory,
    ///          memory or a stream of another GPU, a workspace too small or misaligned, the processor or
    ///          `cuda:all`; UnsupportedError where the stream is captured and a plan not `capturable` needs
    ///          cuSOLVER. MachineError with the call, its code and the source line.
    void enqueue(std::int64_t batch, std::span<const ConstStrided> operands,
                 std::span<const Strided> results, std::int32_t* status, void* workspace,
                 std::size_t workspace_bytes, void* stream) const;

    /// Compares results of a run with f and its differential, evaluated in double by code that shares
    /// nothing with what derived, planned and ran them: the value is f, and <G, D> is df(X; D) along a
    /// random direction D of the variable's structure. For a Hessian-vector product f is <grad f, V>, with
    /// the closed form of grad f. Sums and means over the batch are compared with those over the problems
    /// that succeeded, and so is the count that a batched output of a mean is divided by.
    ///
    /// batch, operands, results, status   those of `run`, after it; host memory. Without status every
    ///             problem is taken to have succeeded.
    /// problems    those to compare, by their number in the batch; empty: at most eight, the first and
    ///             the last included. Problems that failed are left out. Sums and means are compared whole.
    /// Returns     for each output the worst residual with the bound that rounding explains: 4 n eps
    ///             times what a relative error of one unit in every operation may change, computed at
    ///             the data, with n the most rows plus the most columns of the operands.
    /// Errors      what `run` says of its arguments; OperandError for a problem outside the batch, and for
    ///             problems named where every result is reduced.
    /// Cost        slow on purpose: for each problem and output naive evaluations of f, of number
    ///             quadratic in its operations; of sums and means for every problem of the batch.
    /// Source      df = tr(G' dX): Magnus & Neudecker, Matrix Differential Calculus (3rd ed. 2019), ch. 9.
    ///             Running error analysis: Higham, Accuracy and Stability (2nd ed. 2002), sec. 3.3.
    [[nodiscard]] CheckReport check(std::int64_t batch, std::span<const ConstStrided> operands,
                                    std::span<const Strided> results,
                                    std::span<const std::int32_t> status = {},
                                    std::span<const std::int64_t> problems = {}) const;

    struct Impl;
    explicit Plan(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

private:
    std::shared_ptr<const Impl> impl_;
};

/// Plans f and its gradients for the sizes of `operands`.
///
/// `batch` is the number of problems the plan is weighed for; any number may be run.
/// Operands that no result depends on may be left out, the variable of a gradient among them: it then counts
/// as shared.
///
/// Errors   those of `derive`; OperandError for a needed symbol without operand, an operand f does not
///          use, a reduction of no output, or a GPU that does not exist; ShapeError where sizes disagree; UnsupportedError for
///          sizes past what a GPU's libraries take; MachineError where a GPU is asked for by name
///          and none can be used: it says why. `automatic` then takes the processor.
[[nodiscard]] MATGRAD_API Plan make_plan(const Expr& f, std::span<const Operand> operands,
                                         std::int64_t batch, const PlanOptions& options);

}  // namespace matgrad
