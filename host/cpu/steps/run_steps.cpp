#include "cpu/steps/run_steps.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cpu/steps/estimate.hpp"
#include "cpu/steps/make_step.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// One problem of the run after the other, each by the step of the plain layout.
class ProblemByProblem : public CpuStep {
public:
    ProblemByProblem(const Program& program, const Step& step, CpuStepPtr one)
        : CpuStep(one->name(), one->scratch_bytes(), one->nanoseconds() + kNextProblem),
          one_(std::move(one)) {
        add(program, step.out);
        add(program, step.out2);
        for_each_use(step.operation, [&](const Use& use) { add(program, use.value); });
    }

    void compute(const StepRun& run) const override {
        StepRun each{run.values, run.scratch, run.status, 1, run.threads};
        for (std::int64_t p = 0; p < run.problems; ++p) {
            each.status = run.status + p;
            one_->run(each);
            for (const auto& [value, bytes] : moved_) {
                run.values[value].data += bytes;
            }
        }
        for (const auto& [value, bytes] : moved_) {
            run.values[value].data -= run.problems * bytes;
        }
    }

    [[nodiscard]] bool calls_blas() const override { return one_->calls_blas(); }

private:
    void add(const Program& program, ValueId id) {
        const bool known = std::any_of(moved_.begin(), moved_.end(),
                                       [id](const auto& other) { return other.first == id; });
        if (id != kNoValue && !known && program.value(id).scope == Scope::problem) {
            const Value& value = program.value(id);
            moved_.emplace_back(id, value.count() * size_of(value.type));
        }
    }

    CpuStepPtr one_;
    std::vector<std::pair<ValueId, std::int64_t>> moved_;  ///< bytes from one problem to the next
};

RunStep make_batch_step(const Program& program, const Step& step) {
    if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
        return make_run_gemm_batch(program, step, *gemm);
    }
    if (const auto* syrk = std::get_if<Syrk>(&step.operation)) {
        return make_run_syrk_batch(program, step, *syrk);
    }
    return {};
}

}  // namespace

RunStep make_run_step(const Program& program, const Step& step, std::int64_t tile) {
    CpuStepPtr at_once;
    if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
        at_once = make_run_gemm(program, step, *gemm, tile);
    } else if (const auto* map = std::get_if<Map>(&step.operation)) {
        at_once = make_run_map(program, step, *map, tile);
    } else if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        at_once = make_run_reduce(program, step, *reduce, tile);
    }
    if (at_once != nullptr) {
        return {std::move(at_once), true};
    }
    RunStep batch = make_batch_step(program, step);
    if (batch.step != nullptr) {
        return batch;
    }
    CpuStepPtr one = make_plain_step(program, step);
    if (one == nullptr) {
        return {};
    }
    return {std::make_unique<ProblemByProblem>(program, step, std::move(one)), false};
}

CpuStepPtr make_sum_step(const Program& program, const Step& step, std::int64_t tile) {
    if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
        return is_present(gemm->c)
                   ? nullptr
                   : make_sum_gemm(program, step, gemm->a, gemm->b, gemm->alpha, tile);
    }
    if (const auto* syrk = std::get_if<Syrk>(&step.operation)) {
        return syrk->mirror
                   ? make_sum_gemm(program, step, syrk->a, transposed(syrk->a), syrk->alpha, tile)
                   : nullptr;
    }
    if (const auto* reduce = std::get_if<Reduce>(&step.operation)) {
        return make_sum_reduce(program, step, *reduce, tile);
    }
    return nullptr;
}

}  // namespace matgrad::detail
