#include "planner/planner.hpp"

#include <fmt/format.h>

#include "planner/cost.hpp"
#include "planner/lowering.hpp"
#include "planner/passes.hpp"
#include "planner/sizes.hpp"

namespace matgrad {
namespace {

void check_entries(const PlanRequest& request, const Sizes& sizes) {
    for (const OutputRequest& o : request.outputs) {
        if (!o.entry) {
            continue;
        }
        const std::int64_t m = sizes.size(o.form.shape().rows);
        const std::int64_t n = sizes.size(o.form.shape().cols);
        const Entry e = *o.entry;
        if (e.row < 0 || e.col < 0 || e.row >= m || e.col >= n) {
            throw OperandError(fmt::format(
                "entry {},{} of {}: it is {}-by-{} and indices count from 0", e.row, e.col,
                o.name.empty() ? std::string("the value")
                               : "the gradient with respect to " + o.name,
                m, n));
        }
    }
}

Program plan(const PlanRequest& request, const Sizes& sizes, const detail::ChainCounts* counts) {
    detail::Lowering lowering(request, sizes, counts);
    lowering.lower_outputs();
    Program program = lowering.take();
    remove_dead(program);
    absorb_scalars(program);
    fuse_entrywise(program);
    trim_symmetric(program);
    choose_types(program);
    hoist_shared(program);
    fold_batch(program);
    assign_memory(program);
    count_costs(program);
    return program;
}

}  // namespace

Program make_program(const PlanRequest& request) {
    std::vector<Expr> forms;
    for (const OutputRequest& o : request.outputs) {
        forms.push_back(o.form);
    }
    const Sizes sizes = bind_sizes(forms, request.operands, request.symbols);
    check_entries(request, sizes);
    // Each chain in the best order for itself, or with shared sub-chains in mind: the cheaper
    // Program is kept.
    Program alone = plan(request, sizes, nullptr);
    const detail::ChainCounts counts = detail::Lowering(request, sizes, nullptr).count_chains();
    if (counts.empty()) {
        return alone;
    }
    Program together = plan(request, sizes, &counts);
    return total_operations(together) < total_operations(alone) ? together : alone;
}

}  // namespace matgrad
