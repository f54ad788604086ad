#pragma once
/// \file `eval --check`: a sample of the problems against the reference.

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/eval_stream.hpp"
#include "cli/result_check.hpp"

namespace matgrad {

/// Sees every piece of a run and checks the sample in it: the first and the last problem and some
/// between, drawn with a fixed seed. Of a reduced run it checks the sum over the first problems
/// against their own results, and those against the reference.
class EvalCheck {
public:
    /// `plan` is the one that runs.
    EvalCheck(const EvalRequest& request, const Plan& plan);

    /// Errors: those of the reference.
    void add(const Piece& piece);
    [[nodiscard]] bool passed() const noexcept { return check_.passed(); }
    [[nodiscard]] std::string text() const { return check_.text(); }

private:
    void add_problem(const Piece& piece, std::int64_t k);
    void add_reduced(const Piece& piece);

    const EvalRequest& request_;
    const Plan& plan_;
    std::vector<OutputInfo> outputs_;
    std::optional<Plan> unreduced_;  ///< of a reduced run
    std::vector<std::int64_t> sample_;
    ResultCheck check_;
};

}  // namespace matgrad
