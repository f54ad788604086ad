#pragma once
/// \file Plans: a function and its gradients made ready for one size of problem, then run over
/// batches.
///
/// Real entries. Each operand is batched (one matrix per problem) or shared (one for all). Views
/// (views.hpp) say where matrices lie, so row-major, column-major and sliced data are all read in place;
/// results may not overlap operands. Operands are read anew at each run. NaN and infinity propagate
/// as IEEE 754 says; where a matrix is factored, a pivot that is not finite, not positive (Cholesky)
/// or zero (LU) fails that problem alone: its status names kind and pivot (status.hpp), its
/// results are NaN, and its neighbours are bit for bit what they were.
///
/// A plan is made for a device. `Plan::run` takes host memory and blocks, wherever it computes;
/// `Plan::enqueue` takes the memory of one GPU and only enqueues.
///
///     const auto f = matgrad::parse("logdet(X'*X)");
///     const auto plan = matgrad::make_plan(f, {batched("X", 64, 16)}, {.wrt = {"X"}});
///     plan.run({{"X", row_major(x, 64, 16).batched(1000)}}, {{"value", value}, {"gradient X", g}});

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "matgrad/calculus.hpp"
#include "matgrad/check.hpp"
#include "matgrad/device.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/types.hpp"
#include "matgrad/views.hpp"
#include "matgrad/workspace.hpp"

namespace matgrad {

class Linearization;

/// `V` of the Hessian-vector product with respect to `variable`: the gradient of <grad f, V>.
struct MATGRAD_API HvpRequest {
    std::string variable;
    std::string direction;  ///< name of the operand V, of the variable's shape
    friend bool operator==(const HvpRequest&, const HvpRequest&) = default;
};

/// What is done over the batch to one output, named as `OutputInfo::text` names it: `value`,
/// `gradient X`, `hvp X`.
struct MATGRAD_API OutputReduction {
    std::string output;
    Reduction reduction = Reduction::none;
    friend bool operator==(const OutputReduction&, const OutputReduction&) = default;
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
    /// On a GPU. Errors of making a plan: UnsupportedError with the reason where `fused` is asked for and cannot be.
    GpuExecutor executor = GpuExecutor::automatic;
    /// On a GPU, a CUDA graph may hold `enqueue` whatever the plan factors, with the bits of a plain call:
    /// no cuSOLVER. A Cholesky factor is then one block's work, slow beyond a few hundred rows.
    bool capturable = false;
    /// On a GPU, `enqueue` may be given rows: the workspace has room for the operands that they name.
    bool gathers = false;
    /// On a GPU, the most bytes that `run` takes on each device; 0: what is free there.
    std::size_t device_memory = 0;
    /// `explain` also shows the Program after each pass of the planner that changed it.
    bool explain_passes = false;
    /// How many problems the plan is weighed for; any number may be run.
    std::int64_t expected_batch = 1000;
    /// For outputs named here this is done to the output of f, whatever `reduction` says.
    std::vector<OutputReduction> reductions = {};
    /// The Hessian over all these variables at once, applied to their directions: one result for each,
    /// cross terms included.
    std::vector<HvpRequest> joint_hvp = {};
    /// A further result `rcond`, one number for each problem: the least of 1/(|Y|*|inv(Y)|) over the matrices Y whose
    /// inverse or determinant the results are made of, in the 1-norm; 1 where there is none. NaN of a
    /// problem that fails. Costs the inverses that are not there already.
    bool rcond = false;
    /// Further results `error value`, `error gradient X`, ...: for each other result but rcond, one number for each
    /// problem, a bound of the error of that result, or of the problem's own part of a sum, relative to
    /// it, both in the Frobenius norm; infinite where no digit is sure, as after jitter; NaN where it fails.
    ///
    /// Method   Every step is done again several times, with roundings that are thrown by coins; the bound is a
    ///          multiple of how far the results scatter. It holds in all but about one case of a thousand, and takes
    ///          8 to 25 times as long.
    /// Source   D. S. Parker, Monte Carlo Arithmetic (1997); Higham, Accuracy and Stability (2nd ed.
    ///          2002), sec. 2.6 and 15.2.
    bool error = false;
    /// A Cholesky factorization that fails is tried again with the diagonal times 1 + t, t = 1e-12 in double and
    /// 1e-6 in float, then ten times that, and so on up to 0.1: results are those of the changed matrix, and
    /// the status says `jittered` with t (status.hpp).
    bool jitter = false;
    friend bool operator==(const PlanOptions&, const PlanOptions&) = default;
};

/// What a run may be told beside its operands and results.
struct MATGRAD_API RunOptions {
    /// Problem i of the run is problem rows[i] of the batched operands, all of which then have one number of
    /// problems; results and status are by i. Empty: as they lie.
    std::span<const std::int64_t> rows = {};
    /// Holds all intermediate results; null: the plan keeps one for each call that runs at the same time.
    Workspace* workspace = nullptr;
    /// The caller's threads; empty: those of the process.
    Parallel parallel = nullptr;
    RunHooks hooks = {};
    /// A problem of which a result of its own is infinite or not a number fails too, with not_finite, and keeps its
    /// results: they are read once more. (Where sums over the batch are made, that is done in any case.)
    bool check_finite = false;
    /// First every problem's operands are held against their declarations, sym, spd, diag, lower, upper, orth or pos: an
    /// OperandError names the first problem that breaks one, and by which entries, and nothing is computed. Entries
    /// may differ by 16*n roundings of the largest; spd is tried by a Cholesky factorization in double.
    bool check_structure = false;
    std::int64_t first_problem = 0;  ///< what such an error calls the first problem of the call
    /// The run is the next part of a longer batch, without rows and beta: workspace.hpp.
    BatchParts* parts = nullptr;
};

/// What `enqueue` is told beside its operands and results: device memory of the plan's GPU.
struct MATGRAD_API EnqueueOptions {
    std::int32_t* status = nullptr;   ///< an entry per problem, or null
    void* workspace = nullptr;        ///< 256-byte aligned; not kept between calls
    std::size_t workspace_bytes = 0;  ///< at least Plan::workspace_bytes()
    void* stream = nullptr;           ///< a cudaStream_t; null is the default stream
    /// As RunOptions::rows, of a plan that `gathers`; read when the call runs, and not checked.
    std::span<const std::int64_t> rows = {};
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

/// An immutable plan; may be run from several threads at once. A copy is the same plan. An empty one, as the
/// default constructor makes it, is an OperandError to use.
class MATGRAD_API Plan {
public:
    Plan() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

