#include <utility>

#include "cpu/map.hpp"
#include "cpu/plain/row_dots.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/plain_views.hpp"
#include "cpu/steps/run_steps.hpp"
#include "cpu/steps/stacking.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// Nanoseconds to spread the one number of a problem, and of a row that is reduced by itself.
constexpr double kSpread = 4;
constexpr double kReducedRow = 5;

double real(std::int64_t size) {
    return static_cast<double>(size);
}

double price_of(const Program& program, const Step& step, const StackedBody& body,
                std::int64_t tile) {
    const Work w = work_of(program, step);
    return (kMapCall + w.instructions * kMapInstruction) / real(tile) +
           w.instructions * kMapEntry * w.entries + kSpread * body.scalars();
}

/// The views of a body, and what evaluating it takes.
std::int64_t scratch_of(const MapBody& body) {
    return map_scratch_bytes(body) +
           align_up(static_cast<std::int64_t>(body.operands.size() * sizeof(View)));
}

class RunMap : public CpuStep {
public:
    RunMap(const Program& program, const Step& step, StackedBody body, std::int64_t tile)
        : CpuStep(to_text(program, step), scratch_of(body.body()),
                  price_of(program, step, body, tile)),
          step_(step),
          body_(std::move(body)) {}

    void compute(const StepRun& run) const override {
        const View out = run.values[step_.out];
        map_domain(body_.domain(run.values, run.problems, *run.scratch), step_.type,
                   row_major(out.data, out.type, run.problems, body_.entries(), 1), *run.scratch,
                   {});
    }

private:
    const Step& step_;
    StackedBody body_;
};

/// One number for each problem: a row of the domain each.
class RunReduce : public CpuStep {
public:
    RunReduce(const Program& program, const Step& step, const Reduce& reduce, StackedBody body,
              std::int64_t tile)
        : CpuStep(to_text(program, step), scratch_of(body.body()),
                  price_of(program, step, body, tile) + kReducedRow),
          step_(step),
          reduce_(reduce),
          body_(std::move(body)) {}

    void compute(const StepRun& run) const override {
        const View out = run.values[step_.out];
        reduce_each_row(reduce_, body_.domain(run.values, run.problems, *run.scratch), step_.type,
                        row_major(out.data, out.type, run.problems, 1, 1), *run.scratch);
    }

private:
    const Step& step_;
    const Reduce& reduce_;
    StackedBody body_;
};

/// scale * the dot product of a vector of each problem with a shared one.
class RunDots : public CpuStep {
public:
    RunDots(const Program& program, const Step& step, const Use& own, const Use& shared,
            double scale, std::int64_t tile)
        : CpuStep(to_text(program, step),
                  align_up(program.value(own.value).count() * size_of(step.type)),
                  kProductCall / real(tile) +
                      weight(step.type) * 2 * real(program.value(own.value).count()) / kGemvRate),
          step_(step),
          own_(stacked(program, own)),
          shared_(shared),
          scale_(scale) {}

    void compute(const StepRun& run) const override {
        const View own = own_.rows(run.values, run.problems);
        View s = use_of(shared_, run.values[shared_.value]);
        s = s.rows == 1 ? transposed(s) : s;
        if (s.row_stride != 1) {
            const View column = run.scratch->matrix(s.type, s.rows, 1, 1);
            copy_matrix(s, column);
            s = column;
        }
        const View out = run.values[step_.out];
        row_dots(scale_, own, s, 0, row_major(out.data, out.type, run.problems, 1, 1));
    }

private:
    const Step& step_;
    Stacked own_;
    Use shared_;
    double scale_;
};

/// The sum over all entries and all problems of the run.
class SumReduce : public CpuStep {
public:
    SumReduce(const Program& program, const Step& step, const Reduce& reduce, StackedBody body,
              std::int64_t tile)
        : CpuStep(to_text(program, step), scratch_of(body.body()),
                  price_of(program, step, body, tile)),
          step_(step),
          reduce_(reduce),
          body_(std::move(body)) {}

    void compute(const StepRun& run) const override {
        reduce_domain(reduce_, ReduceOver::all,
                      body_.domain(run.values, run.problems, *run.scratch), step_.type,
                      run.values[step_.out], *run.scratch, {});
    }

private:
    const Step& step_;
    const Reduce& reduce_;
    StackedBody body_;
};

/// The uses of sum(x .* w) with x a vector of the problem and w one that all share, if it is that.
struct SharedDot {
    Use own, shared;
};
bool is_shared_dot(const Program& program, const Step& step, const Reduce& reduce, SharedDot& dot) {
    const std::vector<MapInstruction>& code = reduce.body.code;
    const std::vector<MapOperand>& operands = reduce.body.operands;
    const bool product = reduce.op == ReduceOp::sum && code.size() == 3 && operands.size() == 2 &&
                         code[0].op == MapOp::load && code[1].op == MapOp::load &&
                         code[2].op == MapOp::mul && code[2].a + code[2].b == 1 &&
                         code[0].a + code[1].a == 1;
    if (!product || operands[0].broadcast != Broadcast::none ||
        operands[1].broadcast != Broadcast::none) {
        return false;
    }
    const bool first = program.value(operands[0].use.value).scope == Scope::problem;
    dot = {operands[first ? 0 : 1].use, operands[first ? 1 : 0].use};
    const Value& own = program.value(dot.own.value);
    const Value& shared = program.value(dot.shared.value);
    // As a row, whichever it is.
    dot.own.transposed = own.cols.size == 1;
    return own.scope == Scope::problem && shared.scope == Scope::shared && is_whole(dot.own) &&
           is_whole(dot.shared) && (own.cols.size == 1 || own.rows.size == 1) &&
           own.type == step.type && shared.type == step.type &&
           program.value(step.out).type == step.type;
}

}  // namespace

CpuStepPtr make_run_map(const Program& program, const Step& step, const Map& map,
                        std::int64_t tile) {
    const Value& out = program.value(step.out);
    StackedBody body(program, map.body, out.rows.size, out.cols.size);
    return body.exists() ? std::make_unique<RunMap>(program, step, std::move(body), tile) : nullptr;
}

CpuStepPtr make_run_reduce(const Program& program, const Step& step, const Reduce& reduce,
                           std::int64_t tile) {
    if (reduce.over != ReduceOver::all || reduce.op == ReduceOp::signed_product) {
        return nullptr;
    }
    if (SharedDot dot; is_shared_dot(program, step, reduce, dot)) {
        return std::make_unique<RunDots>(program, step, dot.own, dot.shared, reduce.scale, tile);
    }
    StackedBody body(program, reduce.body, reduce.rows.size, reduce.cols.size);
    return body.exists() ? std::make_unique<RunReduce>(program, step, reduce, std::move(body), tile)
                         : nullptr;
}

CpuStepPtr make_sum_reduce(const Program& program, const Step& step, const Reduce& reduce,
                           std::int64_t tile) {
    if (reduce.over != ReduceOver::all || reduce.op != ReduceOp::sum) {
        return nullptr;
    }
    StackedBody body(program, reduce.body, reduce.rows.size, reduce.cols.size);
    return body.exists() ? std::make_unique<SumReduce>(program, step, reduce, std::move(body), tile)
                         : nullptr;
}

}  // namespace matgrad::detail
