#pragma once
/// \file The plain types that every layer shares: scalar types, sizes, views of batches, run options.
///
/// Real entries. A view never owns its data; strides count elements.

#include <cstdint>
#include <functional>
#include <string>

#include "matgrad/export.hpp"

namespace matgrad {

enum class ScalarType { float32, float64 };
[[nodiscard]] constexpr std::int64_t size_of(ScalarType type) {
    return type == ScalarType::float32 ? 4 : 8;
}

/// robust: where a Gram matrix X'X is factored, the error of value and gradient is that of a few relative
/// changes of X by eps, about c*eps*cond(X) and not its square; where nothing is left of eps*cond(X), the problem
/// is ill-conditioned. For float data what leads to a factor is computed in double; for double data the factor is made
/// anew from X where its condition asks for it; on a GPU `enqueue` marks what is beyond its care, and `run` has the
/// processor do it. fast: everything in the type of the data, and sums of squares as traces: docs/accuracy.md.
enum class Accuracy { robust, fast };

/// What happens over the batch. Sums and means cover the problems that succeeded, in what was asked for: a gradient
/// that needs no factor does not fail where the value would. The sum over no problem is 0, the mean of a batch
/// of none too; a mean over failed problems alone is NaN.
enum class Reduction { none, sum, mean };

enum class OutputKind {
    value,
    gradient,
    hvp,
    rcond,  ///< PlanOptions::rcond: one number for each problem
    error,  ///< PlanOptions::error: one number for each problem, of the result that its name is
};

/// rcond and error tell of results, the others are results; in a plan they come last.
[[nodiscard]] constexpr bool is_diagnostic(OutputKind kind) {
    return kind == OutputKind::rcond || kind == OutputKind::error;
}

/// `value`, `gradient X`, `hvp X`, `rcond`, `error gradient X`.
[[nodiscard]] inline std::string output_text(OutputKind kind, const std::string& name) {
    switch (kind) {
        case OutputKind::gradient:
            return "gradient " + name;
        case OutputKind::hvp:
            return "hvp " + name;
        case OutputKind::rcond:
            return "rcond";
        case OutputKind::error:
            return "error " + name;
        case OutputKind::value:
            break;
    }
    return "value";
}

/// One component, counted from 0.
struct MATGRAD_API Entry {
    std::int64_t row = 0;
    std::int64_t col = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
};

/// The size of one operand.
struct MATGRAD_API Operand {
    std::string name;
    std::int64_t rows = 0;
    std::int64_t cols = 1;
    bool batched = false;
    friend bool operator==(const Operand&, const Operand&) = default;
};

/// What a declaration promises of a symbol. Promises are trusted, not verified.
enum class Structure {
    general,
    symmetric,   ///< `sym`:   A' = A
    positive,    ///< `spd`:   symmetric positive definite
    diagonal,    ///< `diag`:  zero off the diagonal
    lower,       ///< `lower`: zero above the diagonal
    upper,       ///< `upper`: zero below the diagonal
    orthogonal,  ///< `orth`:  Q'Q = I
};

/// How executors address one operand. Strides are in elements and may be zero or negative.
struct MATGRAD_API ConstStrided {
    const void* data = nullptr;
    std::int64_t row_stride = 0;
    std::int64_t col_stride = 0;
    std::int64_t batch_stride = 0;  ///< ignored for a shared operand

    /// Row-major, one problem after the other.
    static ConstStrided contiguous(const void* data, std::int64_t rows, std::int64_t cols) {
        return {data, cols, 1, rows * cols};
    }
};

/// How executors address one result. No two entries share an address.
struct MATGRAD_API Strided {
    void* data = nullptr;
    std::int64_t row_stride = 0;
    std::int64_t col_stride = 0;
    std::int64_t batch_stride = 0;

    static Strided contiguous(void* data, std::int64_t rows, std::int64_t cols) {
        return {data, cols, 1, rows * cols};
    }
};

struct MATGRAD_API RunSummary {
    std::int64_t problems = 0;
    std::int64_t failed = 0;
};

/// Calls work(0), ..., work(count - 1), each once and in any order, on whatever threads, and returns when
/// all have returned. `work` throws nothing. It is called from the thread of a run alone, never from within
/// `work`.
using Parallel = std::function<void(int count, const std::function<void(int)>& work)>;

/// Hooks of a long run. `advance` is called with the number of problems done so far, from one
/// thread at a time; returning false ends the run early with `Interrupted`. What it throws leaves the run.
struct MATGRAD_API RunHooks {
    std::function<bool(std::int64_t done)> advance;
};

}  // namespace matgrad