    /// The operands a run needs.
    [[nodiscard]] const std::vector<Operand>& operands() const;
    /// The results a run writes, in order: the value if asked for, gradients, then HVPs.
    [[nodiscard]] const std::vector<OutputInfo>& outputs() const;
    [[nodiscard]] ScalarType type() const;
    /// Where it runs: never `automatic`, which make_plan has settled. `explain` says why.
    [[nodiscard]] Device device() const;
    /// Bytes of workspace, independent of the batch: host memory for a CPU plan, device memory for a
    /// plan on one GPU; 0 for `cuda:all`.
    [[nodiscard]] std::size_t workspace_bytes() const;
    [[nodiscard]] PlanCost cost() const;
    /// The Program with operations, bytes, scopes and the reason for each choice.
    [[nodiscard]] std::string explain() const;

    /// Runs a batch in host memory and returns when it is done. Any device: on GPUs the batch is streamed
    /// through device memory in chunks, so it may be larger than that. On the processor nothing is allocated
    /// from the second call on, up to some fifty operands.
    ///
    /// operands   one per operands(): batched views for batched operands, all of one number of problems, which
    ///            is the batch; 1 if there are none
    /// results    one per outputs(), batched where outputs() says so
    /// status     an entry per problem, or empty
    /// Errors     OperandError, before anything is written, names the operand or result: missing, unknown, given
    ///            twice; of another type, size or batch; null, misaligned or reaching past its container; a
    ///            result that overlaps anything; rows out of range. Interrupted. MachineError on GPUs: no
    ///            memory even for one problem, a device lost; and where memory runs out.
    RunSummary run(const OperandViews& operands, const ResultViews& results,
                   std::span<std::int32_t> status = {}, const RunOptions& options = {}) const;

