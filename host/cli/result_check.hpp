#pragma once
/// \file Results of a plan, problem by problem, against the reference; the worst is remembered.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "api/check.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

class ResultCheck {
public:
    /// `outputs` and `options` are those of the plan, its device settled.
    ResultCheck(const Expr& f, const PlanOptions& options, std::span<const OutputInfo> outputs);

    /// One problem that succeeded: its operands by name, its results in the order of the outputs.
    /// Returns what rounding may explain of each result. Errors: those of the reference.
    std::vector<double> add(std::int64_t problem, const MatrixMap& values,
                            std::span<const Eigen::MatrixXd> results);
    /// Another comparison, of whatever `what` names.
    void note(const Comparison& comparison, std::string what, std::int64_t problem);

    [[nodiscard]] std::int64_t problems() const noexcept { return problems_; }
    [[nodiscard]] bool passed() const noexcept { return worst_.passes(); }
    /// `16 problems, worst residual 1.2e-15 (gradient X of problem 3), bound 3.4e-13: ok`.
    [[nodiscard]] std::string text() const;

    /// The direction in which gradients are checked.
    static constexpr std::uint64_t kDirectionSeed = 7;

private:
    PlanOptions options_;
    std::vector<OutputInfo> outputs_;
    DifferentialCheck function_;
    std::vector<DifferentialCheck> hvps_;  ///< in the order of options.hvp
    std::int64_t problems_ = 0;
    Comparison worst_;
    std::string worst_what_;
    std::int64_t worst_problem_ = 0;
};

}  // namespace matgrad
