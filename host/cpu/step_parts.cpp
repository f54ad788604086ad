#include "cpu/step_parts.hpp"

#include "cpu/map.hpp"
#include "cpu/plain/gram.hpp"
#include "cpu/plain/split.hpp"
#include "cpu/scratch.hpp"

namespace matgrad::detail {

const MapBody* body_of(const Step& step) {
    if (const auto* map = std::get_if<Map>(&step.operation)) {
        return &map->body;
    }
    if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        return &reduce->body;
    }
    return nullptr;
}

std::vector<Use> uses_of(const Step& step) {
    std::vector<Use> uses;
    const auto add = [&uses](const Use& use) {
        if (use.value != kNoValue) {
            uses.push_back(use);
        }
    };
    if (const MapBody* body = body_of(step)) {
        for (const MapOperand& operand : body->operands) {
            add(operand.use);
        }
    }
    std::visit(Overloaded{
                   [&](const Gemm& s) {
                       add(s.a);
                       add(s.b);
                       add(s.c);
                   },
                   [&](const Syrk& s) { add(s.a); },
                   [&](const Potrf& s) { add(s.a); },
                   [&](const Trsm& s) {
                       add(s.triangle);
                       add(s.b);
                   },
                   [&](const Getrf& s) { add(s.a); },
                   [&](const Solve& s) {
                       add(s.lu);
                       add(s.pivots);
                       add(s.b);
                   },
                   [&](const Map&) {},
                   [&](const Reduce& s) { add(s.pivots); },
                   [&](const BatchReduce& s) { add(s.a); },
                   [&](const Copy& s) { add(s.a); },
               },
               step.operation);
    return uses;
}

namespace {
/// What the kernels of the plain layout pack.
std::int64_t packing_bytes(const Program& program, const Step& step) {
    const auto shape = [&program](const Use& use) {
        return use_of(use, {nullptr, ScalarType::float64, 1, program.value(use.value).rows.size,
                            program.value(use.value).cols.size, 0, 0});
    };
    if (const auto* syrk = std::get_if<Syrk>(&step.operation)) {
        const View a = shape(syrk->a);
        return is_middle_gram(a.rows) ? gram_scratch_bytes(a.rows, a.cols) : 0;
    }
    if (const auto* potrf = std::get_if<Potrf>(&step.operation)) {
        return split_scratch_bytes(shape(potrf->a).rows);
    }
    if (const auto* trsm = std::get_if<Trsm>(&step.operation)) {
        return split_scratch_bytes(shape(trsm->triangle).rows);
    }
    if (const auto* solve = std::get_if<Solve>(&step.operation)) {
        return split_scratch_bytes(shape(solve->lu).rows);
    }
    return 0;
}
}  // namespace

std::int64_t step_scratch_bytes(const Program& program, const Step& step, int lanes) {
    const auto matrix = [&](ValueId id) {
        if (id == kNoValue) {
            return std::int64_t{0};
        }
        const Value& value = program.value(id);
        return align_up(value.count() * lanes * size_of(ScalarType::float64));
    };
    if (const MapBody* body = body_of(step)) {
        return map_scratch_bytes(*body) + matrix(step.out);
    }
    // A copy of each operand and of each result, and two rows of reciprocals or pivots.
    std::int64_t bytes = matrix(step.out) + matrix(step.out2);
    for (const Use& use : uses_of(step)) {
        bytes += matrix(use.value);
    }
    const Value& out = program.value(step.out);
    bytes += 2 * align_up((out.rows.size + out.cols.size) * lanes * size_of(ScalarType::float64));
    return bytes + (lanes == 1 ? packing_bytes(program, step) : 0);
}

}  // namespace matgrad::detail
