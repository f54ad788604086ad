#include "cpu/map.hpp"
#include "cpu/plain/lu.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/make_step.hpp"
#include "cpu/steps/plain_views.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

class PlainMap : public CpuStep {
public:
    PlainMap(const Program& program, const Step& step, const Map& map)
        : CpuStep(to_text(program, step), body_bytes(program, step, map.body, 1),
                  entrywise_nanoseconds(program, step)),
          step_(step),
          map_(map) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        run_map(map_.body, at.operands(map_.body), step_.type, at.out(), at.scratch(), run.threads);
    }

private:
    const Step& step_;
    const Map& map_;
};

class PlainReduce : public CpuStep {
public:
    PlainReduce(const Program& program, const Step& step, const Reduce& reduce)
        : CpuStep(to_text(program, step), body_bytes(program, step, reduce.body, 1),
                  entrywise_nanoseconds(program, step)),
          step_(step),
          reduce_(reduce) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        run_reduce(reduce_, at.operands(reduce_.body), step_.type, at.out(), at.scratch(),
                   run.threads);
        if (reduce_.op == ReduceOp::signed_product && has_odd_swaps(at.view(reduce_.pivots))) {
            with_type(at.out().type, [&](auto zero) {
                auto* value = reinterpret_cast<decltype(zero)*>(at.out().data);
                *value = -*value;
            });
        }
    }

private:
    const Step& step_;
    const Reduce& reduce_;
};

class PlainCopy : public CpuStep {
public:
    PlainCopy(const Program& program, const Step& step, const Copy& copy)
        : CpuStep(to_text(program, step), copies_bytes(program, step, 1),
                  entrywise_nanoseconds(program, step)),
          step_(step),
          copy_(copy) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        copy_matrix(spread(at.view(copy_.a), at.out()), at.out());
    }

private:
    const Step& step_;
    const Copy& copy_;
};

class PlainWindow : public CpuStep {
public:
    PlainWindow(const Program& program, const Step& step, const Window& window)
        : CpuStep(to_text(program, step), copies_bytes(program, step, 1),
                  entrywise_nanoseconds(program, step)),
          step_(step),
          window_(window),
          block_(block_of(program, step, window)) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        copy_matrix(taken(at.view(window_.a), block_), filled(at.out(), block_));
    }

private:
    const Step& step_;
    const Window& window_;
    WindowBlock block_;
};

}  // namespace

CpuStepPtr make_plain_map(const Program& program, const Step& step, const Map& map) {
    return std::make_unique<PlainMap>(program, step, map);
}

CpuStepPtr make_plain_reduce(const Program& program, const Step& step, const Reduce& reduce) {
    return std::make_unique<PlainReduce>(program, step, reduce);
}

CpuStepPtr make_plain_copy(const Program& program, const Step& step, const Copy& copy) {
    return std::make_unique<PlainCopy>(program, step, copy);
}

CpuStepPtr make_plain_window(const Program& program, const Step& step, const Window& window) {
    return std::make_unique<PlainWindow>(program, step, window);
}

}  // namespace matgrad::detail
