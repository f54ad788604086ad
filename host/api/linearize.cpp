#include "matgrad/linearize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "api/argument_places.hpp"
#include "api/binding.hpp"
#include "api/linear_plan.hpp"
#include "api/memory_checks.hpp"
#include "expression/guarded.hpp"
#include "matgrad/status.hpp"

namespace matgrad {
namespace {

/// A problem that failed at the point has its status there.
void carry_over(std::span<const std::int32_t> at_point, std::span<std::int32_t> status) {
    for (std::size_t p = 0; p < status.size(); ++p) {
        const std::int32_t before = at_point[at_point.size() == status.size() ? p : 0];
        if (!succeeded(before)) {
            status[p] = before;
        }
    }
}

}  // namespace

const detail::LinearPoint& Linearization::point() const try {
    if (point_ == nullptr) {
        throw OperandError("the linearization is empty: expected one that Plan::linearize made");
    }
    return *point_;
} catch (...) {
    detail::throw_as_matgrad();
}

const std::vector<Operand>& Linearization::directions() const {
    return point().plan->directions;
}

const std::vector<OutputInfo>& Linearization::outputs() const {
    return point().plan->products;
}

const std::vector<std::string>& Linearization::operands_read_again() const {
    return point().plan->read_again;
}

RunSummary Linearization::summary() const {
    return point().summary;
}

std::size_t Linearization::kept_bytes() const {
    return point().memory.size();
}

std::string Linearization::explain() const try {
    const detail::LinearPlan& plan = *point().plan;
    return fmt::format("at the point\n{}{}for each product\n{}{}", to_text(plan.early->program()),
                       plan.early->explain(), to_text(plan.late->program()), plan.late->explain());
} catch (...) {
    detail::throw_as_matgrad();
}

RunSummary Linearization::apply(const OperandViews& directions, const ResultViews& results,
                                std::span<std::int32_t> status, const RunOptions& options) const
    try {
    const detail::LinearPoint& at = point();
    const detail::LinearPlan& plan = *at.plan;
    if (!options.rows.empty()) {
        throw OperandError(fmt::format(
            "{} rows are given: expected none, since the problems are those of the point",
            options.rows.size()));
    }
    if (options.workspace != nullptr) {
        throw OperandError(
            "a workspace is given: expected none, since a linearization keeps its own");
    }
    detail::CallMemory memory;
    const std::span<const OperandView> given = directions.span();
    const auto names = memory.list<std::string_view>(given.size());
    std::transform(given.begin(), given.end(), names.begin(),
                   [](const OperandView& direction) { return direction.name; });
    detail::place_arguments("direction", plan.direction_names, names,
                            memory.list<std::size_t>(given.size()));
    const auto operands = memory.list<OperandView>(at.operands.size() + given.size());
    const auto own = std::copy(at.operands.begin(), at.operands.end(), operands.begin());
    std::copy(given.begin(), given.end(), own);
    for (std::size_t i = 0; i < std::min(given.size(), plan.direction_names.size()); ++i) {
        OperandView& direction = operands[at.operands.size() + i];
        if (direction.name.empty()) {
            direction.name = plan.direction_names[i];  // by their order
        }
    }
    const detail::RunContract contract{plan.operands, plan.products, plan.operand_names,
                                       plan.product_names, plan.type};
    const detail::BoundCall bound =
        bind_call(contract, operands, results.span(), std::nullopt, status.size(), memory);
    const auto is_read = memory.list<bool>(plan.operands.size());
    std::fill(is_read.begin(), is_read.end(), false);
    for (const detail::LinearPlan::From& from : plan.late_operands) {
        if (from.source == detail::LinearPlan::Source::operand) {
            is_read[from.index] = true;
        }
    }
    check_memory(contract, bound, {.status = status, .is_read = is_read}, memory);
    const auto sources = memory.list<ConstStrided>(plan.late_operands.size());
    std::transform(plan.late_operands.begin(), plan.late_operands.end(), sources.begin(),
                   [&](const detail::LinearPlan::From& from) {
                       return from.source == detail::LinearPlan::Source::kept
                                  ? at.kept[from.index]
                                  : bound.operands[from.index];
                   });
    HostCall call;
    call.batch = bound.batch;
    call.operands = sources;
    call.results = bound.results;
    call.status = status;
    call.beta = bound.beta;
    call.parallel = options.parallel ? &options.parallel : nullptr;
    const RunSummary summary = plan.late->run(call, options.hooks);
    if (at.summary.failed > 0) {
        carry_over(at.status, status);
    }
    return summary;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
