#include "planner/sample.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "planner/edit.hpp"

namespace matgrad {
namespace {

bool is_exact(const MapInstruction& c) {
    switch (c.op) {
        case MapOp::load:
        case MapOp::constant:
        case MapOp::mask:
        case MapOp::unmask:
        case MapOp::less:
        case MapOp::less_equal:
        case MapOp::abs:
        case MapOp::sign:
        case MapOp::step:
        case MapOp::relu:
        case MapOp::max:
        case MapOp::min:
            return true;
        case MapOp::scale: {
            int exponent = 0;
            return std::abs(std::frexp(c.number, &exponent)) == 0.5;
        }
        case MapOp::pow:
            return c.number == 1;
        default:
            return is_position(c.op);
    }
}

bool is_sum(const MapInstruction& c) {
    return c.op == MapOp::add || c.op == MapOp::sub || c.op == MapOp::offset;
}

}  // namespace

Sample::Sample(Program& program, const std::vector<bool>& wanted, std::size_t steps, double& seed)
    : program_(program), seed_(seed) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        twins_.push_back(static_cast<ValueId>(i));
    }
    for (std::size_t i = 0; i < steps; ++i) {
        if (wanted[static_cast<std::size_t>(program.steps[i].out)]) {
            repeat(i);
        }
    }
}

void Sample::repeat(std::size_t at) {
    Step step = program_.steps[at];
    step.why = "once more, perturbed";
    const bool entrywise = std::holds_alternative<Map>(step.operation) ||
                           std::holds_alternative<Reduce>(step.operation);
    const auto* solve = std::get_if<Solve>(&step.operation);
    const ValueId pivots = solve == nullptr ? kNoValue : solve->pivots.value;
    const bool copies = std::holds_alternative<Copy>(step.operation) ||
                        std::holds_alternative<Window>(step.operation);
    for_each_use(step.operation, [&](Use& use) {
        const bool exact = entrywise || copies || use.value == pivots;
        use.value = exact ? twin(use.value) : perturbed(twin(use.value), step.type);
    });
    if (auto* map = std::get_if<Map>(&step.operation)) {
        perturb(map->body, false);
    } else if (auto* reduce = std::get_if<Reduce>(&step.operation)) {
        perturb(reduce->body, reduce->op != ReduceOp::max);
    } else if (auto* potrf = std::get_if<Potrf>(&step.operation)) {
        potrf->fails = false;
        potrf->jitter = false;
    } else if (auto* getrf = std::get_if<Getrf>(&step.operation)) {
        getrf->fails = false;
    }
    const ValueId out = step.out;
    const ValueId out2 = step.out2;
    step.out = copy_of(out);
    if (out2 != kNoValue) {
        step.out2 = copy_of(out2);
        twins_[static_cast<std::size_t>(out2)] = step.out2;
    }
    const ValueId twin = step.out;
    const bool rounds =
        program_.value(twin).type != step.type && program_.value(twin).type == ScalarType::float32;
    program_.steps.push_back(std::move(step));
    // What is stored in a smaller type than it was computed in is rounded once more.
    twins_[static_cast<std::size_t>(out)] = rounds ? perturbed(twin, ScalarType::float32) : twin;
}

ValueId Sample::copy_of(ValueId id) {
    Value value = program_.value(id);
    value.operand = -1;
    value.output = -1;
    program_.values.push_back(std::move(value));
    return static_cast<ValueId>(program_.values.size()) - 1;
}

ValueId Sample::perturbed(ValueId id, ScalarType type) {
    const ValueId changed = copy_of(id);
    program_.value(changed).type = type;
    Step step;
    Map map;
    BodyWriter body(map.body);
    body.finish(body.emit({MapOp::perturb, body.load({id}), -1, ++seed_}));
    step.operation = std::move(map);
    step.out = changed;
    step.type = type;
    step.why = "as if rounded in another way";
    program_.steps.push_back(std::move(step));
    return changed;
}

void Sample::perturb(MapBody& body, bool always_last) {
    const std::size_t size = body.code.size();
    const auto fits = [&](auto chosen) {
        return size + static_cast<std::size_t>(
                          std::count_if(body.code.begin(), body.code.end(), chosen)) <
               kMaxBodyCode;
    };
    const auto rounds = [](const MapInstruction& c) { return !is_exact(c); };
    const bool all = fits(rounds);
    const bool sums = !all && fits(is_sum);
    std::vector<MapInstruction> code;
    std::vector<int> places;
    for (std::size_t i = 0; i < size; ++i) {
        MapInstruction c = body.code[i];
        if (reads_a(c.op)) {
            c.a = places[static_cast<std::size_t>(c.a)];
        }
        if (reads_b(c.op)) {
            c.b = places[static_cast<std::size_t>(c.b)];
        }
        code.push_back(c);
        const bool last = i + 1 == size;
        const bool wanted =
            (all && rounds(c)) || (sums && is_sum(c)) || (last && (always_last || rounds(c)));
        if (wanted && code.size() < kMaxBodyCode) {
            code.push_back({MapOp::perturb, static_cast<int>(code.size()) - 1, -1, ++seed_});
        }
        places.push_back(static_cast<int>(code.size()) - 1);
    }
    body.code = std::move(code);
}

}  // namespace matgrad
