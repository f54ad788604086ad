#include "cpu/map.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_views.hpp"
#include "cpu/steps/make_step.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

class CompactMap : public CpuStep {
public:
    CompactMap(const Program& program, const Step& step, const Map& map)
        : CpuStep(to_text(program, step), body_bytes(program, step, map.body, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          map_(map) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        run_map(map_.body, at.operands(map_.body), step_.type, at.out(), at.scratch());
    }

private:
    const Step& step_;
    const Map& map_;
};

/// Negates the lanes whose permutation is odd.
void negate_odd(const View& pivots, const View& out) {
    bool odd[kLanes] = {};
    const int step = pivots.lanes == 1 ? 0 : 1;
    for_each_element(pivots, [&odd, step](const auto* chosen, std::int64_t k, std::int64_t) {
        for (int l = 0; l < kLanes; ++l) {
            odd[l] = odd[l] != (static_cast<std::int64_t>(chosen[l * step]) != k);
        }
    });
    for_each_element(out, [&odd](auto* lanes, std::int64_t, std::int64_t) {
        for (int l = 0; l < kLanes; ++l) {
            lanes[l] = odd[l] ? -lanes[l] : lanes[l];
        }
    });
}

class CompactReduce : public CpuStep {
public:
    CompactReduce(const Program& program, const Step& step, const Reduce& reduce)
        : CpuStep(to_text(program, step), body_bytes(program, step, reduce.body, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          reduce_(reduce) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        run_reduce(reduce_, at.operands(reduce_.body), step_.type, at.out(), at.scratch());
        if (reduce_.op == ReduceOp::signed_product) {
            negate_odd(at.view(reduce_.pivots), at.out());
        }
    }

private:
    const Step& step_;
    const Reduce& reduce_;
};

class CompactCopy : public CpuStep {
public:
    CompactCopy(const Program& program, const Step& step, const Copy& copy)
        : CpuStep(to_text(program, step), copies_bytes(program, step, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          copy_(copy) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        lane_convert(spread(at.view(copy_.a), at.out()), at.out());
    }

private:
    const Step& step_;
    const Copy& copy_;
};

class CompactWindow : public CpuStep {
public:
    CompactWindow(const Program& program, const Step& step, const Window& window)
        : CpuStep(to_text(program, step), copies_bytes(program, step, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          window_(window),
          block_(block_of(program, step, window)) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        lane_convert(taken(at.view(window_.a), block_), filled(at.out(), block_));
    }

private:
    const Step& step_;
    const Window& window_;
    WindowBlock block_;
};

}  // namespace

CpuStepPtr make_compact_map(const Program& program, const Step& step, const Map& map) {
    return std::make_unique<CompactMap>(program, step, map);
}

CpuStepPtr make_compact_reduce(const Program& program, const Step& step, const Reduce& reduce) {
    return std::make_unique<CompactReduce>(program, step, reduce);
}

CpuStepPtr make_compact_copy(const Program& program, const Step& step, const Copy& copy) {
    return std::make_unique<CompactCopy>(program, step, copy);
}

CpuStepPtr make_compact_window(const Program& program, const Step& step, const Window& window) {
    return std::make_unique<CompactWindow>(program, step, window);
}

}  // namespace matgrad::detail
