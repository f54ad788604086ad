#include <algorithm>
#include <utility>

#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_views.hpp"
#include "cpu/steps/make_step.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// In lanes and of a type that the kernel converts as it reads.
bool is_read_in_place(const Program& program, const Step& step, const Use& use) {
    const Value& value = program.value(use.value);
    return value.scope == Scope::problem && size_of(value.type) <= size_of(step.type);
}

class CompactGemm : public CpuStep {
public:
    CompactGemm(const Program& program, const Step& step, const Gemm& gemm)
        : CpuStep(to_text(program, step), copies_bytes(program, step, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          gemm_(gemm),
          adds_(is_present(gemm.c) && gemm.beta != 0),
          in_place_(is_read_in_place(program, step, gemm.a) &&
                    is_read_in_place(program, step, gemm.b)) {}

    [[nodiscard]] bool takes_groups() const override { return in_place_; }

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        LaneGemm call;
        call.type = step_.type;
        call.groups = run.groups;
        call.a_group = at.group_bytes(gemm_.a.value);
        call.b_group = at.group_bytes(gemm_.b.value);
        call.c_group = adds_ ? at.group_bytes(gemm_.c.value) : 0;
        call.out_group = at.group_bytes(step_.out);
        call.alpha = gemm_.alpha;
        call.a = at.view(gemm_.a);
        call.b = at.view(gemm_.b);
        call.out = at.out();
        if (adds_) {
            call.c = at.view(gemm_.c);
            call.beta = gemm_.beta;
        }
        if (call.a.lanes == 1 && call.b.lanes == kLanes) {
            // The kernel takes a shared operand on the right: out' = b' a'.
            std::swap(call.a, call.b);
            std::swap(call.a_group, call.b_group);
            call.a = transposed(call.a);
            call.b = transposed(call.b);
            call.c = transposed(call.c);
            call.out = transposed(call.out);
        }
        call.a = call.a.lanes == 1 ? at.in_lanes(call.a) : at.no_wider(call.a);
        call.b = call.b.lanes == 1 ? at.shared_as_type(call.b) : at.no_wider(call.b);
        lane_gemm(call);
    }

private:
    const Step& step_;
    const Gemm& gemm_;
    bool adds_;
    bool in_place_;  ///< no operand is copied
};

class CompactSyrk : public CpuStep {
public:
    CompactSyrk(const Program& program, const Step& step, const Syrk& syrk)
        : CpuStep(to_text(program, step), copies_bytes(program, step, kLanes),
                  compact_nanoseconds(program, step)),
          step_(step),
          syrk_(syrk),
          upper_(syrk.a.transposed && is_whole(syrk.a) && is_inverse(program, syrk.a.value)),
          in_place_(is_read_in_place(program, step, syrk.a)) {}

    [[nodiscard]] bool takes_groups() const override { return in_place_; }

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        LaneGemm call;
        call.type = step_.type;
        call.groups = run.groups;
        call.a_group = call.b_group = at.group_bytes(syrk_.a.value);
        call.out_group = at.group_bytes(step_.out);
        call.alpha = syrk_.alpha;
        call.a = at.view(syrk_.a);
        call.a = call.a.lanes == 1 ? at.in_lanes(call.a) : at.no_wider(call.a);
        call.b = transposed(call.a);
        call.out = at.out();
        call.lower_only = true;
        call.mirror = syrk_.mirror;
        call.upper = upper_;
        lane_gemm(call);
    }

private:
    /// Of a lower triangle: then what is above its diagonal is zero.
    static bool is_inverse(const Program& program, ValueId id) {
        return std::any_of(program.steps.begin(), program.steps.end(), [id](const Step& step) {
            const auto* trsm = std::get_if<Trsm>(&step.operation);
            return trsm != nullptr && step.out == id && !is_present(trsm->b) && trsm->lower &&
                   trsm->transposed == trsm->triangle.transposed;
        });
    }

    const Step& step_;
    const Syrk& syrk_;
    bool upper_;
    bool in_place_;
};

}  // namespace

CpuStepPtr make_compact_gemm(const Program& program, const Step& step, const Gemm& gemm) {
    return std::make_unique<CompactGemm>(program, step, gemm);
}

CpuStepPtr make_compact_syrk(const Program& program, const Step& step, const Syrk& syrk) {
    return std::make_unique<CompactSyrk>(program, step, syrk);
}

}  // namespace matgrad::detail
