#pragma once
/// \file Hessian-vector products at one point: what depends on the point is computed once, each product then
/// costs only the rest.
///
///     const auto plan = matgrad::make_plan(f, operands, {.wrt = {"w"}, .hvp = {{"w", "v"}}});
///     const auto at_w = plan.linearize({{"X", x}, {"w", w}}, {{"value", value}, {"gradient w", g}});
///     for (...) { at_w.apply({{"v", v}}, {{"hvp w", hv}}); }                      // Newton, CG
///
/// A product is that of `Plan::run` but for rounding. A problem that failed at the point fails in
/// every product, with its status there.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad {

namespace detail {
struct LinearPlan;
struct LinearPoint;
}  // namespace detail

/// As `Plan::linearize` makes it; an empty one is an OperandError to use. A copy is the same point. Several
/// threads may apply one at once.
class MATGRAD_API Linearization {
public:
    Linearization() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return point_ != nullptr; }

    /// The operands of `apply`: the directions of the products.
    [[nodiscard]] const std::vector<Operand>& directions() const;
    /// The results of `apply`.
    [[nodiscard]] const std::vector<OutputInfo>& outputs() const;
    /// Operands of the point that `apply` reads again: their memory has to stay as it was.
    [[nodiscard]] const std::vector<std::string>& operands_read_again() const;
    /// Of the run at the point: how many problems it had and how many failed.
    [[nodiscard]] RunSummary summary() const;
    /// Bytes that are kept for the point.
    [[nodiscard]] std::size_t kept_bytes() const;
    /// Both Programs: what was computed at the point, and what each product costs.
    [[nodiscard]] std::string explain() const;

    /// The products along these directions; otherwise as Plan::run. From the second call on, nothing is
    /// allocated.
    ///
    /// Errors   those of Plan::run; OperandError for `rows`, which are those of the point, and for a
    ///          workspace, since the two Programs keep their own
    RunSummary apply(const OperandViews& directions, const ResultViews& results,
                     std::span<std::int32_t> status = {}, const RunOptions& options = {}) const;

private:
    friend class Plan;
    [[nodiscard]] const detail::LinearPoint& point() const;

    std::shared_ptr<const detail::LinearPoint> point_;
};

}  // namespace matgrad
