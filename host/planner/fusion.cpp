#include <algorithm>

#include "planner/edit.hpp"
#include "planner/passes.hpp"

namespace matgrad {
namespace {

MapBody* body_of(Step& step) {
    if (auto* m = std::get_if<Map>(&step.operation)) {
        return &m->body;
    }
    if (auto* r = std::get_if<Reduce>(&step.operation)) {
        return &r->body;
    }
    return nullptr;
}

MapInstruction flipped(MapInstruction c) {
    if (c.op == MapOp::is_lower) {
        c.op = MapOp::is_upper;
    } else if (c.op == MapOp::is_upper) {
        c.op = MapOp::is_lower;
    } else if (c.op == MapOp::row_index) {
        c.op = MapOp::col_index;
    } else if (c.op == MapOp::col_index) {
        c.op = MapOp::row_index;
    }
    return c;
}

MapOperand flipped(MapOperand o) {
    o.use = transposed(o.use);
    if (o.broadcast == Broadcast::row) {
        o.broadcast = Broadcast::column;
    } else if (o.broadcast == Broadcast::column) {
        o.broadcast = Broadcast::row;
    }
    return o;
}

/// Costs nothing to compute again: constants, masks, and views.
bool is_trivial(const MapBody& body) {
    return std::all_of(body.code.begin(), body.code.end(), [](const MapInstruction& c) {
        return c.op == MapOp::load || c.op == MapOp::constant || is_position(c.op);
    });
}

bool is_constant(const MapBody& body) {
    return body.code.size() == 1 && body.code.front().op == MapOp::constant;
}

bool may_inline(const MapOperand& operand, const MapBody& inner, int uses, bool same_scope) {
    if (is_constant(inner)) {
        return true;
    }
    if (operand.broadcast != Broadcast::none || !is_whole(operand.use)) {
        return false;
    }
    return inner.code.size() <= kMaxBodyCode && (is_trivial(inner) || (uses == 1 && same_scope));
}

/// The consumer's body with the producer's written in place of its loads of operand `which`.
MapBody inlined(const MapBody& consumer, std::size_t which, const MapBody& producer) {
    const bool flip = consumer.operands[which].use.transposed;
    MapBody result;
    BodyWriter writer(result);
    const auto copy = [&](const MapBody& from, auto&& on_load, bool transpose) {
        std::vector<int> registers;
        for (const MapInstruction& c : from.code) {
            if (c.op == MapOp::load) {
                registers.push_back(on_load(static_cast<std::size_t>(c.a)));
                continue;
            }
            MapInstruction moved = transpose ? flipped(c) : c;
            if (c.a >= 0) {
                moved.a = registers[static_cast<std::size_t>(c.a)];
            }
            if (c.b >= 0) {
                moved.b = registers[static_cast<std::size_t>(c.b)];
            }
            registers.push_back(writer.emit(moved));
        }
        return registers.back();
    };
    const auto load_inner = [&](std::size_t k) {
        const MapOperand o = flip ? flipped(producer.operands[k]) : producer.operands[k];
        return writer.load(o.use, o.broadcast);
    };
    const auto load_outer = [&](std::size_t k) {
        if (k == which) {
            return copy(producer, load_inner, flip);
        }
        return writer.load(consumer.operands[k].use, consumer.operands[k].broadcast);
    };
    writer.finish(copy(consumer, load_outer, false));
    return result;
}

/// Inlines what one step reads until nothing more fits.
void fuse_into(Program& program, std::size_t index, std::vector<int>& uses,
               const std::vector<int>& producers) {
    Step& step = program.steps[index];
    MapBody* body = body_of(step);
    for (std::size_t k = 0; body != nullptr && k < body->operands.size();) {
        const MapOperand operand = body->operands[k];
        const auto value = static_cast<std::size_t>(operand.use.value);
        const int at = producers[value];
        Step* producer = at >= 0 ? &program.steps[static_cast<std::size_t>(at)] : nullptr;
        const auto* map = producer != nullptr ? std::get_if<Map>(&producer->operation) : nullptr;
        if (map == nullptr ||
            !may_inline(operand, map->body, uses[value], producer->scope == step.scope)) {
            ++k;
            continue;
        }
        MapBody merged = inlined(*body, k, map->body);
        if (merged.operands.size() > kMaxBodyOperands || merged.code.size() > kMaxBodyCode) {
            ++k;
            continue;
        }
        for (const MapOperand& o : body->operands) {
            --uses[static_cast<std::size_t>(o.use.value)];
        }
        if (uses[value] == 0) {  // the producer will go, and its reads with it
            for (const MapOperand& o : map->body.operands) {
                --uses[static_cast<std::size_t>(o.use.value)];
            }
        }
        *body = std::move(merged);
        for (const MapOperand& o : body->operands) {
            ++uses[static_cast<std::size_t>(o.use.value)];
        }
        k = 0;
    }
}

}  // namespace

void fuse_entrywise(Program& program) {
    std::vector<int> uses = count_uses(program);
    const std::vector<int> producers = find_producers(program);
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
        fuse_into(program, i, uses, producers);
    }
    remove_dead(program);
}

}  // namespace matgrad
