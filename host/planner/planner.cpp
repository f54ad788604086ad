#include "planner/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "expression/make_node.hpp"
#include "planner/adjugates.hpp"
#include "planner/factoring.hpp"
#include "planner/lowering.hpp"
#include "planner/passes.hpp"
#include "planner/sizes.hpp"
#include "planner/symmetric_parts.hpp"
#include "program/cost.hpp"
#include "program/verify.hpp"

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
            throw OperandError(
                fmt::format("entry {},{} is outside {}, which is {}-by-{}: expected indices that "
                            "count from 0",
                            e.row, e.col, output_text(o.kind, o.name), m, n));
        }
    }
}

/// Ordering a product takes the cube of its length, up to a length: what would take minutes is refused.
void check_products(std::span<const Expr> forms) {
    constexpr double kLongest = 64;
    constexpr double kMostWays = 1.1e9;
    double ways = 0;
    for (const Expr& e : topological_order(forms)) {
        const auto factors = static_cast<double>(detail::count_matrix_factors(e));
        if (e->op == Op::product && factors > 2) {
            const double ordered = std::min(factors, kLongest);
            ways += factors * ordered * ordered;
        }
    }
    if (ways > kMostWays) {
        throw UnsupportedError(
            fmt::format("the products of the results have {:.2g} ways to be ordered: expected at "
                        "most {:.2g}; a Hessian-vector product has a product for each pair of "
                        "factors",
                        ways, kMostWays));
    }
}

struct Pass {
    const char* name;
    void (*run)(Program&);
    Stage stage;  ///< that the Program has then
};

constexpr Pass kPasses[] = {
    {"remove_dead", remove_dead, Stage::lowered},
    {"absorb_scalars", absorb_scalars, Stage::lowered},
    {"fuse_entrywise", fuse_entrywise, Stage::lowered},
    {"split_batch_sums", split_batch_sums, Stage::lowered},
    {"choose_types", choose_types, Stage::lowered},
    {"find_roots", find_roots, Stage::lowered},
    {"add_error_bounds", add_error_bounds, Stage::lowered},
    {"trim_symmetric", trim_symmetric, Stage::lowered},
    {"hoist_shared", hoist_shared, Stage::scoped},
    {"fold_batch", fold_batch, Stage::scoped},
    {"assign_memory", assign_memory, Stage::placed},
    {"count_costs", count_costs, Stage::placed},
};

/// In builds with assertions every pass is checked.
void tell(const Program& program, Stage stage, const char* pass, const PassObserver& observe) {
#ifndef NDEBUG
    verify(program, stage, pass);
#endif
    if (observe) {
        observe(pass, stage, program);
    }
}

Program plan(const PlanRequest& request, const Sizes& sizes, const detail::LoweringWay& way,
             const PassObserver& observe = {}) {
    detail::Lowering lowering(request, sizes, way);
    lowering.lower_outputs();
    Program program = lowering.take();
    tell(program, Stage::lowered, "lowering", observe);
    for (const Pass& pass : kPasses) {
        pass.run(program);
        tell(program, pass.stage, pass.name, observe);
    }
    return program;
}

/// The cheapest of several ways to a Program.
class Cheapest {
public:
    explicit Cheapest(const Sizes& sizes) : sizes_(sizes) {}

    void consider(const PlanRequest& request, const detail::LoweringWay& way) {
        Program candidate = plan(request, sizes_, way);
        const double operations = total_operations(candidate);
        if (!request_ || operations < operations_ * (1 - 1e-12)) {
            program_ = std::move(candidate);
            operations_ = operations;
            request_ = request;
            way_ = way;
            counts_ = way.counts == nullptr ? std::nullopt : std::optional(*way.counts);
        }
    }
    Program take(const PassObserver& observe) {
        if (observe) {
            // Planned once more, this time observed.
            way_.counts = counts_ ? &*counts_ : nullptr;
            return plan(*request_, sizes_, way_, observe);
        }
        return std::move(program_);
    }

private:
    const Sizes& sizes_;
    Program program_;
    double operations_ = 0;
    std::optional<PlanRequest> request_;
    detail::LoweringWay way_;
    std::optional<detail::ChainCounts> counts_;
};

/// Each chain in the best order for itself and with shared sub-chains in mind.
void consider_orders(Cheapest& cheapest, const PlanRequest& request, const Sizes& sizes) {
    cheapest.consider(request, {});
    const detail::ChainCounts counts = detail::Lowering(request, sizes, {}).count_chains();
    if (!counts.empty()) {
        cheapest.consider(request, {&counts});
    }
}

/// A value made of what the other results compute anyway, where there are any.
///
/// tr(Z'*M*Z) is taken as half of tr(Z'*(M + M')*Z), and norm2(Z)^2 as the trace that it is: of a product that a
/// gradient has, one pass is left. A sum of squares taken so loses the square of |P|*|Q|/|P*Q|, Z = P*Q, where the
/// sum itself loses that alone, so only `fast` does it.
void consider_value_last(Cheapest& cheapest, PlanRequest request) {
    bool others = false;
    for (OutputRequest& o : request.outputs) {
        const bool is_value = o.kind == OutputKind::value;
        o.form = is_value ? with_symmetric_parts(o.form) : o.form;
        others = others || !is_value;
    }
    if (others) {
        detail::LoweringWay way;
        way.value_last = true;
        way.squares_as_traces = request.accuracy == Accuracy::fast;
        cheapest.consider(request, way);
    }
}

/// The request with common ends of sums pulled out where that is cheaper, or nothing if it is nowhere.
std::optional<PlanRequest> factored(const PlanRequest& request, const Sizes& sizes) {
    detail::Lowering weigher(request, sizes, {});
    PlanRequest result = request;
    bool changed = false;
    for (OutputRequest& o : result.outputs) {
        const Expr form = factor_sums(o.form, [&](std::span<const Expr> factors) {
            return weigher.product_operations(factors);
        });
        changed = changed || !(form == o.form);
        o.form = form;
    }
    return changed ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace

Program make_program(const PlanRequest& given, const PassObserver& observe) {
    PlanRequest request = given;
    request.outputs = with_adjugates(std::move(request.outputs));
    std::vector<Expr> forms;
    for (const OutputRequest& o : request.outputs) {
        forms.push_back(o.form);
    }
    const Sizes sizes = bind_sizes(forms, request.operands, request.symbols);
    for (OutputRequest& o : request.outputs) {
        o.form = with_numbers_for_dimensions(o.form, sizes);
    }
    check_entries(request, sizes);
    check_products(forms);
    Cheapest cheapest(sizes);
    consider_orders(cheapest, request, sizes);
    consider_value_last(cheapest, request);
    if (const std::optional<PlanRequest> other = factored(request, sizes)) {
        consider_orders(cheapest, *other, sizes);
        consider_value_last(cheapest, *other);
    }
    return cheapest.take(observe);
}

}  // namespace matgrad
