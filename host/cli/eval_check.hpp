#pragma once
/// \file `eval --check`: a sample of the problems against the reference.

#include <cstdint>
#include <string>
#include <vector>

#include "cli/eval_stream.hpp"

namespace matgrad {

/// Sees every piece of a run and checks the sample in it: the first and the last problem and some
/// between, drawn with a fixed seed. Of a reduced run it checks the sum over the first problems.
class EvalCheck {
public:
    /// `plan` is the one that runs.
    EvalCheck(const EvalRequest& request, const Plan& plan);

    /// Errors: those of Plan::check.
    void add(const Piece& piece);
    [[nodiscard]] bool passed() const noexcept { return report_.passed(); }
    [[nodiscard]] std::string text() const { return report_.text(); }

private:
    void add_sample(const Piece& piece);
    void add_sum(const Piece& piece);

    const Plan& plan_;
    ScalarType type_;
    bool is_reduced_;
    std::vector<std::int64_t> sample_;
    CheckReport report_;
};

}  // namespace matgrad
