// One step of a Program as a Program of its own, for the naive interpreter.

#include <gtest/gtest.h>

#include <algorithm>

#include "planner/interpreter.hpp"
#include "program/region_interpreter.hpp"
#include "program/uses.hpp"

namespace matgrad::testing {
namespace {

using Matrix = Eigen::MatrixXd;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Reads places of the whole matrix where the step sees a panel: their masks become operands.
class PlacedBody {
public:
    PlacedBody(MapBody& body, std::vector<Matrix>& inputs, ValueId next)
        : body_(body), inputs_(inputs), next_(next) {}

    void rewrite(std::int64_t rows, std::int64_t cols, std::int64_t first_row,
                 std::int64_t first_col) {
        std::vector<int> place;  // of each old register
        std::vector<MapInstruction> code;
        for (MapInstruction c : body_.code) {
            if (knows_place(c.op)) {
                Matrix mask(rows, cols);
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t j = 0; j < cols; ++j) {
                        mask(i, j) = value(c, first_row + i, first_col + j);
                    }
                }
                const int operand = static_cast<int>(body_.operands.size());
                body_.operands.push_back({{next_++}, Broadcast::none});
                inputs_.push_back(mask);
                code.push_back({MapOp::load, operand, -1, 0});
                if (c.op == MapOp::perturb) {
                    code.push_back({MapOp::mul, place.at(static_cast<std::size_t>(c.a)),
                                    static_cast<int>(code.size()) - 1, 0});
                }
            } else {
                if (reads_a(c.op)) {
                    c.a = place.at(static_cast<std::size_t>(c.a));
                }
                if (reads_b(c.op)) {
                    c.b = place.at(static_cast<std::size_t>(c.b));
                }
                code.push_back(c);
            }
            place.push_back(static_cast<int>(code.size()) - 1);
        }
        body_.code = code;
    }

private:
    static double value(const MapInstruction& c, std::int64_t i, std::int64_t j) {
        switch (c.op) {
            case MapOp::is_diagonal:
                return i == j ? 1 : 0;
            case MapOp::is_lower:
                return i >= j ? 1 : 0;
            case MapOp::is_upper:
                return i <= j ? 1 : 0;
            case MapOp::row_index:
                return static_cast<double>(i);
            case MapOp::col_index:
                return static_cast<double>(j);
            default: {
                const auto coin = static_cast<std::int64_t>(c.number) + i * j + 3 * (i + j);
                return 1 + (coin % 2 == 0 ? kEpsilon : -kEpsilon);
            }
        }
    }

    MapBody& body_;
    std::vector<Matrix>& inputs_;
    ValueId next_;
};

Extent sized(std::int64_t size) {
    return {std::to_string(size), size};
}

/// The side of the domain that the panel has; a diagonal goes through a square of it.
void cut_reduce(Reduce& reduce, std::vector<Matrix>& inputs, const StepRun& run) {
    const bool by_rows = run.domain == Cut::rows;
    (by_rows ? reduce.rows : reduce.cols) = sized(run.count);
    if (reduce.over != ReduceOver::diagonal) {
        return;
    }
    Extent& other = by_rows ? reduce.cols : reduce.rows;
    const std::int64_t first = std::min(run.first, other.size);
    const std::int64_t count = std::min(run.count, other.size - first);
    for (std::size_t k = 0; k < reduce.body.operands.size(); ++k) {
        const auto& [use, broadcast] = reduce.body.operands[k];
        const bool has_other = broadcast == Broadcast::none ||
                               broadcast == (by_rows ? Broadcast::row : Broadcast::column);
        if (has_other && other.size > 1) {
            Matrix& m = inputs[k];
            m = by_rows != use.transposed ? Matrix(m.middleCols(first, count))
                                          : Matrix(m.middleRows(first, count));
        }
    }
    other = sized(count);
}

}  // namespace