    /// Enqueues a batch in the memory of the plan's GPU on a stream: waits for nothing, compiles
    /// nothing, and allocates nothing but what CUDA loads at the first use of a kernel, and handles for a
    /// call that comes while others are under way. The last bits may depend on the batch. Threads and streams
    /// may share a plan, each with a workspace; all memory must stay until the stream is done with it.
    ///
    /// operands, results   as in `run`, of device memory (or managed memory) of the plan's GPU
    /// status   A problem that fails has its pivot there and NaN in its results; no exception, no count, no jitter. Gram
    ///          matrices of a condition above some 1e6 (double; 1e5 in float) are ill_conditioned: `run` does those.
    /// Errors   Before anything is enqueued OperandError: what `run` says of its arguments, host memory,
    ///          memory or a stream of another GPU, a workspace too small or misaligned, the processor or
    ///          `cuda:all`; UnsupportedError where the stream is captured and a plan not `capturable` needs
    ///          cuSOLVER, and for rows of a plan that does not gather. MachineError with the call, its code and the source line.
    void enqueue(const OperandViews& operands, const ResultViews& results,
                 const EnqueueOptions& options) const;

    /// Compares results of a run with f and its differential, evaluated in double by code that shares
    /// nothing with what derived, planned and ran them: the value is f, and <G, D> is df(X; D) along a
    /// random direction D of the variable's structure. For a Hessian-vector product f is <grad f, V>, with
    /// the closed form of grad f. Sums and means over the batch are compared with those over the problems
    /// that succeeded, and so is the count that a batched output of a mean is divided by.
    ///
    /// operands, results, status   those of a `run` without rows and beta, after it; host memory. Without status every
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
    [[nodiscard]] CheckReport check(const OperandViews& operands, const ResultViews& results,
                                    std::span<const std::int32_t> status = {},
                                    std::span<const std::int64_t> problems = {}) const;

    /// Computes once what the Hessian-vector products need of a point: linearize.hpp, which has to be included.
    /// Values and gradients of the plan are written now. On a GPU what is kept of the point lies in host memory.
    ///
    /// operands   those of `run` but the directions; what Linearization::operands_read_again() names must stay
    ///            as it is while the linearization is used
    /// results    those of `run` but the products
    /// Errors     those of `run`; OperandError for a plan without products
    [[nodiscard]] Linearization linearize(const OperandViews& operands,
                                          const ResultViews& results = {},
                                          std::span<std::int32_t> status = {}) const;

    /// Frees the memory that runs have left for later ones; those under way keep theirs.
    void release() const;

    /// Plans of equal questions: the same function (terms of a sum in any order), operands and options. Their
    /// results are equal but for rounding.
    friend MATGRAD_API bool operator==(const Plan& a, const Plan& b);

private:
    struct Impl;
    friend struct std::hash<Plan>;
    friend class BatchParts;
    friend MATGRAD_API Plan make_plan(const Expr& f, std::span<const Operand> operands,
                                      const PlanOptions& options);
    [[nodiscard]] const Impl& impl() const;

    std::shared_ptr<const Impl> impl_;
};

/// An operand of which each problem has its own, or all have one.
[[nodiscard]] inline Operand batched(std::string name, std::int64_t rows, std::int64_t cols = 1) {
    return {std::move(name), rows, cols, true};
}
[[nodiscard]] inline Operand shared(std::string name, std::int64_t rows, std::int64_t cols = 1) {
    return {std::move(name), rows, cols, false};
}

/// Plans f and its gradients for the sizes of `operands`.
///
/// Operands that no result depends on may be left out, the variable of a gradient among them: it then counts
/// as shared.
///
/// Errors   those of `derive`; OperandError for a needed symbol without operand, an operand f does not
///          use, a reduction of no output, or a GPU that does not exist; ShapeError where sizes disagree;
///          UnsupportedError for sizes past what a GPU's libraries take; MachineError where a GPU is asked for by name
///          and none can be used: it says why. `automatic` then takes the processor.
[[nodiscard]] MATGRAD_API Plan make_plan(const Expr& f, std::span<const Operand> operands,
                                         const PlanOptions& options = {});
[[nodiscard]] inline Plan make_plan(const Expr& f, std::initializer_list<Operand> operands,
                                    const PlanOptions& options = {}) {
    return make_plan(f, std::span(operands.begin(), operands.size()), options);
}

}  // namespace matgrad

template <>
struct MATGRAD_API std::hash<matgrad::Plan> {
    std::size_t operator()(const matgrad::Plan& plan) const noexcept;
};
