#include "planner/edit.hpp"

#include <algorithm>
#include <utility>

namespace matgrad {

void remove_dead(Program& program) {
    std::vector<bool> live(program.values.size(), false);
    for (const ProgramOutput& o : program.outputs) {
        live[static_cast<std::size_t>(o.value)] = true;
    }
    for (const ProgramOperand& o : program.operands) {
        live[static_cast<std::size_t>(o.value)] = true;
    }
    std::vector<Step> kept;
    for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
        const bool needed = live[static_cast<std::size_t>(step->out)] ||
                            (step->out2 != kNoValue && live[static_cast<std::size_t>(step->out2)]);
        if (!needed) {
            continue;
        }
        live[static_cast<std::size_t>(step->out)] = true;
        if (step->out2 != kNoValue) {
            live[static_cast<std::size_t>(step->out2)] = true;
        }
        for_each_use(std::as_const(step->operation),
                     [&](const Use& u) { live[static_cast<std::size_t>(u.value)] = true; });
        kept.push_back(std::move(*step));
    }
    std::reverse(kept.begin(), kept.end());
    program.steps = std::move(kept);

    std::vector<ValueId> renumbered(program.values.size(), kNoValue);
    std::vector<Value> values;
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        if (!live[i]) {
            continue;
        }
        renumbered[i] = static_cast<ValueId>(values.size());
        values.push_back(std::move(program.values[i]));
    }
    program.values = std::move(values);
    const auto rename = [&](ValueId& id) {
        if (id != kNoValue) {
            id = renumbered[static_cast<std::size_t>(id)];
        }
    };
    for (Step& s : program.steps) {
        for_each_use(s.operation, [&](Use& u) { rename(u.value); });
        rename(s.out);
        rename(s.out2);
    }
    for (ProgramOutput& o : program.outputs) {
        rename(o.value);
    }
    for (ProgramOperand& o : program.operands) {
        rename(o.value);
    }
}

int BodyWriter::load(const Use& use, Broadcast broadcast) {
    int index = -1;
    for (std::size_t i = 0; i < body_.operands.size(); ++i) {
        const MapOperand& o = body_.operands[i];
        if (o.use.value == use.value && o.use.transposed == use.transposed &&
            o.use.row == use.row && o.use.col == use.col && o.broadcast == broadcast) {
            index = static_cast<int>(i);
        }
    }
    if (index < 0) {
        index = static_cast<int>(body_.operands.size());
        body_.operands.push_back({use, broadcast});
    }
    return emit({MapOp::load, index, -1, 0});
}

int BodyWriter::scale(double factor, int a) {
    if (factor == 1) {
        return a;
    }
    const MapInstruction inner = body_.code[static_cast<std::size_t>(a)];
    if (inner.op == MapOp::constant) {
        return constant(factor * inner.number);
    }
    if (inner.op == MapOp::scale) {
        return scale(factor * inner.number, inner.a);
    }
    return emit({MapOp::scale, a, -1, factor});
}

int BodyWriter::power(double exponent, int a) {
    if (exponent == 1) {
        return a;
    }
    if (exponent == 0) {
        return constant(1);
    }
    if (exponent == 2) {
        return binary(MapOp::mul, a, a);
    }
    if (exponent == 0.5) {
        return unary(MapOp::sqrt, a);
    }
    return emit({MapOp::pow, a, -1, exponent});
}

int BodyWriter::emit(const MapInstruction& instruction) {
    for (std::size_t i = 0; i < body_.code.size(); ++i) {
        const MapInstruction& c = body_.code[i];
        if (c.op == instruction.op && c.a == instruction.a && c.b == instruction.b &&
            c.number == instruction.number) {
            return static_cast<int>(i);
        }
    }
    body_.code.push_back(instruction);
    return static_cast<int>(body_.code.size()) - 1;
}

void BodyWriter::finish(int result) {
    std::vector<bool> needed(body_.code.size(), false);
    needed[static_cast<std::size_t>(result)] = true;
    for (std::size_t i = body_.code.size(); i-- > 0;) {
        if (!needed[i] || body_.code[i].op == MapOp::load) {
            continue;
        }
        if (body_.code[i].a >= 0) {
            needed[static_cast<std::size_t>(body_.code[i].a)] = true;
        }
        if (body_.code[i].b >= 0) {
            needed[static_cast<std::size_t>(body_.code[i].b)] = true;
        }
    }
    MapBody kept;
    std::vector<int> registers(body_.code.size(), -1);
    for (std::size_t i = 0; i < body_.code.size(); ++i) {
        if (!needed[i]) {
            continue;
        }
        MapInstruction c = body_.code[i];
        if (c.op == MapOp::load) {
            kept.operands.push_back(body_.operands[static_cast<std::size_t>(c.a)]);
            c.a = static_cast<int>(kept.operands.size()) - 1;
        } else {
            if (c.a >= 0) {
                c.a = registers[static_cast<std::size_t>(c.a)];
            }
            if (c.b >= 0) {
                c.b = registers[static_cast<std::size_t>(c.b)];
            }
        }
        registers[i] = static_cast<int>(kept.code.size());
        kept.code.push_back(c);
    }
    body_ = std::move(kept);
}

}  // namespace matgrad
