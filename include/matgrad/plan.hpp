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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "matgrad/calculus.hpp"
#include "matgrad/expression.hpp"

namespace matgrad {

enum class ScalarType { float32, float64 };
[[nodiscard]] constexpr std::int64_t size_of(ScalarType type) {
    return type == ScalarType::float32 ? 4 : 8;
}

/// robust: for float data, Gram matrices and their factors are computed in double, so the error is
/// at most c*eps*cond(X) and not its square. fast: everything in the type of the data.
enum class Accuracy { robust, fast };

/// What happens over the batch. Sums and means cover the problems that succeeded.
enum class Reduction { none, sum, mean };

enum class OutputKind { value, gradient, hvp };

/// One component, counted from 0.
struct MATGRAD_API Entry {
    std::int64_t row = 0;
    std::int64_t col = 0;
};

/// The size of one operand.
struct MATGRAD_API Operand {
    std::string name;
    std::int64_t rows = 0;
    std::int64_t cols = 1;
    bool batched = false;
};

/// `V` of the Hessian-vector product with respect to `variable`.
struct MATGRAD_API HvpRequest {
    std::string variable;
    std::string direction;  ///< name of the operand V, of the variable's shape
};

struct MATGRAD_API PlanOptions {
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    Reduction reduction = Reduction::none;
    Convention convention = Convention::projected;
    bool value = true;                  ///< compute f itself
    std::vector<std::string> wrt = {};  ///< one gradient for each
    std::vector<HvpRequest> hvp = {};
    std::optional<Entry> entry = {};  ///< only this component of each gradient
    int threads = 0;                  ///< 0: as many as the machine has
};

/// Read-only data of one operand. Strides are in elements and may be zero or negative.
struct MATGRAD_API ConstBatch {
    const void* data = nullptr;
    std::int64_t row_stride = 0;
    std::int64_t col_stride = 0;
    std::int64_t batch_stride = 0;  ///< ignored for a shared operand

    /// Row-major, one problem after the other.
    static ConstBatch contiguous(const void* data, std::int64_t rows, std::int64_t cols) {
        return {data, cols, 1, rows * cols};
    }
};

/// Where one result goes. No two entries may share an address.
struct MATGRAD_API Batch {
    void* data = nullptr;
    std::int64_t row_stride = 0;
    std::int64_t col_stride = 0;
    std::int64_t batch_stride = 0;

    static Batch contiguous(void* data, std::int64_t rows, std::int64_t cols) {
        return {data, cols, 1, rows * cols};
    }
};

struct MATGRAD_API OutputInfo {
    OutputKind kind = OutputKind::value;
    std::string name;  ///< variable; empty for the value
    std::int64_t rows = 1;
    std::int64_t cols = 1;
    bool batched = false;  ///< false if every operand is shared or the batch is reduced
};

struct MATGRAD_API RunSummary {
    std::int64_t problems = 0;
    std::int64_t failed = 0;
};

/// Hooks of a long run. `advance` is called with the number of problems done so far, from one
/// thread at a time; returning false ends the run early with `Interrupted`.
struct MATGRAD_API RunHooks {
    std::function<bool(std::int64_t done)> advance;
};

/// The run was ended by its own hook.
class MATGRAD_API Interrupted : public Error {
public:
    using Error::Error;
};

/// An immutable plan; may be run from several threads at once, each with its own workspace.
class MATGRAD_API Plan {
public:
    /// The operands a run needs, in the order it takes them.
    [[nodiscard]] const std::vector<Operand>& operands() const;
    /// The results a run writes, in order: the value if asked for, gradients, then HVPs.
    [[nodiscard]] const std::vector<OutputInfo>& outputs() const;
    /// Bytes of workspace `run` needs, for any batch.
    [[nodiscard]] std::size_t workspace_bytes() const;
    /// The Program with operations, bytes, scopes and the reason for each choice.
    [[nodiscard]] std::string explain() const;

    /// Runs `batch` problems and returns when they are done.
    ///
    /// operands, results   one per operands(), outputs(), in order
    /// status              `batch` entries, or empty
    /// workspace           at least workspace_bytes(), 64-byte aligned
    /// Errors   OperandError for null data with a non-empty shape, overlapping or missing results,
    ///          too small or misaligned a workspace: before anything is written.
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks = {}) const;

    /// The same with a workspace of its own.
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> operands,
                   std::span<const Batch> results, std::span<std::int32_t> status = {},
                   const RunHooks& hooks = {}) const;

    struct Impl;
    explicit Plan(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

private:
    std::shared_ptr<const Impl> impl_;
};

/// Plans f and its gradients for the sizes of `operands`.
///
/// `batch` is the number of problems the plan is weighed for; any number may be run.
/// Errors   those of `derive`; OperandError for a symbol without operand or an operand f does not
///          use; ShapeError where sizes disagree.
[[nodiscard]] MATGRAD_API Plan make_plan(const Expr& f, std::span<const Operand> operands,
                                         std::int64_t batch, const PlanOptions& options);

}  // namespace matgrad
