#include "cpu/steps/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "cpu/map.hpp"
#include "cpu/scratch.hpp"
#include "cpu/view.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

double real(std::int64_t size) {
    return static_cast<double>(size);
}

double operations_of(const Program& program, const Step& step) {
    const Value& out = program.value(step.out);
    const double m = real(out.rows.size);
    const double n = real(out.cols.size);
    if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
        return 2 * m * n * real(cols_of(program, gemm->a).size);
    }
    if (const auto* syrk = std::get_if<Syrk>(&step.operation)) {
        return m * n * real(cols_of(program, syrk->a).size);
    }
    if (std::holds_alternative<Potrf>(step.operation)) {
        return n * n * n / 3;
    }
    if (const auto* trsm = std::get_if<Trsm>(&step.operation)) {
        return m * n * (trsm->side == Side::left ? m : n);
    }
    if (std::holds_alternative<Getrf>(step.operation)) {
        return 2 * n * n * n / 3;
    }
    if (const auto* solve = std::get_if<Solve>(&step.operation)) {
        return 2 * m * n * (solve->side == Side::left ? m : n);
    }
    return 0;
}

/// Beyond what each instruction takes, of one entry in full vectors.
double function_nanoseconds(const MapBody& body, ScalarType type) {
    double of_vector = 0;
    double of_entry = 0;
    for (const MapInstruction& c : body.code) {
        const std::optional<Entrywise> function = entrywise_of(c.op);
        if (c.op == MapOp::pow && (c.number != std::trunc(c.number) || std::abs(c.number) > 64)) {
            of_entry += kPowerEntry;
        } else if (c.op == MapOp::div || c.op == MapOp::sqrt) {
            of_vector += kRootVector;
        } else if (function && (facts_of(*function) & EntrywiseFact::kHeavy) != 0) {
            of_vector += kFunctionVector;
        }
    }
    return of_entry + of_vector * real(size_of(type)) / real(kVectorBytes);
}

std::int64_t matrix_bytes(const Program& program, ValueId id, int lanes) {
    return id == kNoValue
               ? 0
               : align_up(program.value(id).count() * lanes * size_of(ScalarType::float64));
}

}  // namespace

Work work_of(const Program& program, const Step& step) {
    const Value& out = program.value(step.out);
    Work w;
    w.operations = weight(step.type) * operations_of(program, step);
    if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        w.entries = real(reduce->rows.size * reduce->cols.size);
        w.instructions = real(static_cast<std::int64_t>(reduce->body.code.size())) + 1;
        w.functions = function_nanoseconds(reduce->body, step.type);
    } else if (const auto* map = std::get_if<Map>(&step.operation)) {
        w.entries = real(out.count());
        w.instructions = real(static_cast<std::int64_t>(map->body.code.size())) + 1;
        w.functions = function_nanoseconds(map->body, step.type);
    } else if (std::holds_alternative<Copy>(step.operation) ||
               std::holds_alternative<Window>(step.operation)) {
        w.entries = real(out.count());
        w.instructions = 1;
    }
    return w;
}

bool gives_vector(const Program& program, const Step& step) {
    const Value& out = program.value(step.out);
    return std::holds_alternative<Gemm>(step.operation) &&
           (out.rows.size == 1 || out.cols.size == 1);
}

std::int64_t tile_bytes_per_problem(const Program& program) {
    std::int64_t bytes = program.problem_bytes;
    for (const Value& value : program.values) {
        if (value.scope == Scope::problem && value.offset < 0) {
            bytes += value.count() * size_of(value.type);
        }
    }
    return bytes;
}

double moved_floats(const Program& program, bool operands_too) {
    double floats = 0;
    for (const ProgramOutput& output : program.outputs) {
        const Value& result = program.value(output.value);
        if (result.scope == Scope::problem) {
            floats += real(result.count()) * weight(program.type);
        }
    }
    for (const Value& operand : program.values) {
        if (operands_too && operand.operand >= 0 && operand.scope == Scope::problem) {
            floats += real(operand.count()) * weight(program.type);
        }
    }
    return floats;
}

double summed_numbers(const Program& program) {
    double numbers = 0;
    for (const Step& step : program.steps) {
        if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
            const bool added = program.value(sum->a.value).scope == Scope::problem;
            numbers += added ? real(program.value(step.out).count()) : 0;
        }
    }
    return numbers;
}

double lane_move_nanoseconds(const Program& program, ValueId id) {
    const Value& value = program.value(id);
    return kCompactMove * weight(value.type) * real(value.count());
}

double compact_nanoseconds(const Program& program, const Step& step) {
    Work w = work_of(program, step);
    const auto* trsm = std::get_if<Trsm>(&step.operation);
    if (trsm != nullptr && !is_present(trsm->b)) {
        w.operations /= 3;  // the zeros of the identity are known
    }
    const bool cached = tile_bytes_per_problem(program) * kLanes <= kCachedTile;
    // Solves and factorizations keep what they read again in registers: memory hurts them less.
    const bool potrf = std::holds_alternative<Potrf>(step.operation);
    if (potrf || std::holds_alternative<Syrk>(step.operation) ||
        std::holds_alternative<Trsm>(step.operation)) {
        const double rate =
            step.type == ScalarType::float32 ? kCompactSolveRate : kCompactSolveRateDouble;
        return kCompactCall +
               w.operations / rate * (potrf ? 2 : 1) * (cached ? 1 : kBeyondCacheSolve);
    }
    const bool gemm = std::holds_alternative<Gemm>(step.operation);
    const double rate = gives_vector(program, step) ? kCompactGemvRate
                        : gemm                      ? kCompactRate
                                                    : kCompactFactorRate;
    const Value& out = program.value(step.out);
    const double floats = weight(out.type) * real(out.count());
    const bool spills = gemm && floats * size_of(ScalarType::float32) * kLanes > kFirstCache;
    const double product = std::max(w.operations / rate, spills ? kCompactWrite * floats : 0);
    const double time = kCompactCall +
                        w.instructions * (kMapInstruction / kLanes + kMapEntry * w.entries) +
                        w.functions * w.entries + product;
    return time * (cached ? 1 : kBeyondCache);
}

double entrywise_nanoseconds(const Program& program, const Step& step) {
    const Work w = work_of(program, step);
    // Of a few entries a vector is computed.
    const double in_vector = real(kVectorBytes / size_of(step.type));
    return kMapCall + w.instructions * (kMapInstruction + kMapEntry * w.entries) +
           w.functions * std::max(w.entries, in_vector);
}

std::int64_t copies_bytes(const Program& program, const Step& step, int lanes) {
    std::int64_t bytes =
        matrix_bytes(program, step.out, lanes) + matrix_bytes(program, step.out2, lanes);
    for_each_use(step.operation,
                 [&](const Use& use) { bytes += matrix_bytes(program, use.value, lanes); });
    const Value& out = program.value(step.out);
    return bytes +
           2 * align_up((out.rows.size + out.cols.size) * lanes * size_of(ScalarType::float64));
}

std::int64_t body_bytes(const Program& program, const Step& step, const MapBody& body, int lanes) {
    return map_scratch_bytes(body) + matrix_bytes(program, step.out, lanes);
}

}  // namespace matgrad::detail