StepResult run_step(const Program& program, int index, const StepRun& run) {
    const Step& step = program.steps.at(static_cast<std::size_t>(index));
    Step one = step;
    one.out = one.out2 = kNoValue;
    one.scope = Scope::problem;
    std::vector<Matrix> inputs = run.inputs;
    ValueId next = 0;
    if (auto* p = std::get_if<Potrf>(&one.operation)) {
        p->root = {};
    }
    for_each_use(one.operation, [&](Use& use) { use.value = next++; });
    EXPECT_EQ(next, static_cast<ValueId>(inputs.size()));
    const Value& whole = program.value(step.out);
    std::int64_t rows = whole.rows.size;
    std::int64_t cols = whole.cols.size;
    if (auto* reduce = std::get_if<Reduce>(&one.operation)) {
        if (run.domain != Cut::whole) {
            if (reduce->over == ReduceOver::rows && run.domain == Cut::rows) {
                rows = run.count;
            } else if (reduce->over == ReduceOver::cols && run.domain == Cut::cols) {
                cols = run.count;
            }
            cut_reduce(*reduce, inputs, run);
        }
        reduce->scale = run.is_part ? 1 : reduce->scale;
        const bool is_diagonal = reduce->over == ReduceOver::diagonal;
        PlacedBody(reduce->body, inputs, next)
            .rewrite(reduce->rows.size, reduce->cols.size,
                     is_diagonal || run.domain == Cut::rows ? run.first : 0,
                     is_diagonal || run.domain == Cut::cols ? run.first : 0);
    } else {
        rows = run.domain == Cut::rows ? run.count : rows;
        cols = run.domain == Cut::cols ? run.count : cols;
    }
    if (auto* map = std::get_if<Map>(&one.operation)) {
        PlacedBody(map->body, inputs, next)
            .rewrite(rows, cols, run.domain == Cut::rows ? run.first : 0,
                     run.domain == Cut::cols ? run.first : 0);
    }
    if (auto* g = std::get_if<Gemm>(&one.operation); g != nullptr && run.is_part) {
        *g = {g->a, g->b, 1, 0, {}};
        inputs.resize(2);
    }
    if (auto* s = std::get_if<Syrk>(&one.operation); s != nullptr && run.is_part) {
        s->alpha = 1;
    }

    Program small;
    Operands operands;
    const auto add = [&small](std::int64_t r, std::int64_t c) {
        Value v;
        v.rows = sized(r);
        v.cols = sized(c);
        small.values.push_back(v);
        return static_cast<ValueId>(small.values.size()) - 1;
    };
    for (const Matrix& m : inputs) {
        const ValueId id = add(m.rows(), m.cols());
        small.values.back().operand = id;
        small.operands.push_back({"v" + std::to_string(id), id, true});
        operands[small.operands.back().name] = m;
    }
    const auto add_result = [&](std::int64_t r, std::int64_t c) {
        const ValueId id = add(r, c);
        small.values.back().offset = small.problem_bytes;
        small.problem_bytes += 8 * r * c;
        small.outputs.push_back({OutputKind::value, "", id});
        return id;
    };
    one.out = add_result(rows, cols);
    if (step.out2 != kNoValue) {
        const Value& second = program.value(step.out2);
        one.out2 = add_result(second.rows.size, second.cols.size);
    }
    small.steps.push_back(one);
    Interpreter interpreter(small);
    const RunResult result = interpreter.run({operands});
    return {result.outputs[0].front(), result.outputs[0].back(), result.status.front()};
}

void run_shared(const Program& program, ValueMap& memory) {
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = program.steps[s];
        if (step.scope != Scope::shared) {
            continue;
        }
        StepRun run;
        for_each_use(step.operation, [&](const Use& use) {
            const auto* potrf = std::get_if<Potrf>(&step.operation);
            if (potrf == nullptr || &use != &potrf->root) {
                run.inputs.push_back(memory.at(use.value));
            }
        });
        const StepResult result = run_step(program, static_cast<int>(s), run);
        memory[step.out] = result.out;
        if (step.out2 != kNoValue) {
            memory[step.out2] = result.out2;
        }
    }
}

WholeRun run_whole(const Program& program, ValueMap memory) {
    WholeRun whole;
    for (std::size_t s = 0; s < program.steps.size() && whole.status == 0; ++s) {
        const Step& step = program.steps[s];
        if (!is_in_regions(step)) {
            continue;
        }
        StepRun run;
        for_each_use(step.operation, [&](const Use& use) {
            const auto* potrf = std::get_if<Potrf>(&step.operation);
            if (potrf == nullptr || &use != &potrf->root) {
                run.inputs.push_back(memory.at(use.value));
            }
        });
        const StepResult result = run_step(program, static_cast<int>(s), run);
        whole.status = result.status;
        memory[step.out] = result.out;
        if (step.out2 != kNoValue) {
            memory[step.out2] = result.out2;
        }
    }
    whole.values = std::move(memory);
    return whole;
}

}  // namespace matgrad::testing
