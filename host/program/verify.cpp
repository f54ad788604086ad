#include "program/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "program/uses.hpp"
#include "program/verify_parts.hpp"

namespace matgrad {
namespace {

/// Values, steps and outputs name each other rightly: single assignment, written before it is read.
class Names {
public:
    Names(const Program& program, Faults& faults)
        : program_(program), faults_(faults), written_(program.values.size(), false) {}

    /// False if anything is named that does not exist: then nothing else can be looked at.
    bool check() {
        for (std::size_t i = 0; i < program_.operands.size(); ++i) {
            const ProgramOperand& operand = program_.operands[i];
            if (exists(operand.value, "operand " + operand.name)) {
                written_[static_cast<std::size_t>(operand.value)] = true;
                if (program_.value(operand.value).operand != static_cast<int>(i)) {
                    faults_.add("operand {}: its value says that it is operand {}", operand.name,
                                program_.value(operand.value).operand);
                }
            }
        }
        for (const Step& step : program_.steps) {
            check(step);
        }
        for (const ProgramOutput& output : program_.outputs) {
            if (exists(output.value, "an output") && !written(output.value)) {
                faults_.add("an output is value {}, which no step writes", output.value);
            }
        }
        return sound_;
    }

private:
    [[nodiscard]] bool exists(ValueId id, const std::string& who) {
        if (id >= 0 && static_cast<std::size_t>(id) < program_.values.size()) {
            return true;
        }
        faults_.add("{} names value {} of {}", who, id, program_.values.size());
        sound_ = false;
        return false;
    }
    [[nodiscard]] bool written(ValueId id) const { return written_[static_cast<std::size_t>(id)]; }

    void check(const Step& step) {
        const std::string who = faults_.name_of(step);
        for_each_use(step.operation, [&](const Use& use) {
            if (!exists(use.value, who)) {
                return;
            }
            const Value& value = program_.value(use.value);
            if (!written(use.value)) {
                faults_.add("{} reads value {} before it is written", who, use.value);
            }
            if (use.row >= value.rows.size || use.col >= value.cols.size) {
                faults_.add("{} reads row {}, column {} of value {}, which is {}-by-{}", who,
                            use.row, use.col, use.value, value.rows.size, value.cols.size);
            }
        });
        const bool has_second = std::holds_alternative<Getrf>(step.operation);
        if (has_second != (step.out2 != kNoValue)) {
            faults_.add("{} has {} results", who, step.out2 == kNoValue ? "one of two" : "two");
        }
        write(step.out, who);
        if (step.out2 != kNoValue) {
            write(step.out2, who);
        }
    }

    void write(ValueId id, const std::string& who) {
        if (!exists(id, who)) {
            return;
        }
        if (written(id)) {
            faults_.add("{} writes value {}, which is written already", who, id);
        }
        written_[static_cast<std::size_t>(id)] = true;
    }

    const Program& program_;
    Faults& faults_;
    std::vector<bool> written_;
    bool sound_ = true;
};

/// Shared steps read shared values alone and come first; sums over the batch are all that leads out of it.
void check_scopes(const Program& program, Faults& faults) {
    for (const ProgramOperand& operand : program.operands) {
        const Scope scope = operand.batched ? Scope::problem : Scope::shared;
        if (program.value(operand.value).scope != scope) {
            faults.add("operand {} has not the scope that `batched` says", operand.name);
        }
    }
    Scope before = Scope::shared;
    for (const Step& step : program.steps) {
        Scope scope = Scope::shared;
        for_each_use(step.operation, [&](const Use& use) {
            scope = std::max(scope, program.value(use.value).scope);
        });
        if (std::holds_alternative<BatchReduce>(step.operation)) {
            if (scope == Scope::reduced) {
                faults.add("{} sums over the batch what is summed already", faults.name_of(step));
            }
            scope = Scope::reduced;
        }
        if (step.scope != scope || program.value(step.out).scope != scope ||
            (step.out2 != kNoValue && program.value(step.out2).scope != scope)) {
            faults.add("{} has another scope than what it reads", faults.name_of(step));
        }
        if (scope == Scope::reduced && !std::holds_alternative<BatchReduce>(step.operation)) {
            for_each_use(step.operation, [&](const Use& use) {
                if (program.value(use.value).scope == Scope::problem) {
                    faults.add("{} reads one problem's value beside a sum over the batch",
                               faults.name_of(step));
                }
            });
        }
        if (step.scope < before) {
            faults.add("{} comes after a step of a later scope", faults.name_of(step));
        }
        before = std::max(before, step.scope);
    }
    for (const ProgramOutput& output : program.outputs) {
        const Scope scope = program.value(output.value).scope;
        if (output.repeated && scope != Scope::shared) {
            faults.add("the output of value {} is repeated and not computed once", output.value);
        }
        if (output.mean && scope == Scope::shared && !output.repeated) {
            faults.add("the output of value {} is a mean and the batch has no part in it",
                       output.value);
        }
    }
}

/// A step with Fold::inner is a product without c, and one sum over the batch alone reads it.
void check_folds(const Program& program, Faults& faults) {
    const std::vector<int> uses = count_uses(program);
    for (const Step& step : program.steps) {
        if (step.fold == Fold::none) {
            continue;
        }
        const auto* gemm = std::get_if<Gemm>(&step.operation);
        const bool is_product = std::holds_alternative<Syrk>(step.operation) ||
                                (gemm != nullptr && !is_present(gemm->c));
        const bool is_summed =
            std::any_of(program.steps.begin(), program.steps.end(), [&](const Step& other) {
                const auto* sum = std::get_if<BatchReduce>(&other.operation);
                return sum != nullptr && sum->a.value == step.out;
            });
        if (!is_product || !is_summed || step.scope != Scope::problem ||
            uses[static_cast<std::size_t>(step.out)] != 1) {
            faults.add("{} is said to be summed and is used otherwise", faults.name_of(step));
        }
    }
}

}  // namespace

std::vector<std::string> find_faults(const Program& program, Stage stage) {
    Faults faults(program);
    if (!Names(program, faults).check()) {
        return faults.take();
    }
    check_shapes(program, faults);
    if (stage >= Stage::scoped) {
        check_scopes(program, faults);
        check_folds(program, faults);
    }
    if (stage >= Stage::placed) {
        check_places(program, faults);
    }
    return faults.take();
}

void verify(const Program& program, Stage stage, const char* after) {
    const std::vector<std::string> faults = find_faults(program, stage);
    if (!faults.empty()) {
        throw std::logic_error(
            fmt::format("after {} this is no Program: {}\n{}", after, faults[0], to_text(program)));
    }
}

}  // namespace matgrad
