#include "cpu/plain/step_pairs.hpp"

#include <fmt/format.h>

#include <utility>

#include "cpu/plain/copy.hpp"
#include "cpu/plain/gemv.hpp"
#include "executor/workers.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// A smaller matrix is still in the cache when it is read for the second time.
constexpr std::int64_t kLarge = 1 << 20;

const Value& value_of(const Program& program, ValueId id) {
    return program.value(id);
}

/// A product that gives a column: by a whole matrix, all in one type.
const Gemm* vector_product(const Program& program, const Step& step) {
    const auto* gemm = std::get_if<Gemm>(&step.operation);
    if (gemm == nullptr || !is_whole(gemm->a) || gemm->alpha == 0) {
        return nullptr;
    }
    const Value& a = value_of(program, gemm->a.value);
    const Value& out = value_of(program, step.out);
    const bool fits = out.cols.size == 1 && a.rows.size > 1 && a.cols.size > 1 &&
                      a.type == step.type && out.type == step.type &&
                      a.count() * size_of(a.type) >= kLarge;
    return fits ? gemm : nullptr;
}

/// Do the places of two values in the workspace meet?
bool meet(const Program& program, ValueId a, ValueId b) {
    const Value& one = value_of(program, a);
    const Value& two = value_of(program, b);
    if (one.scope != two.scope || one.offset < 0 || two.offset < 0) {
        return a == b;
    }
    return one.offset < two.offset + two.count() * size_of(two.type) &&
           two.offset < one.offset + one.count() * size_of(one.type);
}

/// Does a step neither read nor write where that value is?
bool leaves_alone(const Program& program, const Step& step, ValueId id) {
    bool alone =
        !meet(program, id, step.out) && (step.out2 == kNoValue || !meet(program, id, step.out2));
    for_each_use(step.operation,
                 [&](const Use& use) { alone = alone && !meet(program, id, use.value); });
    return alone;
}

/// May `late` run before `early`, which it follows?
bool may_overtake(const Program& program, const Step& early, const Step& late) {
    return leaves_alone(program, early, late.out) && leaves_alone(program, late, early.out) &&
           (early.out2 == kNoValue || leaves_alone(program, late, early.out2));
}

bool is_pair(const Program& program, const Step& first, const Step& second) {
    const Gemm* one = vector_product(program, first);
    const Gemm* two = vector_product(program, second);
    return one != nullptr && two != nullptr && one->a.value == two->a.value &&
           one->a.transposed != two->a.transposed && two->b.value == first.out &&
           is_whole(two->b) && !two->b.transposed && two->c.value != first.out &&
           leaves_alone(program, first, second.out);
}

View view_of(const Use& use, const View* values) {
    return use_of(use, values[use.value]);
}

/// The column that the product is added to is put where the product goes.
void place_added(const Gemm& gemm, const View& out, const View* values) {
    if (gemm.c.value == kNoValue || gemm.beta == 0) {
        return;
    }
    const View from = view_of(gemm.c, values);
    if (from.data != out.data) {
        copy_matrix(from, out);
    }
}

double beta_of(const Gemm& gemm) {
    return gemm.c.value == kNoValue ? 0 : gemm.beta;
}

class PairStep : public CpuStep {
public:
    PairStep(const Step& first, const Step& second, CpuStepPtr alone, CpuStepPtr second_alone)
        : CpuStep(fmt::format("{} with {}", alone->name(), second_alone->name()),
                  alone->scratch_bytes() + second_alone->scratch_bytes(),
                  alone->nanoseconds() + second_alone->nanoseconds()),
          type_(first.type),
          one_(std::get<Gemm>(first.operation)),
          two_(std::get<Gemm>(second.operation)),
          y_(first.out),
          z_(second.out),
          alone_(std::move(alone)),
          second_alone_(std::move(second_alone)) {}

    void compute(const StepRun& run) const override {
        if (!gains(run.values)) {
            alone_->run(run);
            second_alone_->run(run);
            return;
        }
        const View y = run.values[y_];
        const View z = run.values[z_];
        place_added(one_, y, run.values);
        place_added(two_, z, run.values);
        const VectorProduct down(two_.alpha, view_of(two_.a, run.values), y, beta_of(two_), z,
                                 *run.scratch);
        const VectorProduct across(one_.alpha, view_of(one_.a, run.values),
                                   view_of(one_.b, run.values), beta_of(one_), y, *run.scratch,
                                   down.rows_per_part());
        for_each_index(run.threads, down.parts(), [&](std::int64_t part) {
            across.compute(part);
            across.finish_rows(part);
            down.compute(part);
        });
        down.finish();
    }

private:
    [[nodiscard]] bool gains(const View* values) const {
        const View a = view_of(one_.a, values);
        const View x = view_of(one_.b, values);
        return a.col_stride == 1 && a.row_stride >= a.cols && a.type == type_ && x.type == type_ &&
               values[y_].type == type_ && values[y_].row_stride == 1 && values[z_].type == type_;
    }

    ScalarType type_;
    const Gemm& one_;
    const Gemm& two_;
    ValueId y_, z_;
    CpuStepPtr alone_, second_alone_;
};

}  // namespace

std::vector<int> find_step_pairs(const Program& program, const std::vector<const Step*>& steps) {
    std::vector<int> partners(steps.size(), -1);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (std::size_t j = i + 1; j < steps.size(); ++j) {
            bool found = is_pair(program, *steps[i], *steps[j]);
            for (std::size_t k = i + 1; k < j && found; ++k) {
                found = may_overtake(program, *steps[k], *steps[j]);
            }
            if (found) {
                partners[i] = static_cast<int>(j);
                break;
            }
        }
    }
    return partners;
}

CpuStepPtr make_pair_step(const Step& first, const Step& second, CpuStepPtr alone,
                          CpuStepPtr second_alone) {
    return std::make_unique<PairStep>(first, second, std::move(alone), std::move(second_alone));
}

}  // namespace matgrad::detail
