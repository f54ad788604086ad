#pragma once
/// \file Programs written by hand, to test one pass at a time.

#include <string>

#include "program/program.hpp"

namespace matgrad::testing {

/// Adds values and steps; sizes stand beside each.
class HandProgram {
public:
    Program program;

    ValueId operand(const std::string& name, std::int64_t rows, std::int64_t cols,
                    bool batched = true) {
        const ValueId id = value(name, rows, cols, batched ? Scope::problem : Scope::shared);
        program.values.back().operand = static_cast<int>(program.operands.size());
        program.operands.push_back({name, id, batched});
        return id;
    }
    ValueId step(Operation operation, std::int64_t rows, std::int64_t cols,
                 Scope scope = Scope::problem) {
        Step s;
        s.operation = std::move(operation);
        s.out = value("t", rows, cols, scope);
        s.scope = scope;
        program.steps.push_back(std::move(s));
        return program.steps.back().out;
    }
    void output(ValueId id, bool transposed = false) {
        program.outputs.push_back({OutputKind::value, "", id, transposed});
    }

private:
    ValueId value(const std::string& text, std::int64_t rows, std::int64_t cols, Scope scope) {
        Value v;
        v.rows = {std::to_string(rows), rows};
        v.cols = {std::to_string(cols), cols};
        v.scope = scope;
        v.text = text;
        program.values.push_back(v);
        return static_cast<ValueId>(program.values.size()) - 1;
    }
};

inline Gemm gemm(ValueId a, ValueId b) {
    return {{a}, {b}, 1, 0, {}};
}

/// op(use) as a map or inside a reduce.
inline MapBody unary_body(MapOp op, const Use& use, double number = 0) {
    MapBody body;
    body.operands = {{use, Broadcast::none}};
    body.code = {{MapOp::load, 0, -1, 0}, {op, 0, -1, number}};
    return body;
}

inline MapBody binary_body(MapOp op, const Use& a, const Use& b) {
    MapBody body;
    body.operands = {{a, Broadcast::none}, {b, Broadcast::none}};
    body.code = {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {op, 0, 1, 0}};
    return body;
}

}  // namespace matgrad::testing
