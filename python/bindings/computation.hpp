#pragma once
/// \file What a call computes: an expression, and what of it is wanted.
///
/// A Computation is a value that a text stands for, its key, so that frameworks which keep operations by their
/// attributes (a traced graph of PyTorch, a compiled module of XLA, a pickle) keep this one, in this process or
/// the next. Its derivatives are Computations again: forward mode (`tangent`) and reverse mode (`vjp`), in closed
/// form, of any order.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad::python {

/// How many axes the matrix of a symbol has: a scalar none, a column vector one.
[[nodiscard]] int rank_of(const Shape& shape) noexcept;

/// One result, and what is done to it over the batch.
struct Output {
    std::string text;  ///< `value`, `gradient X`, `hvp X`, `rcond`, `error value`
    Reduction reduction = Reduction::none;
};

/// The size of an operand in one call.
struct OperandSize {
    std::int64_t rows = 1;
    std::int64_t cols = 1;
    bool batched = false;
    friend auto operator<=>(const OperandSize&, const OperandSize&) = default;
};

/// A plan, and where each of its operands and results is among those of the Computation.
struct PlannedCall {
    Plan plan;
    std::vector<std::size_t> operands;
    std::vector<std::size_t> outputs;
    std::int64_t problems = 1;  ///< that it is weighed for
    PlanCost cost = {};         ///< of so many
};

/// A Computation that another one leads to.
struct Derived {
    std::string key;  ///< empty if all outputs are zero
    std::vector<bool>
        live;  ///< of the outputs that were asked for: those that it has, the others are zero
};

class Computation {
public:
    static constexpr std::size_t kMostKept = 4096;
    /// The one of this key; made at its first use and kept, at most kMostKept of them. A key is JSON:
    ///
    ///     {"text": "logdet(X'*X)", "declare": ["X=m,n"], "outputs": [["value", "none"], ["gradient X", "sum"]],
    ///      "hvp": [["X", "dX"]], "accuracy": "robust", "convention": "projected", "device": "cpu", ...}
    ///
    /// Errors   those of `parse`; CallerError for a key that is not one
    static std::shared_ptr<const Computation> of(const std::string& key);

    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] const Expr& expression() const noexcept { return f_; }
    /// The symbols, those of Hessian-vector directions last.
    [[nodiscard]] const std::vector<Declaration>& operands() const noexcept { return operands_; }
    [[nodiscard]] const std::vector<Output>& outputs() const noexcept { return outputs_; }

    /// How many of the operands are directions of Hessian-vector products.
    [[nodiscard]] std::size_t directions() const noexcept { return options_.joint_hvp.size(); }
    /// The variable of the direction that operand i is, by its place.
    [[nodiscard]] std::size_t variable_of(std::size_t direction) const;
    /// The operand whose shape a gradient or product has, by its place.
    [[nodiscard]] std::optional<std::size_t> variable_of_output(std::size_t output) const {
        return variables_[output];
    }
    /// Axes of one result: 0 of a number, 1 of a vector, 2.
    [[nodiscard]] int rank_of_output(std::size_t output) const { return ranks_[output]; }

    /// The outputs' derivative along a direction for each of the variables: new operands, of their shapes.
    [[nodiscard]] Derived tangent(
        const std::vector<std::pair<std::string, std::string>>& directions) const;
    /// Of the inner product of the outputs with cotangents (new operands, of the outputs' shapes) the
    /// gradients by the variables. Of a variable that all problems share it is the sum over them.
    [[nodiscard]] Derived vjp(const std::vector<std::string>& cotangents,
                              const std::vector<std::string>& variables) const;

    /// The plan of a call with operands of these sizes, kept.
    [[nodiscard]] std::shared_ptr<const PlannedCall> plan(std::span<const OperandSize> sizes,
                                                          std::int64_t batch, ScalarType type,
                                                          Device device) const;
    /// Forgets the plans, and with them the memory that they keep.
    void release() const;

    explicit Computation(const std::string& key);

private:
    struct Question {
        std::vector<OperandSize> sizes;
        int magnitude = 0;
        ScalarType type = ScalarType::float64;
        std::string device;
        friend auto operator<=>(const Question&, const Question&) = default;
    };
    struct Kept {
        std::shared_ptr<const PlannedCall> call;
        std::uint64_t used = 0;
    };

    [[nodiscard]] Derived derived(const std::optional<Expr>& f,
                                  const std::vector<Output>& outputs) const;
    [[nodiscard]] PlannedCall make(std::span<const OperandSize> sizes, std::int64_t batch,
                                   ScalarType type, Device device) const;

    static constexpr std::size_t kMostPlans = 64;

    std::string key_;
    Expr f_;
    PlanOptions options_;
    std::int64_t expected_batch_ = 0;  ///< 0: that of each call
    std::vector<Declaration> operands_;
    std::vector<Output> outputs_;
    std::vector<std::optional<std::size_t>> variables_;
    std::vector<int> ranks_;
    mutable std::mutex mutex_;
    mutable std::map<Question, Kept> plans_;
    mutable std::uint64_t uses_ = 0;
};

}  // namespace matgrad::python
