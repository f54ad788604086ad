#include "cuda/library/in_place.hpp"

#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// What the step overwrites with its result, if anything.
struct Overwritten {
    Use operator()(const Potrf& s) const { return s.a; }
    Use operator()(const Trsm& s) const { return s.b; }
    Use operator()(const Solve& s) const { return s.b; }
    Use operator()(const Gemm& s) const { return s.beta != 0 ? s.c : Use{}; }
    template <typename Other>
    Use operator()(const Other&) const {
        return {};
    }
};

bool has_the_size_of(const Value& a, const Value& b) {
    return a.rows.size == b.rows.size && a.cols.size == b.cols.size;
}

}  // namespace

InPlace::InPlace(const Program& program)
    : program_(program), uses_(count_uses(program)), is_factor_(program.values.size(), 0) {
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        home_.push_back(static_cast<ValueId>(i));
    }
    for (const Step& step : program.steps) {
        if (std::holds_alternative<Potrf>(step.operation) ||
            std::holds_alternative<Getrf>(step.operation)) {
            is_factor_[static_cast<std::size_t>(step.out)] = 1;
        }
    }
    // From the last step, so that what a result is made of is found before what that is made of.
    for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
        const Use from = std::visit(Overwritten{}, step->operation);
        if (from.value == kNoValue || is_factor_[static_cast<std::size_t>(step->out)] != 0 ||
            !may_consume(*step, from)) {
            continue;
        }
        const ValueId result = home(step->out);
        const Value& to = program.value(result);
        const Value& value = program.value(from.value);
        if (to.output >= 0 && to.type == value.type && has_the_size_of(to, value)) {
            home_[static_cast<std::size_t>(from.value)] = result;
        }
    }
}

bool InPlace::may_consume(const Step& step, const Use& use) const {
    if (use.value == kNoValue || use.transposed || !is_whole(use)) {
        return false;
    }
    const auto index = static_cast<std::size_t>(use.value);
    const Value& value = program_.values[index];
    return value.operand < 0 && value.output < 0 && value.scope == Scope::problem &&
           step.scope == Scope::problem && uses_[index] == 1 && is_factor_[index] == 0 &&
           has_the_size_of(value, program_.value(step.out));
}

}  // namespace matgrad::gpu
