#include <optional>

#include "cuda/library/step.hpp"
#include "program/uses.hpp"

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
        marks_failed_ = setup.mark_failed();
    }
    void enqueue(StepRun& run) const override {
        run.map(kernel_, views_of(run, uses_), run.value(out_),
                marks_failed_ ? run.status.data : nullptr);
    }

private:
    ValueId out_;
    std::vector<Use> uses_;
    KernelId kernel_;
    bool marks_failed_ = false;
};

constexpr std::int64_t kFewestParts = 8;

/// One block makes a result. Of a large domain rows or columns are reduced first, each by a block of its
/// own. What is reduced first; nothing where one stage does.
std::optional<ReduceOver> parts_of(const Reduce& step, std::int64_t large) {
    if (step.over != ReduceOver::all || step.op == ReduceOp::signed_product ||
        step.rows.size * step.cols.size < large) {
        return {};
    }
    // Rows lie in one piece; more of them than this take long to be reduced in turn.
    if (step.rows.size >= kFewestParts && step.rows.size <= large) {
        return ReduceOver::rows;
    }
    return step.cols.size >= kFewestParts ? std::optional(ReduceOver::cols) : std::nullopt;
}

class ReduceStep final : public LibraryStep {
public:
    ReduceStep(StepSetup& setup, const Reduce& step)
        : out_(setup.step().out),
          type_(setup.step().type),
          pivots_(step.op == ReduceOp::signed_product ? step.pivots.value : kNoValue),
          uses_(uses_of(step.body)) {
        Reduce first = step;
        ScalarType to = setup.value(out_).type;
        if (const auto over = parts_of(step, setup.limit(Limit::reduce_domain))) {
            first.over = *over;
            first.scale = 1;
            parts_ = *over == ReduceOver::rows ? step.rows.size : step.cols.size;
            Reduce second = step;
            second.rows = {"parts", parts_};
            second.cols = {"1", 1};
            second.body = {{{Use{}, Broadcast::none}}, {{MapOp::load, 0, -1, 0}}};
            join_ = setup.kernels().add_reduce(second, type_, {&type_, 1}, to);
            setup.reserve_matrix(type_, parts_);
            to = type_;
        }
        kernel_ = setup.kernels().add_reduce(first, type_, types_of(setup, step.body), to);
        marks_failed_ = setup.mark_failed();
    }
    void enqueue(StepRun& run) const override {
        const DeviceView& out = run.value(out_);
        const std::int32_t* const lost = marks_failed_ ? run.status.data : nullptr;
        if (parts_ > 0) {
            const DeviceView parts = run.take_matrix(type_, parts_, 1);
            run.reduce(kernel_, views_of(run, uses_), nullptr, parts, nullptr,
                       "reduce kernel of parts");
            run.reduce(join_, {&parts, 1}, nullptr, out, lost);
            return;
        }
        const std::int32_t* pivots = nullptr;
        if (pivots_ != kNoValue) {
            pivots = reinterpret_cast<const std::int32_t*>(run.value(pivots_).data);
        }
        run.reduce(kernel_, views_of(run, uses_), pivots, out, lost);
    }

private:
    ValueId out_;
    ScalarType type_;
    ValueId pivots_;
    std::vector<Use> uses_;
    std::int64_t parts_ = 0;
    KernelId kernel_ = kNoKernel, join_ = kNoKernel;
    bool marks_failed_ = false;
};

class CopyStep final : public LibraryStep {
public:
    CopyStep(StepSetup& setup, const Copy& step)
        : out_(setup.step().out), from_(step.a), marks_failed_(setup.mark_failed()) {}
    void enqueue(StepRun& run) const override {
        const DeviceView& out = run.value(out_);
        DeviceView from = run.view(from_);
        if (from.count() == 1) {
            from.rows = out.rows;
            from.cols = out.cols;
            from.row_stride = from.col_stride = 0;
        }
        run.copy(from, out, run.batch, marks_failed_ ? run.status.data : nullptr);
    }

private:
    ValueId out_;
    Use from_;
    bool marks_failed_;
};

/// Zeros, and a copy of the block that the operand has.
class WindowStep final : public LibraryStep {
public:
    WindowStep(StepSetup& setup, const Window& step)
        : out_(setup.step().out),
          from_(step.a),
          block_(block_of(setup.program(), setup.step(), step)) {
        const Value& out = setup.value(out_);
        if (block_.rows != out.rows.size || block_.cols != out.cols.size) {
            const MapBody zero{{}, {{MapOp::constant, -1, -1, 0}}};
            zeros_ = setup.kernels().add_map(zero, out.rows.size, out.cols.size, setup.step().type,
                                             {}, out.type);
        }
        marks_failed_ = setup.mark_failed();
    }
    void enqueue(StepRun& run) const override {
        const DeviceView& out = run.value(out_);
        const std::int32_t* const lost = marks_failed_ ? run.status.data : nullptr;
        if (zeros_ != kNoKernel) {
            run.map(zeros_, {}, out, lost);
        }
        if (block_.rows > 0 && block_.cols > 0) {
            run.copy(block_in(run.view(from_), block_.from_row, block_.from_col),
                     block_in(out, block_.to_row, block_.to_col), run.batch, lost);
        }
    }

private:
    [[nodiscard]] DeviceView block_in(DeviceView v, std::int64_t row, std::int64_t col) const {
        v.data = v.at(0, row, col);
        v.rows = block_.rows;
        v.cols = block_.cols;
        return v;
    }

    ValueId out_;
    Use from_;
    WindowBlock block_;
    KernelId zeros_ = kNoKernel;
    bool marks_failed_ = false;
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

StepPointer make_window(StepSetup& setup, const Window& step) {
    return std::make_unique<WindowStep>(setup, step);
}

}  // namespace matgrad::gpu
