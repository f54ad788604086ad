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
constexpr double kSpread = 1;
constexpr double kReducedRow = 3;

double real(std::int64_t size) {
    return static_cast<double>(size);
}

double price_of(const Program& program, const Step& step, const StackedBody& body,
                std::int64_t tile) {
    const Work w = work_of(program, step);
    return (kMapCall + w.instructions * kMapInstruction) / real(tile) +
           (w.instructions * kMapEntry + w.functions) * w.entries + kSpread * body.scalars();
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

/// A sum of entries, of squares or of the products of two vectors, by rows.
struct RowSum {
    int a = 0;
    int b = 0;  ///< operand, or kOnes
};
constexpr int kOnes = -1;

/// scale * the dot products of the rows of two operands, one of which may be shared.
class RunDots : public CpuStep {
public:
    RunDots(const Program& program, const Step& step, double scale, const RowSum& sum,
            StackedBody body, std::int64_t tile)
        : CpuStep(to_text(program, step), scratch(step, body), price(step, sum, body, tile)),
          step_(step),
          scale_(scale),
          sum_(sum),
          body_(std::move(body)) {}

    void compute(const StepRun& run) const override {
        const Domain domain = body_.domain(run.values, run.problems, *run.scratch);
        View a = domain.operands[sum_.a];
        View b = sum_.b == kOnes ? ones(*run.scratch) : domain.operands[sum_.b];
        if (a.row_stride == 0) {
            std::swap(a, b);
        }
        if (b.row_stride == 0 && b.col_stride != 1) {
            b.rows = 1;
            const View row = run.scratch->matrix(b.type, 1, b.cols, 1);
            copy_matrix(b, row);
            b = row;
            b.row_stride = 0;
        }
        const View out = run.values[step_.out];
        row_products(scale_, a, b, step_.type, row_major(out.data, out.type, run.problems, 1, 1));
    }

private:
    [[nodiscard]] View ones(Scratch& scratch) const {
        View row = scratch.matrix(step_.type, 1, body_.entries(), 1);
        fill_matrix(row, 1);
        row.row_stride = 0;
        return row;
    }
    static std::int64_t scratch(const Step& step, const StackedBody& body) {
        return scratch_of(body.body()) + align_up(body.entries() * size_of(step.type));
    }
    static double price(const Step& step, const RowSum& sum, const StackedBody& body,
                        std::int64_t tile) {
        const double vectors = vectors_of(body.entries(), step.type);
        const int loads = sum.b == kOnes || sum.b == sum.a ? 1 : 2;
        return kProductCall / real(tile) + kDotRow * weight(step.type) +
               kDotVector * loads * vectors;
    }

    const Step& step_;
    double scale_;
    RowSum sum_;
    StackedBody body_;
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

/// Do the entries of an operand lie one after the other in each problem? What is shared is copied so.
bool has_unit_entries(const Program& program, const MapOperand& operand) {
    const Value& value = program.value(operand.use.value);
    const bool vector = value.rows.size == 1 || value.cols.size == 1;
    return operand.broadcast == Broadcast::none && is_whole(operand.use) &&
           (vector || !operand.use.transposed);
}

/// Is it a sum that rows of dot products give?
bool is_row_sum(const Program& program, const Step& step, const Reduce& reduce, RowSum& sum) {
    const std::vector<MapInstruction>& code = reduce.body.code;
    const std::vector<MapOperand>& operands = reduce.body.operands;
    if (reduce.op != ReduceOp::sum || code.size() > 3 || code[0].op != MapOp::load) {
        return false;
    }
    const MapInstruction& last = code.back();
    const bool square = last.op == MapOp::mul || (last.op == MapOp::pow && last.number == 2);
    const bool product = last.op == MapOp::mul && last.a + last.b == 1 && code[1].op == MapOp::load;
    if ((code.size() == 2 && !square) || (code.size() == 3 && !product)) {
        return false;
    }
    sum = {code[0].a, code.size() == 1 ? kOnes : code.size() == 2 ? code[0].a : code[1].a};
    bool of_problem = false;
    for (const MapOperand& operand : operands) {
        const Value& value = program.value(operand.use.value);
        if (!has_unit_entries(program, operand) || size_of(value.type) > size_of(step.type)) {
            return false;
        }
        of_problem = of_problem || value.scope == Scope::problem;
    }
    return of_problem && reduce.rows.size * reduce.cols.size > 1;
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
    StackedBody body(program, reduce.body, reduce.rows.size, reduce.cols.size);
    if (RowSum sum; body.exists() && is_row_sum(program, step, reduce, sum)) {
        return std::make_unique<RunDots>(program, step, reduce.scale, sum, std::move(body), tile);
    }
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
