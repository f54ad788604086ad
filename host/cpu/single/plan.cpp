#include "cpu/single/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cpu/single/build.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// A plan for more problems than these has lanes for them.
constexpr std::int64_t kFewProblems = 4;

bool has_batch(const Program& program) {
    return std::any_of(program.operands.begin(), program.operands.end(),
                       [](const ProgramOperand& operand) { return operand.batched; });
}

bool is_small(const Program& program) {
    return std::all_of(program.values.begin(), program.values.end(), [](const Value& value) {
        return value.count() > 0 && value.rows.size <= kMostSingleOrder &&
               value.cols.size <= kMostSingleOrder && value.scope != Scope::reduced;
    });
}

}  // namespace

std::string SinglePlan::explain() const {
    return fmt::format("single small problems, one after the other on the stack: {} kernels",
                       steps.size());
}

bool is_for_few(const Program& program) {
    return !has_batch(program) || program.batch <= kFewProblems;
}

std::unique_ptr<const SinglePlan> make_single_plan(const Program& program,
                                                   std::int32_t shape_status) {
    const bool any_batched = has_batch(program);
    const bool are_apart = std::all_of(
        program.outputs.begin(), program.outputs.end(), [&](const ProgramOutput& output) {
            return !output.mean && (!any_batched || is_per_problem(program, output));
        });
    return are_apart && is_small(program) ? build_single_plan(program, shape_status) : nullptr;
}

}  // namespace matgrad::detail
