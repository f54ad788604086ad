#include "planner/planner.hpp"

#include <fmt/format.h>

#include "planner/factoring.hpp"
#include "planner/lowering.hpp"
#include "planner/passes.hpp"
#include "planner/sizes.hpp"
#include "program/cost.hpp"

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
    split_batch_sums(program);
    trim_symmetric(program);
    choose_types(program);
    hoist_shared(program);
    fold_batch(program);
    assign_memory(program);
    count_costs(program);
    return program;
}

void keep_cheaper(Program& best, Program candidate) {
    if (total_operations(candidate) < total_operations(best) * (1 - 1e-12)) {
        best = std::move(candidate);
    }
}

}  // namespace

Program make_program(const PlanRequest& request) {
    std::vector<Expr> forms;
    for (const OutputRequest& o : request.outputs) {
        forms.push_back(o.form);
    }
    const Sizes sizes = bind_sizes(forms, request.operands, request.symbols);
    check_entries(request, sizes);
    // The forms as they are and with common ends of sums pulled out, each chain in the best order
    // for itself and with shared sub-chains in mind: the cheapest Program is kept.
    Program best = plan(request, sizes, nullptr);
    const auto consider = [&](const PlanRequest& forms_as) {
        keep_cheaper(best, plan(forms_as, sizes, nullptr));
        const detail::ChainCounts counts =
            detail::Lowering(forms_as, sizes, nullptr).count_chains();
        if (!counts.empty()) {
            keep_cheaper(best, plan(forms_as, sizes, &counts));
        }
    };
    consider(request);
    PlanRequest factored = request;
    detail::Lowering weigher(request, sizes, nullptr);
    bool changed = false;
    for (OutputRequest& o : factored.outputs) {
        const Expr form = factor_sums(o.form, [&](std::span<const Expr> factors) {
            return weigher.product_operations(factors);
        });
        changed = changed || !(form == o.form);
        o.form = form;
    }
    if (changed) {
        consider(factored);
    }
    return best;
}

}  // namespace matgrad
