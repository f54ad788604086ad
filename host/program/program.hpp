#pragma once
/// \file The Program: a short list of linear-algebra steps over values in single assignment.
///
/// This is all that executors see of a function; verify.hpp checks what is said here. Every value is a real matrix of known size, row-major in
/// meaning; an executor may lay it out as it likes. A step reads uses (views) of values and writes
/// one value (getrf writes two). Steps of shared scope come first and run once; the steps of problem
/// scope then run for every problem; batch_reduce steps gather over the problems that succeeded.
///
/// Types    A step computes in `Step::type`: what it reads is converted on reading and what it
///          writes is rounded to the value's own type on writing.
/// Aliasing `out` may have the buffer of an input whose life ends there: aliasing.hpp says of which.
/// Numbers  NaN and infinity propagate; a failed factorization sets the problem's status.

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "matgrad/types.hpp"
#include "program/map_op.hpp"

namespace matgrad {

using ValueId = int;
inline constexpr ValueId kNoValue = -1;

/// A dimension of a plan: its symbolic name (m and n stay distinct when equal) and its size.
struct Extent {
    std::string name;
    std::int64_t size = 0;
};

enum class Scope { shared, problem, reduced };

struct Value {
    Extent rows, cols;
    ScalarType type = ScalarType::float64;
    Structure structure = Structure::general;  ///< symmetric: both triangles are stored and equal;
                                               ///< lower: only the lower triangle is meaningful
    Scope scope = Scope::problem;
    int operand = -1;  ///< index into Program::operands, or -1
    int output = -1;   ///< index into Program::outputs if written straight to a result, or -1
    std::int64_t offset = -1;  ///< in bytes, in its scope's workspace; -1 if it has none.
                               ///< Of problem scope: per problem, a multiple of 8.
    std::string text;          ///< the expression it holds, for people
    [[nodiscard]] std::int64_t count() const { return rows.size * cols.size; }
};

/// A view of a value: optionally one row and/or one column of it (counted from 0), then optionally
/// transposed.
struct Use {
    ValueId value = kNoValue;
    bool transposed = false;
    std::int64_t row = -1;
    std::int64_t col = -1;
};

/// out = alpha * a * b + beta * c   (c absent: beta is 0).
struct Gemm {
    Use a, b;
    double alpha = 1;
    double beta = 0;
    Use c;
};

/// out = alpha * a * a' with a the (possibly transposed) use; symmetric.
struct Syrk {
    Use a;
    double alpha = 1;
    bool mirror = true;  ///< write both triangles; otherwise the lower one alone
};

/// out: lower Cholesky factor, a = L L'. Reads the lower triangle of a (never transposed).
///
/// With a root, a = root_scale^2 root' root, and L is promised to be the factor of that for a root
/// changed by a few roundings. The roundings of a itself break this promise where the condition of the
/// root is large: there L is computed from the root.
struct Potrf {
    Use a;
    Use root = {};  ///< absent: a is no square
    double root_scale = 1;
    bool fails = true;  ///< false: L is NaN where a is not positive, and the problem goes on
    /// A factorization that fails is tried again of a with its diagonal times 1 + t, for t of growing powers of
    /// 10: the status then is jittered, and no failure.
    bool jitter = false;
};

enum class Side { left, right };

/// out = alpha * op(T)^-1 b (left) or alpha * b op(T)^-1 (right); T triangular.
struct Trsm {
    Side side = Side::left;
    bool lower = true;        ///< which triangle of the stored T is read
    bool transposed = false;  ///< op(T) = T'
    Use triangle;
    Use b;  ///< absent (kNoValue): the identity
    double alpha = 1;
};

/// out = LU with partial pivoting, unit lower triangle; out2 = n-by-1 pivots, as numbers: at step k
/// row k was swapped with row pivots[k] (from 0). Solve and signed_product alone read them: an
/// executor may keep them in another form.
struct Getrf {
    Use a;
    bool zero_pivot_fails = true;  ///< false where only the determinant is wanted
    bool fails = true;             ///< false: no pivot fails the problem, whatever it is
};

/// out = op(A)^-1 b (left) or b op(A)^-1 (right) from the LU factors of A.
struct Solve {
    Side side = Side::left;
    bool transposed = false;
    Use lu, pivots;
    Use b;  ///< absent: the identity, so out = op(A)^-1
};

enum class Broadcast {
    none,    ///< the operand has the shape of the domain
    scalar,  ///< 1x1, the same everywhere
    column,  ///< m-by-1, the same in every column
    row,     ///< 1-by-n, the same in every row
};

struct MapOperand {
    Use use;
    Broadcast broadcast = Broadcast::none;
};

/// One instruction of an entrywise expression; its result is the register of its own index.
struct MapInstruction {
    MapOp op = MapOp::load;
    int a = -1, b = -1;
    double number = 0;
};

/// An executor may keep all of an expression in registers.
inline constexpr std::size_t kMaxBodyOperands = 32;
inline constexpr std::size_t kMaxBodyCode = 128;

/// An entrywise expression over a domain of rows x cols; the last register is the result.
struct MapBody {
    std::vector<MapOperand> operands;
    std::vector<MapInstruction> code;
};

struct Map {
    MapBody body;
};

enum class ReduceOp {
    sum,
    max,  ///< -infinity for an empty domain; NaN if any entry is
    product,
    signed_product,  ///< product, negated once for each k with pivots[k] != k: det from LU
    norm,  ///< the root of the sum of squares, over all entries; squares neither overflow nor underflow
};
enum class ReduceOver { all, rows, cols, diagonal };  ///< rows: one number per row (m-by-1)

/// out = scale * reduction of an entrywise expression over `rows` x `cols`.
struct Reduce {
    ReduceOp op = ReduceOp::sum;
    ReduceOver over = ReduceOver::all;
    Extent rows, cols;  ///< the domain
    MapBody body;
    double scale = 1;
    Use pivots;  ///< signed_product only
};

/// out = sum over the problems that succeeded. (A mean is divided by their count at the end.)
struct BatchReduce {
    Use a;
};

/// out = a: a conversion, a transposition made real, or a spread of a scalar.
struct Copy {
    Use a;
};

/// out(i, j) = a(i + row, j + col), counted from 0, and exactly 0 where a has no such entry: a block of a,
/// or a as a block among zeros.
struct Window {
    Use a;
    std::int64_t row = 0;
    std::int64_t col = 0;
};

/// The entries that a Window takes from `a`: rows `row` to `row + rows` and so on, and where they go.
struct WindowBlock {
    std::int64_t rows = 0, cols = 0;          ///< 0 where both meet nowhere
    std::int64_t from_row = 0, from_col = 0;  ///< in a
    std::int64_t to_row = 0, to_col = 0;      ///< in the result
};

/// How a step of problem scope may be run for many problems at once.
enum class Fold {
    none,
    /// Of gemm without c and syrk: one batch_reduce alone reads the result, so one product whose inner
    /// dimension runs over the batch gives the sum. An executor need not do so.
    inner,
};

using Operation =
    std::variant<Gemm, Syrk, Potrf, Trsm, Getrf, Solve, Map, Reduce, BatchReduce, Copy, Window>;

struct Step {
    Operation operation;
    ValueId out = kNoValue;
    ValueId out2 = kNoValue;
    Scope scope = Scope::problem;
    ScalarType type = ScalarType::float64;  ///< what it computes in
    Fold fold = Fold::none;
    double operations = 0;  ///< per run of the step: multiplications and additions
    double bytes = 0;       ///< read and written
    std::string why;        ///< the reason for the choice, for --explain
};

struct ProgramOperand {
    std::string name;
    ValueId value = kNoValue;
    bool batched = false;
};

struct ProgramOutput {
    OutputKind kind = OutputKind::value;
    std::string name;          ///< the variable of a gradient; empty for the value
    ValueId value = kNoValue;  ///< the value that holds it when the program ends; several outputs
                               ///< may name one value, and it may be an operand
    bool transposed = false;   ///< the result is the transpose of that value
    bool repeated = false;  ///< computed once, written for every problem: NaN for those that failed
    bool mean =
        false;  ///< divided by the count of problems that succeeded: a sum, or each problem's
};

struct Program {
    std::vector<Value> values;
    std::vector<Step> steps;
    std::vector<ProgramOperand> operands;
    std::vector<ProgramOutput> outputs;
    std::int64_t batch = 1;                 ///< the batch the costs were weighed for
    ScalarType type = ScalarType::float64;  ///< of all operands and results
    Accuracy accuracy = Accuracy::robust;
    std::int64_t shared_bytes = 0;   ///< workspace for values of shared and reduced scope
    std::int64_t problem_bytes = 0;  ///< workspace for one problem

    [[nodiscard]] const Value& value(ValueId id) const {
        return values[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
};

/// One line a step, with operations and bytes, scopes and reasons; then totals.
[[nodiscard]] std::string to_text(const Program& program);
/// The text of one step alone: `G = syrk(X', X)`.
[[nodiscard]] std::string to_text(const Program& program, const Step& step);

}  // namespace matgrad
