#include "planner/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "matgrad/error.hpp"
#include "planner/edit.hpp"
#include "planner/passes.hpp"
#include "program/cost.hpp"
#include "program/verify.hpp"

namespace matgrad {
namespace {

/// Those that depend on the late operands.
std::vector<bool> find_late(const Program& program, std::span<const std::string> names) {
    std::vector<bool> late(program.values.size(), false);
    for (const std::string& name : names) {
        const auto at = std::find_if(program.operands.begin(), program.operands.end(),
                                     [&](const ProgramOperand& o) { return o.name == name; });
        if (at == program.operands.end()) {
            throw OperandError(
                fmt::format("operand {} is to come late: the plan has none of that name", name));
        }
        late[static_cast<std::size_t>(at->value)] = true;
    }
    for (const Step& step : program.steps) {
        bool reads_late = false;
        for_each_use(step.operation, [&](const Use& use) {
            reads_late = reads_late || late[static_cast<std::size_t>(use.value)];
        });
        for (const ValueId id : {step.out, step.out2}) {
            if (id != kNoValue) {
                late[static_cast<std::size_t>(id)] = reads_late;
            }
        }
    }
    return late;
}

/// Late solves with early LU factors become products with the inverse: executors keep pivots as they like,
/// so that LU factors are of no use to another Program.
void invert_early_factors(Program& program, std::vector<bool>& late) {
    std::map<ValueId, ValueId> inverses;
    std::vector<Step> steps;
    for (Step step : std::exchange(program.steps, {})) {
        const auto* found = std::get_if<Solve>(&step.operation);
        if (found == nullptr || late[static_cast<std::size_t>(found->lu.value)] ||
            !late[static_cast<std::size_t>(step.out)]) {
            steps.push_back(std::move(step));
            continue;
        }
        const Solve solve = *found;
        auto at = inverses.find(solve.lu.value);
        if (at == inverses.end()) {
            Value value = program.value(solve.lu.value);
            value.text = "the inverse of what is factored in " + value.text;
            Step inverse;
            inverse.operation = Solve{Side::left, false, solve.lu, solve.pivots, {}};
            inverse.out = static_cast<ValueId>(program.values.size());
            inverse.scope = value.scope;
            inverse.type = step.type;
            inverse.why = "for late right-hand sides";
            at = inverses.emplace(solve.lu.value, inverse.out).first;
            program.values.push_back(std::move(value));
            late.push_back(false);
            steps.push_back(std::move(inverse));
        }
        const Use inverse{at->second, solve.transposed};
        step.operation = solve.side == Side::left ? Gemm{inverse, solve.b, 1, 0, {}}
                                                  : Gemm{solve.b, inverse, 1, 0, {}};
        steps.push_back(std::move(step));
    }
    program.steps = std::move(steps);
}

/// Steps and what is cut between them.
class Splitter {
public:
    Splitter(const Program& whole, std::span<const std::string> late)
        : program_(whole), late_(find_late(whole, late)) {
        for (Step& step : program_.steps) {
            step.fold = Fold::none;
        }
        for (Value& value : program_.values) {
            value.offset = value.output = -1;
        }
        invert_early_factors(program_, late_);
        split_bodies(program_, late_);
        count_costs(program_);
        for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
            const ProgramOutput& output = program_.outputs[i];
            const bool is_late =
                output.kind == OutputKind::hvp || late_[static_cast<std::size_t>(output.value)];
            (is_late ? result_.late_outputs : result_.early_outputs).push_back(i);
        }
    }

    SplitProgram split() {
        choose_late_steps();
        choose_early_steps();
        make_early();
        make_late();
        return std::move(result_);
    }

private:
    [[nodiscard]] bool is_late(ValueId id) const { return late_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] double bytes_of(const Use& use) const {
        return static_cast<double>(rows_of(program_, use).size * cols_of(program_, use).size *
                                   size_of(program_.value(use.value).type));
    }

    /// Computing it again is quicker than reading it, as of an outer product of two columns.
    [[nodiscard]] bool is_cheap(const Step& step) const {
        const bool is_entrywise = std::holds_alternative<Map>(step.operation) ||
                                  std::holds_alternative<Copy>(step.operation) ||
                                  std::holds_alternative<Window>(step.operation);
        if (!is_entrywise || step.scope != Scope::problem) {
            return false;
        }
        const DeviceRates rates;
        double read = 0;
        for_each_use(step.operation, [&](const Use& use) { read += bytes_of(use); });
        return step.operations / rates.entrywise + read / rates.bytes <
               bytes_of({step.out}) / rates.bytes;
    }

    /// Sums over the batch, and what is made of them, are taken where they are read: a sum leaves out the
    /// problems that fail. LU factors are for one Program.
    [[nodiscard]] bool runs_late(const Step& step) const {
        return is_late(step.out) || step.scope == Scope::reduced ||
               std::holds_alternative<Getrf>(step.operation) || is_cheap(step);
    }

