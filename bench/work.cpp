#include "bench/work.hpp"

#include <algorithm>

#include "api/plan_making.hpp"
#include "program/cost.hpp"
#include "program/uses.hpp"

namespace matgrad::bench {
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

Work minimal_work(const Case& c) {
    const std::vector<Operand> operands = c.operands();
    const PlanRequest request =
        matgrad::detail::make_request(c.expression(), operands, c.batch, c.options(Device{}, 1));
    const Program program = make_program(request);
    const std::vector<std::int64_t> entries = entries_read(program);
    const auto problems = static_cast<double>(c.batch);
    double count = 0;
    for (const ProgramOperand& operand : program.operands) {
        count += (operand.batched ? problems : 1) *
                 static_cast<double>(entries[static_cast<std::size_t>(operand.value)]);
    }
    for (const OutputInfo& output : matgrad::detail::output_infos(request)) {
        count += (output.batched ? problems : 1) * static_cast<double>(output.rows * output.cols);
    }
    return {count * static_cast<double>(size_of(c.type)), total_operations(program)};
}

double bound_seconds(const Work& work, const Rates& rates) {
    return std::max(work.bytes / rates.copy_bytes_per_s,
                    work.operations / rates.multiply_add_flops_per_s);
}

}  // namespace matgrad::bench
