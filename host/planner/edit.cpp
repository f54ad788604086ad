#include "planner/edit.hpp"

#include <algorithm>
#include <utility>

namespace matgrad {
namespace {

template <typename Visit>
struct UseVisitor {
    const Visit& visit;
    template <typename U>
    void one(U& use) const {
        if (use.value != kNoValue) {
            visit(use);
        }
    }
    template <typename Body>
    void body(Body& b) const {
        for (auto& operand : b.operands) {
            one(operand.use);
        }
    }
    template <typename Op>
    void operator()(Op& op) const {
        using T = std::remove_const_t<Op>;
        if constexpr (std::is_same_v<T, Gemm>) {
            one(op.a);
            one(op.b);
            one(op.c);
        } else if constexpr (std::is_same_v<T, Trsm>) {
            one(op.triangle);
            one(op.b);
        } else if constexpr (std::is_same_v<T, Solve>) {
            one(op.lu);
            one(op.pivots);
            one(op.b);
        } else if constexpr (std::is_same_v<T, Map>) {
            body(op.body);
        } else if constexpr (std::is_same_v<T, Reduce>) {
            body(op.body);
            one(op.pivots);
        } else {
            one(op.a);
        }
    }
};

}  // namespace

void for_each_use(Operation& operation, const std::function<void(Use&)>& visit) {
    std::visit(UseVisitor<std::function<void(Use&)>>{visit}, operation);
}

void for_each_use(const Operation& operation, const std::function<void(const Use&)>& visit) {
    std::visit(UseVisitor<std::function<void(const Use&)>>{visit}, operation);
}

Extent rows_of(const Program& program, const Use& use) {
    const Value& v = program.values[static_cast<std::size_t>(use.value)];
    const Extent one{"1", 1};
    if (use.transposed) {
        return use.col >= 0 ? one : v.cols;
    }
    return use.row >= 0 ? one : v.rows;
}

Extent cols_of(const Program& program, const Use& use) {
    return rows_of(program, transposed(use));
}

Use transposed(Use use) {
    use.transposed = !use.transposed;
    return use;
}

Use sliced(Use use, std::int64_t row, std::int64_t col) {
    if (use.transposed) {
        std::swap(row, col);
    }
    if (use.row < 0) {
        use.row = row;
    }
    if (use.col < 0) {
        use.col = col;
    }
    return use;
}

std::vector<int> count_uses(const Program& program) {
    std::vector<int> uses(program.values.size(), 0);
    for (const Step& s : program.steps) {
        if (s.out == kNoValue) {
            continue;  // taken out, not yet erased
        }
        for_each_use(s.operation, [&](const Use& u) { ++uses[static_cast<std::size_t>(u.value)]; });
    }
    for (const ProgramOutput& o : program.outputs) {
        ++uses[static_cast<std::size_t>(o.value)];
    }
    return uses;
}

std::vector<int> find_producers(const Program& program) {
    std::vector<int> producers(program.values.size(), -1);
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
        if (program.steps[i].out == kNoValue) {
            continue;  // taken out, not yet erased
        }
        producers[static_cast<std::size_t>(program.steps[i].out)] = static_cast<int>(i);
        if (program.steps[i].out2 != kNoValue) {
            producers[static_cast<std::size_t>(program.steps[i].out2)] = static_cast<int>(i);
        }
    }
    return producers;
}

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