    void choose_late_steps() {
        std::vector<bool> needed(program_.values.size(), false);
        for (const std::size_t i : result_.late_outputs) {
            needed[static_cast<std::size_t>(program_.outputs[i].value)] = true;
        }
        std::vector<bool> is_cut(program_.values.size(), false);
        for (auto step = program_.steps.rbegin(); step != program_.steps.rend(); ++step) {
            bool is_needed = false;
            for (const ValueId id : {step->out, step->out2}) {
                is_needed = is_needed || (id != kNoValue && needed[static_cast<std::size_t>(id)]);
            }
            if (!is_needed) {
                continue;
            }
            if (!runs_late(*step)) {
                is_cut[static_cast<std::size_t>(step->out)] = true;
                continue;
            }
            late_steps_.push_back(*step);
            for_each_use(std::as_const(step->operation), [&](const Use& use) {
                needed[static_cast<std::size_t>(use.value)] = true;
            });
        }
        std::reverse(late_steps_.begin(), late_steps_.end());
        for (std::size_t i = 0; i < is_cut.size(); ++i) {
            if (is_cut[i]) {
                cut_.push_back(static_cast<ValueId>(i));
            }
        }
        read_late_ = std::move(needed);
    }

    void choose_early_steps() {
        std::vector<bool> needed(program_.values.size(), false);
        for (const std::size_t i : result_.early_outputs) {
            needed[static_cast<std::size_t>(program_.outputs[i].value)] = true;
        }
        for (const ValueId id : cut_) {
            needed[static_cast<std::size_t>(id)] = true;
        }
        for (auto step = program_.steps.rbegin(); step != program_.steps.rend(); ++step) {
            const bool is_needed =
                needed[static_cast<std::size_t>(step->out)] ||
                (step->out2 != kNoValue && needed[static_cast<std::size_t>(step->out2)]);
            if (!is_needed) {
                continue;
            }
            early_steps_.push_back(*step);
            for_each_use(std::as_const(step->operation), [&](const Use& use) {
                needed[static_cast<std::size_t>(use.value)] = true;
            });
        }
        std::reverse(early_steps_.begin(), early_steps_.end());
        for (Step& step : early_steps_) {
            auto* syrk = std::get_if<Syrk>(&step.operation);
            if (syrk != nullptr && std::count(cut_.begin(), cut_.end(), step.out) != 0) {
                syrk->mirror = true;
            }
            if (is_factorization(step.operation) && program_.value(step.out).count() > 0 &&
                (factor_ == kNoValue || step.scope == Scope::problem)) {
                factor_ = step.out;
            }
        }
    }

    /// The program with some of its operands, whose values say so; no outputs.
    [[nodiscard]] Program with_operands(std::vector<Step> steps,
                                        const std::vector<bool>& is_wanted) const {
        Program part = program_;
        part.steps = std::move(steps);
        part.operands.clear();
        part.outputs.clear();
        for (Value& value : part.values) {
            value.operand = -1;
        }
        for (const ProgramOperand& operand : program_.operands) {
            if (is_wanted[static_cast<std::size_t>(operand.value)]) {
                part.value(operand.value).operand = static_cast<int>(part.operands.size());
                part.operands.push_back(operand);
            }
        }
        return part;
    }

    /// 1, or NaN for a problem that has failed.
    [[nodiscard]] Value flag_value() const {
        Value one;
        one.rows = one.cols = {"1", 1};
        one.type = program_.type;
        one.scope = program_.value(factor_).scope;
        one.text = "1, or NaN for a problem that has failed";
        return one;
    }
    static MapBody two_operands(ValueId a, ValueId b, MapOp op) {
        return {{MapOperand{{a}}, MapOperand{{b}}},
                {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {op, 0, 1, 0}}};
    }
    static ValueId add_value(Program& part, Value value) {
        part.values.push_back(std::move(value));
        return static_cast<ValueId>(part.values.size()) - 1;
    }
    static void add_map(Program& part, MapBody body, ValueId out, ScalarType type,
                        const char* why) {
        Step step;
        step.operation = Map{std::move(body)};
        step.out = out;
        step.scope = part.value(out).scope;
        step.type = type;
        step.why = why;
        part.steps.push_back(std::move(step));
    }
    [[nodiscard]] bool is_kept_as_two(ValueId id) const {
        return program_.value(id).type != program_.type;
    }
    /// A value of the type of the operands, else like `id`.
    [[nodiscard]] Value kept_like(ValueId id, const char* what) const {
        Value value = program_.value(id);
        value.type = program_.type;
        value.operand = -1;
        value.text = what + value.text;
        return value;
    }

