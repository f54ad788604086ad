#include <utility>

#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

bool is_solve_step(const Operation& op) {
    return std::holds_alternative<Trsm>(op) || std::holds_alternative<Solve>(op);
}

/// What a reduction, which computes in double, makes for the caller alone: it is rounded as it is written.
std::vector<bool> find_reduced_results(const Program& program, const std::vector<int>& producers) {
    std::vector<bool> results(program.values.size(), false);
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const int at = producers[i];
        results[i] = at >= 0 && std::holds_alternative<Reduce>(
                                    program.steps[static_cast<std::size_t>(at)].operation);
    }
    for (const Step& step : program.steps) {
        for_each_use(step.operation, [&results](const Use& use) {
            results[static_cast<std::size_t>(use.value)] = false;
        });
    }
    return results;
}

/// Squaring a matrix squares its condition: everything that leads to a factorization is double.
void widen_factors(Program& program) {
    std::vector<bool> wide(program.values.size(), false);
    for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
        const bool factor = is_factorization(step->operation);
        const auto out = static_cast<std::size_t>(step->out);
        if (factor || wide[out]) {
            wide[out] = true;
            if (step->out2 != kNoValue) {
                wide[static_cast<std::size_t>(step->out2)] = true;
            }
            for_each_use(std::as_const(step->operation),
                         [&](const Use& u) { wide[static_cast<std::size_t>(u.value)] = true; });
        }
    }
    const std::vector<int> producers = find_producers(program);
    // What passes from one half of a solve to the next is not rounded between.
    for (const Step& s : program.steps) {
        if (!is_solve_step(s.operation) && !std::holds_alternative<Syrk>(s.operation)) {
            continue;
        }
        for_each_use(s.operation, [&](const Use& u) {
            const int at = producers[static_cast<std::size_t>(u.value)];
            if (at >= 0 && is_solve_step(program.steps[static_cast<std::size_t>(at)].operation)) {
                wide[static_cast<std::size_t>(u.value)] = true;
            }
        });
    }
    const std::vector<bool> results = find_reduced_results(program, producers);
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        Value& v = program.values[i];
        if (v.operand < 0 && (wide[i] || v.count() == 1) && !results[i]) {
            v.type = ScalarType::float64;
        }
    }
}

/// Sums over the batch are made in double; where they are terms of a sum they stay so.
void keep_sums_wide(Program& program) {
    for (const Step& step : program.steps) {
        if (std::holds_alternative<BatchReduce>(step.operation)) {
            continue;
        }
        for_each_use(step.operation, [&](const Use& use) {
            Value& value = program.value(use.value);
            value.type = value.scope == Scope::reduced ? ScalarType::float64 : value.type;
        });
    }
}

}  // namespace

void choose_types(Program& program) {
    for (Value& v : program.values) {
        v.type = program.type;
    }
    keep_sums_wide(program);
    if (program.type == ScalarType::float32 && program.accuracy == Accuracy::robust) {
        widen_factors(program);
    }
    for (Step& s : program.steps) {
        const Value& out = program.value(s.out);
        bool wide =
            out.type == ScalarType::float64 ||
            (std::holds_alternative<Reduce>(s.operation) && program.accuracy == Accuracy::robust);
        for_each_use(std::as_const(s.operation), [&](const Use& u) {
            const Value& v = program.value(u.value);
            wide = wide || (v.type == ScalarType::float64 && v.count() != 1);
        });
        s.type = wide ? ScalarType::float64 : ScalarType::float32;
    }
}

}  // namespace matgrad
