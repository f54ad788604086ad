#include <utility>

#include "planner/body_terms.hpp"
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

/// The largest entry of a value has the bits of an entry: no other type is needed for it.
bool selects_entry(const Operation& op) {
    const auto* reduce = std::get_if<Reduce>(&op);
    return reduce != nullptr && reduce->op == ReduceOp::max && reduce->body.code.size() == 1 &&
           reduce->body.code.front().op == MapOp::load;
}

/// Of what nothing else has made wide.
void keep_types_of_entries(Program& program, const std::vector<bool>& wide) {
    for (const Step& step : program.steps) {
        if (selects_entry(step.operation) && !wide[static_cast<std::size_t>(step.out)]) {
            const Use& use = std::get<Reduce>(step.operation).body.operands.front().use;
            program.value(step.out).type = program.value(use.value).type;
        }
    }
}

/// The value that a term of a map is, but for factors that all problems share, or kNoValue.
ValueId only_of_problem(const MapBody& body, const std::vector<Dependence>& depends,
                        const ProductTerm& term) {
    ValueId value = kNoValue;
    for (const TermFactor& factor : term.factors) {
        const auto reg = static_cast<std::size_t>(factor.reg);
        if (!depends[reg].batch) {
            continue;
        }
        const MapInstruction& c = body.code[reg];
        if (value != kNoValue || factor.reciprocal || c.op != MapOp::load) {
            return kNoValue;
        }
        value = body.operands[static_cast<std::size_t>(c.a)].use.value;
    }
    return value;
}

/// Marks what the terms of a sum over the batch are added up from.
void mark_terms(const Program& program, const Step& step, std::vector<bool>& terms) {
    if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
        terms[static_cast<std::size_t>(sum->a.value)] = true;
    }
    const auto* map = std::get_if<Map>(&step.operation);
    if (map == nullptr || !terms[static_cast<std::size_t>(step.out)]) {
        return;
    }
    const Value& out = program.value(step.out);
    const std::vector<Dependence> depends =
        dependences(program, map->body, out.rows.size, out.cols.size);
    for (const ProductTerm& term : product_terms(map->body, depends)) {
        const ValueId value = only_of_problem(map->body, depends, term);
        if (value != kNoValue) {
            terms[static_cast<std::size_t>(value)] = true;
        }
    }
}

/// Numbers of problems that nothing but sums over the batch is made of, but which are no terms of those:
/// each is an entry of a vector over the batch.
std::vector<bool> find_batch_vectors(const Program& program) {
    std::vector<bool> vectors;
    std::vector<bool> terms(program.values.size(), false);
    for (const Value& value : program.values) {
        vectors.push_back(value.scope == Scope::problem);
    }
    for (const ProgramOutput& output : program.outputs) {
        vectors[static_cast<std::size_t>(output.value)] = false;
    }
    for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
        mark_terms(program, *step, terms);
        const bool summed = std::holds_alternative<BatchReduce>(step->operation) ||
                            vectors[static_cast<std::size_t>(step->out)];
        for_each_use(std::as_const(step->operation), [&](const Use& use) {
            const auto value = static_cast<std::size_t>(use.value);
            vectors[value] = vectors[value] && summed;
        });
    }
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        vectors[i] = vectors[i] && !terms[i] && program.values[i].count() == 1;
    }
    return vectors;
}

/// sum(x .* w) with one factor of each problem and one that all share: an entry of a product.
bool is_shared_product(const Program& program, const Reduce& reduce) {
    const std::vector<MapInstruction>& code = reduce.body.code;
    const std::vector<MapOperand>& operands = reduce.body.operands;
    return reduce.op == ReduceOp::sum && code.size() == 3 && operands.size() == 2 &&
           code[0].op == MapOp::load && code[1].op == MapOp::load && code[2].op == MapOp::mul &&
           (program.value(operands[0].use.value).scope == Scope::shared) !=
               (program.value(operands[1].use.value).scope == Scope::shared);
}

/// Entries of vectors over the batch have the type of what they are made of.
void keep_types_of_batch_vectors(Program& program, const std::vector<bool>& wide) {
    const std::vector<bool> vectors = find_batch_vectors(program);
    for (const Step& step : program.steps) {
        const auto out = static_cast<std::size_t>(step.out);
        const auto* reduce = std::get_if<Reduce>(&step.operation);
        const bool made = std::holds_alternative<Map>(step.operation) ||
                          (reduce != nullptr && is_shared_product(program, *reduce));
        bool narrow = made && vectors[out] && !wide[out];
        for_each_use(step.operation, [&](const Use& use) {
            narrow = narrow && program.value(use.value).type == program.type;
        });
        if (narrow) {
            program.value(step.out).type = program.type;
        }
    }
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
    keep_types_of_entries(program, wide);
    keep_types_of_batch_vectors(program, wide);
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
    const std::vector<bool> vectors = find_batch_vectors(program);
    for (Step& s : program.steps) {
        const Value& out = program.value(s.out);
        const auto* reduce = std::get_if<Reduce>(&s.operation);
        const bool is_sum =
            reduce != nullptr && !selects_entry(s.operation) &&
            !(vectors[static_cast<std::size_t>(s.out)] && is_shared_product(program, *reduce));
        bool wide =
            out.type == ScalarType::float64 || (is_sum && program.accuracy == Accuracy::robust);
        for_each_use(std::as_const(s.operation), [&](const Use& u) {
            const Value& v = program.value(u.value);
            wide = wide || (v.type == ScalarType::float64 && v.count() != 1);
        });
        s.type = wide ? ScalarType::float64 : ScalarType::float32;
    }
}

}  // namespace matgrad