    void make_early() {
        std::vector<bool> is_wanted(late_);
        is_wanted.flip();
        Program part = with_operands(std::move(early_steps_), is_wanted);
        for (const std::size_t i : result_.early_outputs) {
            part.outputs.push_back(program_.outputs[i]);
        }
        const auto keep = [&](ValueId id) {
            part.outputs.push_back({OutputKind::value, "kept", id, false, false, false});
        };
        for (const ValueId id : cut_) {
            if (!is_kept_as_two(id)) {
                keep(id);
                continue;
            }
            const ValueId high = add_value(part, kept_like(id, "first part of "));
            const ValueId low = add_value(part, kept_like(id, "rest of "));
            add_map(part, {{MapOperand{{id}}}, {{MapOp::load, 0, -1, 0}}}, high,
                    ScalarType::float64, "kept as two numbers");
            add_map(part, two_operands(id, high, MapOp::sub), low, ScalarType::float64,
                    "kept as two numbers");
            keep(high);
            keep(low);
        }
        if (factor_ != kNoValue && !result_.late_outputs.empty()) {
            // One of each problem: it reads what may fail, and makes 0 of whatever that is.
            const ValueId flag = add_value(part, flag_value());
            const MapBody body{{MapOperand{{factor_, false, 0, 0}}},
                               {{MapOp::load, 0, -1, 0},
                                {MapOp::constant, -1, -1, 0},
                                {MapOp::mask, 0, 1, 0},
                                {MapOp::offset, 2, -1, 1}}};
            add_map(part, body, flag, program_.type, "");
            keep(flag);
            result_.carries_failures = true;
        }
        result_.kept = part.outputs.size() - result_.early_outputs.size();
        finish(part);
        result_.early = std::move(part);
    }

    void make_late() {
        std::vector<bool> is_wanted(read_late_);
        for (const ProgramOperand& operand : program_.operands) {
            if (is_late(operand.value)) {
                is_wanted[static_cast<std::size_t>(operand.value)] = true;
            }
        }
        Program part = with_operands({}, is_wanted);
        const auto take = [&](ValueId id, bool batched) {
            Value& value = part.value(id);
            value.operand = static_cast<int>(part.operands.size());
            value.scope = batched ? Scope::problem : Scope::shared;
            part.operands.push_back({fmt::format("kept {}", part.operands.size()), id, batched});
        };
        for (const ValueId id : cut_) {
            const bool batched = program_.value(id).scope == Scope::problem;
            if (!is_kept_as_two(id)) {
                take(id, batched);
                continue;
            }
            const ValueId high = add_value(part, kept_like(id, "first part of "));
            const ValueId low = add_value(part, kept_like(id, "rest of "));
            take(high, batched);
            take(low, batched);
            add_map(part, two_operands(high, low, MapOp::add), id, ScalarType::float64,
                    "kept as two numbers");
        }
        part.steps.insert(part.steps.end(), late_steps_.begin(), late_steps_.end());
        for (const std::size_t i : result_.late_outputs) {
            part.outputs.push_back(program_.outputs[i]);
        }
        ValueId flag = kNoValue;
        if (result_.carries_failures) {
            flag = add_value(part, flag_value());
            take(flag, program_.value(factor_).scope == Scope::problem);
        }
        finish(part, flag);
        result_.late = std::move(part);
    }

    /// The passes that a Program needs once its steps are chosen. The Cholesky factor of `flag`, which
    /// nobody reads, comes first.
    static void finish(Program& part, ValueId flag = kNoValue) {
        const std::vector<ProgramOutput> outputs = part.outputs;
        const std::size_t flag_at = part.operands.size() - 1;
        remove_dead(part);
        if (flag != kNoValue) {
            Step step;
            step.operation = Potrf{{part.operands[flag_at].value}};
            Value root = part.value(part.operands[flag_at].value);
            root.operand = -1;
            root.text = "fails where the problem has failed";
            step.out = add_value(part, std::move(root));
            step.type = part.type;
            step.why = "a problem that has failed fails again";
            part.steps.insert(part.steps.begin(), std::move(step));
        }
        hoist_shared(part);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            part.outputs[i].repeated = outputs[i].repeated;
        }
        fold_batch(part);
        assign_memory(part);
        count_costs(part);
#ifndef NDEBUG
        verify(part, Stage::placed, "split_program");
#endif
    }

    Program program_;
    std::vector<bool> late_;  ///< by value: depends on the late operands
    std::vector<bool> read_late_;
    std::vector<ValueId> cut_;  ///< early values that late steps read
    std::vector<Step> early_steps_, late_steps_;
    ValueId factor_ = kNoValue;  ///< an early one that may fail, of each problem if there is such
    SplitProgram result_;
};

}  // namespace

SplitProgram split_program(const Program& whole, std::span<const std::string> late) {
    return Splitter(whole, late).split();
}

}  // namespace matgrad
