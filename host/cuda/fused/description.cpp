#include "cuda/fused/description.hpp"

#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

class Describe {
public:
    explicit Describe(const Program& program)
        : program_(program),
          is_made_(program.values.size(), 0),
          is_input_(program.values.size(), 0),
          is_kept_(program.values.size(), 0) {}

    FusedDescription operator()() {
        for (const Step& step : program_.steps) {
            if (step.scope == Scope::problem && step.fold == Fold::none) {
                add(step);
            }
        }
        for (const Step& step : program_.steps) {
            sums_ = sums_ || std::holds_alternative<BatchReduce>(step.operation);
            if (step.scope != Scope::problem || step.fold != Fold::none) {
                for_each_use(step.operation, [&](const Use& use) { keep(use.value); });
            }
        }
        for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
            const ValueId value = program_.outputs[i].value;
            if (is_made_[at(value)] == 0 || program_.value(value).count() == 0) {
                continue;
            }
            if (sums_) {
                keep(value);
            } else {
                what_.results.push_back(i);
            }
        }
        what_.is_on_chip.assign(program_.values.size(), 0);
        for (std::size_t i = 0; i < program_.values.size(); ++i) {
            what_.is_on_chip[i] = static_cast<char>(is_made_[i] != 0 && is_kept_[i] == 0);
        }
        if (!is_any_) {
            what_ = {};
            what_.reason = "no step is done for each problem";
        }
        return std::move(what_);
    }

private:
    static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }

    void add(const Step& step) {
        for_each_use(step.operation, [&](const Use& use) { read(use.value); });
        is_made_[at(step.out)] = 1;
        if (step.out2 != kNoValue) {
            is_made_[at(step.out2)] = 1;
        }
        what_.steps.push_back(&step);
        is_any_ = is_any_ || program_.value(step.out).count() > 0;
    }

    void read(ValueId id) {
        if (is_made_[at(id)] != 0 || is_input_[at(id)] != 0) {
            return;
        }
        is_input_[at(id)] = 1;
        const bool is_shared = program_.value(id).scope == Scope::shared;
        (is_shared ? what_.shared_inputs : what_.inputs).push_back(id);
    }

    void keep(ValueId id) {
        if (is_made_[at(id)] != 0 && is_kept_[at(id)] == 0) {
            is_kept_[at(id)] = 1;
            what_.kept.push_back(id);
        }
    }

    const Program& program_;
    FusedDescription what_;
    std::vector<char> is_made_, is_input_, is_kept_;
    bool sums_ = false;    ///< over the batch: a problem may still be left out of them, and fail
    bool is_any_ = false;  ///< step has a result that is not empty
};

}  // namespace

FusedDescription describe_fused(const Program& program) {
    return Describe(program)();
}

}  // namespace matgrad::gpu
