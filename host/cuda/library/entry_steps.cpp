#include "cuda/library/step.hpp"

namespace matgrad::gpu {
namespace {

std::vector<ScalarType> types_of(const StepSetup& setup, const MapBody& body) {
    std::vector<ScalarType> types;
    for (const MapOperand& operand : body.operands) {
        types.push_back(setup.value(operand.use.value).type);
    }
    return types;
}

std::vector<Use> uses_of(const MapBody& body) {
    std::vector<Use> uses;
    for (const MapOperand& operand : body.operands) {
        uses.push_back(operand.use);
    }
    return uses;
}

std::vector<DeviceView> views_of(const StepRun& run, const std::vector<Use>& uses) {
    std::vector<DeviceView> views;
    for (const Use& use : uses) {
        views.push_back(run.view(use));
    }
    return views;
}

class MapStep final : public LibraryStep {
public:
    MapStep(StepSetup& setup, const Map& step) : out_(setup.step().out), uses_(uses_of(step.body)) {
        const Value& out = setup.value(out_);
        kernel_ = setup.kernels().add_map(step.body, out.rows.size, out.cols.size,
                                          setup.step().type, types_of(setup, step.body), out.type);
    }
    void enqueue(StepRun& run) const override {
        run.kernels.map(kernel_, views_of(run, uses_), run.value(out_), run.batch, run.stream);
    }
    [[nodiscard]] std::string route(std::span<const DeviceView>, std::int64_t) const override {
        return "map kernel";
    }

private:
    ValueId out_;
    std::vector<Use> uses_;
    KernelId kernel_;
};

class ReduceStep final : public LibraryStep {
public:
    ReduceStep(StepSetup& setup, const Reduce& step)
        : out_(setup.step().out),
          pivots_(step.op == ReduceOp::signed_product ? step.pivots.value : kNoValue),
          uses_(uses_of(step.body)),
          kernel_(setup.kernels().add_reduce(step, setup.step().type, types_of(setup, step.body),
                                             setup.value(out_).type)) {}
    void enqueue(StepRun& run) const override {
        const std::int32_t* pivots = nullptr;
        if (pivots_ != kNoValue) {
            pivots = reinterpret_cast<const std::int32_t*>(run.value(pivots_).data);
        }
        run.kernels.reduce(kernel_, views_of(run, uses_), pivots, run.value(out_), run.batch,
                           run.stream);
    }
    [[nodiscard]] std::string route(std::span<const DeviceView>, std::int64_t) const override {
        return "reduce kernel";
    }

private:
    ValueId out_, pivots_;
    std::vector<Use> uses_;
    KernelId kernel_;
};

class CopyStep final : public LibraryStep {
public:
    CopyStep(StepSetup& setup, const Copy& step) : out_(setup.step().out), from_(step.a) {
        const Value& out = setup.value(out_);
        kernel_ = setup.kernels().add_copy(out.rows.size, out.cols.size,
                                           setup.value(from_.value).type, out.type);
    }
    void enqueue(StepRun& run) const override {
        const DeviceView& out = run.value(out_);
        DeviceView from = run.view(from_);
        if (from.count() == 1) {
            from.rows = out.rows;
            from.cols = out.cols;
            from.row_stride = from.col_stride = 0;
        }
        run.copy(kernel_, from, out, run.batch);
    }
    [[nodiscard]] std::string route(std::span<const DeviceView>, std::int64_t) const override {
        return "copy";
    }

private:
    ValueId out_;
    Use from_;
    KernelId kernel_;
};

}  // namespace

StepPointer make_map(StepSetup& setup, const Map& step) {
    return std::make_unique<MapStep>(setup, step);
}

StepPointer make_reduce(StepSetup& setup, const Reduce& step) {
    return std::make_unique<ReduceStep>(setup, step);
}

StepPointer make_copy(StepSetup& setup, const Copy& step) {
    return std::make_unique<CopyStep>(setup, step);
}

}  // namespace matgrad::gpu
