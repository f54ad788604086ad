// Products of the problems of a run, one kernel after the other without a step's costs between them.

#include <algorithm>
#include <utility>

#include "cpu/plain/gemm_batch.hpp"
#include "cpu/plain/gemv_batch.hpp"
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

/// Bytes of a value from one problem to the next.
std::int64_t bytes_of(const Program& program, ValueId id) {
    const Value& value = program.value(id);
    return value.scope == Scope::problem ? value.count() * size_of(value.type) : 0;
}

/// Does no later step read the value?
bool is_last_reader(const Program& program, const Step& step, ValueId id) {
    bool last = false;
    for (const Step& other : program.steps) {
        for_each_use(other.operation,
                     [&](const Use& use) { last = use.value == id ? &other == &step : last; });
    }
    return last;
}

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
            PlainViews::place_each(use_of(product_.c, run.values[product_.c.value]), c_step_,
                                   call.c, run.problems);
        }
        if (call.c.col_stride != 1) {
            turn(call);
        }
        gemm_batch(call, run.problems);
    }

private:
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

    const Step& step_;
    BatchProduct product_;
    std::int64_t a_step_, b_step_, c_step_;
    bool last_of_a_, last_of_b_;  ///< no later step reads the operand
};

/// y = alpha a x + beta y, each problem with a matrix of its own.
class RunGemvBatch : public CpuStep {
public:
    RunGemvBatch(const Program& program, const Step& step, const BatchProduct& product)
        : CpuStep(to_text(program, step), scratch(program, step, product),
                  price(program, step, product)),
          step_(step),
          product_(product),
          a_step_(bytes_of(program, product.a.value)),
          x_step_(bytes_of(program, product.b.value)),
          c_step_(product.beta == 0 ? 0 : bytes_of(program, product.c.value)),
          last_of_a_(is_last_reader(program, step, product.a.value)) {}

    void compute(const StepRun& run) const override {
        const View out = run.values[step_.out];
        GemvBatch call;
        call.alpha = product_.alpha;
        call.beta = product_.beta;
        call.a = run.values[product_.a.value];
        call.transposed = product_.a.transposed;
        if (call.a.cols == 1) {
            call.a = row_major(call.a.data, call.a.type, 1, call.a.rows, 1);
            call.transposed = !call.transposed;
        }
        call.y = out.data;
        call.a_step = a_step_;
        call.x_step = x_step_;
        call.a_ahead = last_of_a_ && run.is_followed(product_.a.value);
        call.y_step = out.count() * size_of(out.type);
        View x = run.values[product_.b.value];
        if (x_step_ == 0) {
            const View column = run.scratch->matrix(x.type, x.count(), 1, 1);
            copy_matrix(x.rows == 1 ? transposed(x) : x, column);
            x = column;
        }
        call.x = x.data;
        if (product_.beta != 0) {
            PlainViews::place_each(use_of(product_.c, run.values[product_.c.value]), c_step_, out,
                                   run.problems);
        }
        gemv_batch(call, run.problems);
    }

private:
    static std::int64_t scratch(const Program& program, const Step& step,
                                const BatchProduct& product) {
        return align_up(program.value(product.b.value).count() * size_of(step.type));
    }
    static double price(const Program& program, const Step& step, const BatchProduct& product) {
        const Value& a = program.value(product.a.value);
        const double rows = static_cast<double>(a.rows.size);
        const double vectors = vectors_of(a.cols.size, step.type);
        if (product.a.transposed) {
            return kBatchCall + vectors * (kGemvVector * rows + kGemvSum);
        }
        // All sums of a vector's rows are added up together.
        const double groups = vectors_of(a.rows.size, step.type);
        return kBatchCall + kGemvVector * rows * vectors + groups * kGemvTree / weight(step.type);
    }
    static constexpr double kGemvVector = 0.45;
    static constexpr double kGemvSum = 2;
    static constexpr double kGemvTree = 12;

    const Step& step_;
    BatchProduct product_;
    std::int64_t a_step_, x_step_, c_step_;
    bool last_of_a_;
};

/// No step where a product is not of a matrix of each problem and a vector, in one type.
RunStep make_vector_batch(const Program& program, const Step& step, BatchProduct product) {
    const Value& out = program.value(step.out);
    if (out.cols.size != 1) {
        // A row is the transpose of a column: c' = b' a'.
        std::swap(product.a, product.b);
        product.a.transposed = !product.a.transposed;
        product.b.transposed = !product.b.transposed;
    }
    const Value& a = program.value(product.a.value);
    const Value& x = program.value(product.b.value);
    const bool typed = a.type == step.type && x.type == step.type && out.type == step.type;
    const bool fits = a.scope == Scope::problem && is_whole(product.a) && is_whole(product.b) &&
                      std::min(x.rows.size, x.cols.size) == 1 &&
                      std::min(out.rows.size, out.cols.size) == 1 && a.count() > 0 &&
                      is_batch_gemv(a.rows.size, a.cols.size, step.type);
    if (!typed || !fits || product.alpha == 0) {
        return {};
    }
    return {std::make_unique<RunGemvBatch>(program, step, product), true};
}

RunStep make_batch(const Program& program, const Step& step, const BatchProduct& product) {
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
        return {};
    }
    // Nor is it where a result leaves: the sum is made where the result lies.
    const bool leaves = product.beta == 0 || step.type == program.type;
    return {std::make_unique<RunGemmBatch>(program, step, product), true,
            leaves ? Leaves::by_lines : Leaves::no};
}

}  // namespace

RunStep make_run_gemm_batch(const Program& program, const Step& step, const Gemm& gemm) {
    const BatchProduct product{
        gemm.a, gemm.b, gemm.c, gemm.alpha, is_present(gemm.c) ? gemm.beta : 0, false};
    RunStep of_vectors = make_vector_batch(program, step, product);
    return of_vectors.step != nullptr ? std::move(of_vectors) : make_batch(program, step, product);
}

RunStep make_run_syrk_batch(const Program& program, const Step& step, const Syrk& syrk) {
    return make_batch(program, step, {syrk.a, transposed(syrk.a), {}, syrk.alpha, 0, !syrk.mirror});
}

}  // namespace matgrad::detail
