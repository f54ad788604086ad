// Products of the problems of a run, one kernel after the other without a step's costs between them.

#include <algorithm>
#include <utility>

#include "cpu/plain/gemm_batch.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/plain_views.hpp"
#include "cpu/steps/run_steps.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// c = alpha a b + beta c; of a symmetric product b is a', and one triangle may do.
struct BatchProduct {
    Use a, b, c;
    double alpha = 1, beta = 0;
    bool lower_only = false;
};

class RunGemmBatch : public CpuStep {
public:
    RunGemmBatch(const Program& program, const Step& step, const BatchProduct& product)
        : CpuStep(to_text(program, step), scratch(program, step, product),
                  price(program, step, product)),
          step_(step),
          product_(product),
          a_step_(bytes_of(program, product.a.value)),
          b_step_(bytes_of(program, product.b.value)),
          c_step_(product.beta == 0 ? 0 : bytes_of(program, product.c.value)),
          last_of_a_(is_last_reader(program, step, product.a.value)),
          last_of_b_(is_last_reader(program, step, product.b.value) &&
                     product.a.value != product.b.value) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        GemmBatch call;
        call.type = step_.type;
        call.alpha = product_.alpha;
        call.beta = product_.beta;
        call.a = at.view(product_.a);
        call.b = at.view(product_.b);
        call.c = at.out();
        call.a_step = a_step_;
        call.b_step = b_step_;
        call.c_step = call.c.count() * size_of(call.c.type);
        call.lower_only = product_.lower_only;
        call.stream = run.is_streamed(step_.out);
        call.a_ahead = last_of_a_ && run.is_followed(product_.a.value);
        call.b_ahead = last_of_b_ && run.is_followed(product_.b.value);
        call.room =
            run.scratch->take(gemm_batch_bytes(call.c.rows, call.a.cols, call.c.cols, step_.type));
        if (product_.beta != 0) {
            place_added(run, call);
        }
        if (call.c.col_stride != 1) {
            turn(call);
        }
        gemm_batch(call, run.problems);
    }

private:
    /// From one problem to the next.
    static std::int64_t bytes_of(const Program& program, ValueId id) {
        const Value& value = program.value(id);
        return value.scope == Scope::problem ? value.count() * size_of(value.type) : 0;
    }
    static bool is_last_reader(const Program& program, const Step& step, ValueId id) {
        bool last = false;
        for (const Step& other : program.steps) {
            for_each_use(other.operation,
                         [&](const Use& use) { last = use.value == id ? &other == &step : last; });
        }
        return last;
    }
    static std::int64_t scratch(const Program& program, const Step& step,
                                const BatchProduct& product) {
        const Value& out = program.value(step.out);
        return gemm_batch_bytes(out.rows.size, cols_of(program, product.a).size, out.cols.size,
                                step.type);
    }
    static double price(const Program& program, const Step& step, const BatchProduct& product) {
        const Value& out = program.value(step.out);
        const double inner = static_cast<double>(cols_of(program, product.a).size);
        double moved =
            product.b.transposed ? kTurned * inner * vectors_of(out.cols.size, step.type) * 16 : 0;
        for (const Use& use : {product.a, product.b}) {
            const Value& value = program.value(use.value);
            moved += value.type == step.type ? 0 : kConverted * static_cast<double>(value.count());
        }
        const double strips =
            static_cast<double>(out.rows.size) * vectors_of(out.cols.size, step.type);
        const double share = product.lower_only ? lower_share(out.cols.size, step.type) : 1;
        return kBatchCall + moved + share * strips * (kBatchRow + inner * kBatchVector);
    }
    /// Of the vectors of all rows, those that reach below the diagonal.
    static double lower_share(std::int64_t order, ScalarType type) {
        const double vectors = vectors_of(order, type);
        return (vectors + 1) / (2 * vectors);
    }

    /// c' = b' a'
    static void turn(GemmBatch& call) {
        std::swap(call.a, call.b);
        std::swap(call.a_step, call.b_step);
        std::swap(call.a_ahead, call.b_ahead);
        for (View* v : {&call.a, &call.b, &call.c}) {
            *v = transposed(*v);
        }
    }

    /// The matrices that the products are added to are put where those go.
    void place_added(const StepRun& run, const GemmBatch& call) const {
        View from = use_of(product_.c, run.values[product_.c.value]);
        View to = call.c;
        for (std::int64_t p = 0; p < run.problems; ++p) {
            PlainViews::place(from, to);
            from.data += c_step_;
            to.data += call.c_step;
        }
    }

    const Step& step_;
    BatchProduct product_;
    std::int64_t a_step_, b_step_, c_step_;
    bool last_of_a_, last_of_b_;  ///< no later step reads the operand
};

CpuStepPtr make_batch(const Program& program, const Step& step, const BatchProduct& product) {
    const Value& out = program.value(step.out);
    const std::int64_t inner = cols_of(program, product.a).size;
    const auto is_no_wider = [&](const Use& use) {
        return size_of(program.value(use.value).type) <= size_of(step.type);
    };
    const bool fits = is_batch_gemm(out.rows.size, inner, out.cols.size, step.type) &&
                      std::min({out.rows.size, out.cols.size, inner}) > 1 && product.alpha != 0;
    // What is added is not rounded before.
    const bool gives =
        out.type == step.type || (step.type == ScalarType::float64 && product.beta == 0);
    if (!fits || !gives || !is_no_wider(product.a) || !is_no_wider(product.b)) {
        return nullptr;
    }
    return std::make_unique<RunGemmBatch>(program, step, product);
}

}  // namespace

CpuStepPtr make_run_gemm_batch(const Program& program, const Step& step, const Gemm& gemm) {
    return make_batch(
        program, step,
        {gemm.a, gemm.b, gemm.c, gemm.alpha, is_present(gemm.c) ? gemm.beta : 0, false});
}

CpuStepPtr make_run_syrk_batch(const Program& program, const Step& step, const Syrk& syrk) {
    return make_batch(program, step, {syrk.a, transposed(syrk.a), {}, syrk.alpha, 0, !syrk.mirror});
}

}  // namespace matgrad::detail
