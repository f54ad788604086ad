// Entrywise steps and reductions of several groups of problems in lanes, one call for all: what a call costs is shared.

#include <utility>

#include "cpu/map.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_groups.hpp"
#include "cpu/steps/stacking.hpp"

namespace matgrad::detail {
namespace {

/// The views of a body, and what evaluating it takes.
std::int64_t scratch_of(const MapBody& body) {
    return map_scratch_bytes(body) +
           align_up(static_cast<std::int64_t>(body.operands.size() * sizeof(View)));
}

class LaneGroupMap : public CpuStep {
public:
    LaneGroupMap(const Program& program, const Step& step, StackedBody body)
        : CpuStep(to_text(program, step), scratch_of(body.body()),
                  compact_nanoseconds(program, step)),
          step_(step),
          body_(std::move(body)) {}

    [[nodiscard]] bool takes_groups() const override { return true; }

    void compute(const StepRun& run) const override {
        const View out = run.values[step_.out];
        map_domain(body_.domain(run.values, run.groups, *run.scratch, kLanes), step_.type,
                   row_major(out.data, out.type, run.groups, body_.entries(), kLanes), *run.scratch,
                   {});
    }

private:
    const Step& step_;
    StackedBody body_;
};

class LaneGroupReduce : public CpuStep {
public:
    LaneGroupReduce(const Program& program, const Step& step, const Reduce& reduce,
                    StackedBody body)
        : CpuStep(to_text(program, step), scratch_of(body.body()),
                  compact_nanoseconds(program, step)),
          step_(step),
          reduce_(reduce),
          body_(std::move(body)) {}

    [[nodiscard]] bool takes_groups() const override { return true; }

    void compute(const StepRun& run) const override {
        const View out = run.values[step_.out];
        reduce_domain(reduce_, ReduceOver::rows,
                      body_.domain(run.values, run.groups, *run.scratch, kLanes), step_.type,
                      row_major(out.data, out.type, run.groups, 1, kLanes), *run.scratch, {});
    }

private:
    const Step& step_;
    const Reduce& reduce_;
    StackedBody body_;
};

/// Sums of entries and of products have kernels of their own.
bool is_interpreted(const Reduce& reduce) {
    return reduce.body.code.size() > 1 && entrywise_of(reduce.body.code.back().op).has_value();
}

}  // namespace

CpuStepPtr make_lane_group_map(const Program& program, const Step& step, const Map& map) {
    const Value& out = program.value(step.out);
    StackedBody body(program, map.body, out.rows.size, out.cols.size);
    return body.exists() ? std::make_unique<LaneGroupMap>(program, step, std::move(body)) : nullptr;
}

CpuStepPtr make_lane_group_reduce(const Program& program, const Step& step, const Reduce& reduce) {
    const bool diagonal = reduce.over == ReduceOver::diagonal;
    const bool folds =
        reduce.op == ReduceOp::sum || reduce.op == ReduceOp::max || reduce.op == ReduceOp::product;
    if (!folds || !is_interpreted(reduce) || (!diagonal && reduce.over != ReduceOver::all)) {
        return nullptr;
    }
    StackedBody body(program, reduce.body, reduce.rows.size, reduce.cols.size, diagonal);
    return body.exists() ? std::make_unique<LaneGroupReduce>(program, step, reduce, std::move(body))
                         : nullptr;
}

}  // namespace matgrad::detail
