#pragma once
/// \file Plans from text, and their results beside the reference.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "planner/interpreter.hpp"
#include "planner/planner.hpp"

namespace matgrad::testing {

using Dims = std::map<std::string, std::int64_t>;

/// Some forms over one set of symbols, with sizes.
struct Problem {
    std::vector<std::string> forms;
    std::vector<std::string> declarations;
    Dims dims;
    std::set<std::string> shared;  ///< names of the operands that are not batched
};

/// The forms parsed, with an operand for each declaration; the first is the value, the others are
/// gradients named g1, g2, ...
[[nodiscard]] PlanRequest request_for(const Problem& problem);
[[nodiscard]] Program program_for(const Problem& problem);

/// Every output is a sum over the batch, or none is.
void set_summed(PlanRequest& request, bool summed);

/// Random operands for a few problems, honouring structure and what is shared.
[[nodiscard]] std::vector<Operands> random_problems(const PlanRequest& request, int count,
                                                    std::uint64_t seed);

/// Plans, runs in the planned buffers and compares every output with the reference. The bound is
/// that of a backward stable algorithm: what the reference itself moves by when the operands move
/// by c*n*eps.
void expect_matches_reference(const PlanRequest& request, std::uint64_t seed = 1);
void expect_matches_reference(const Problem& problem, std::uint64_t seed = 1);

/// How many steps of one kind the program has.
template <typename Kind>
[[nodiscard]] int count_steps(const Program& program) {
    int count = 0;
    for (const Step& s : program.steps) {
        count += std::holds_alternative<Kind>(s.operation);
    }
    return count;
}

template <typename Kind>
[[nodiscard]] std::vector<Step> steps_of(const Program& program) {
    std::vector<Step> found;
    for (const Step& s : program.steps) {
        if (std::holds_alternative<Kind>(s.operation)) {
            found.push_back(s);
        }
    }
    return found;
}

}  // namespace matgrad::testing
