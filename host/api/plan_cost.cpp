#include "api/plan_cost.hpp"

#include <algorithm>

#include "program/cost.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// Entries of each value that some step or result reads; of a matrix whose diagonal alone is read,
/// the diagonal.
std::vector<std::int64_t> entries_read(const Program& program) {
    std::vector<std::int64_t> entries(program.values.size(), 0);
    const auto read = [&](ValueId value, std::int64_t count) {
        std::int64_t& so_far = entries[static_cast<std::size_t>(value)];
        so_far = std::max(so_far, count);
    };
    for (const Step& step : program.steps) {
        const auto* reduce = std::get_if<Reduce>(&step.operation);
        const bool diagonal = reduce != nullptr && reduce->over == ReduceOver::diagonal;
        for_each_use(step.operation, [&](const Use& use) {
            const std::int64_t rows = rows_of(program, use).size;
            const std::int64_t cols = cols_of(program, use).size;
            const bool whole = rows > 1 && cols > 1 && diagonal;
            read(use.value, whole ? std::min(rows, cols) : program.value(use.value).count());
        });
    }
    for (const ProgramOutput& output : program.outputs) {
        read(output.value, program.value(output.value).count());
    }
    return entries;
}

}  // namespace

PlanCost cost_of(const Program& program, std::span<const OutputInfo> outputs) {
    const std::vector<std::int64_t> entries = entries_read(program);
    const auto problems = static_cast<double>(program.batch);
    double count = 0;
    for (const ProgramOperand& operand : program.operands) {
        count += (operand.batched ? problems : 1) *
                 static_cast<double>(entries[static_cast<std::size_t>(operand.value)]);
    }
    for (const OutputInfo& output : outputs) {
        count += (output.batched ? problems : 1) * static_cast<double>(output.rows * output.cols);
    }
    return {total_operations(program), count * static_cast<double>(size_of(program.type))};
}

double operations_in(Program program, ScalarType type) {
    std::erase_if(program.steps, [type](const Step& step) { return step.type != type; });
    return total_operations(program);
}

}  // namespace matgrad::detail
