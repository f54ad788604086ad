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

Program plan(const PlanRequest& request, const Sizes& sizes, const detail::ChainCounts* counts,
             const PassObserver& observe = {}) {
    detail::Lowering lowering(request, sizes, counts);
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

    void consider(const PlanRequest& request, const detail::ChainCounts* counts) {
        Program candidate = plan(request, sizes_, counts);
        const double operations = total_operations(candidate);
        if (request_ == nullptr || operations < operations_ * (1 - 1e-12)) {
            program_ = std::move(candidate);
            operations_ = operations;
            request_ = &request;
            counts_ = counts == nullptr ? std::nullopt : std::optional(*counts);
        }
    }
    Program take(const PassObserver& observe) {
        if (observe) {
            // Planned once more, this time observed.
            return plan(*request_, sizes_, counts_ ? &*counts_ : nullptr, observe);
        }
        return std::move(program_);
    }

private:
    const Sizes& sizes_;
    Program program_;
    double operations_ = 0;
    const PlanRequest* request_ = nullptr;
    std::optional<detail::ChainCounts> counts_;
};

}  // namespace

Program make_program(const PlanRequest& given, const PassObserver& observe) {
    PlanRequest request = given;
    request.outputs = with_adjugates(std::move(request.outputs));
    std::vector<Expr> forms;
    for (const OutputRequest& o : request.outputs) {
        forms.push_back(o.form);
    }
    const Sizes sizes = bind_sizes(forms, request.operands, request.symbols);
    check_entries(request, sizes);
    check_products(forms);
    // The forms as they are and with common ends of sums pulled out, each chain in the best order
    // for itself and with shared sub-chains in mind: the cheapest Program is kept.
    Cheapest cheapest(sizes);
    const auto consider = [&](const PlanRequest& forms_as) {
        cheapest.consider(forms_as, nullptr);
        const detail::ChainCounts counts =
            detail::Lowering(forms_as, sizes, nullptr).count_chains();
        if (!counts.empty()) {
            cheapest.consider(forms_as, &counts);
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
    return cheapest.take(observe);
}

}  // namespace matgrad
