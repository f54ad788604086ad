#include <algorithm>
#include <utility>

#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gram.hpp"
#include "cpu/plain/split.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/gram_choice.hpp"
#include "cpu/steps/make_step.hpp"
#include "cpu/steps/plain_views.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {

GramKernel choose_gram(const Step& step, const Syrk& syrk, std::int64_t order, std::int64_t inner,
                       ScalarType a, ScalarType out) {
    if (inner == 0 || syrk.alpha == 0) {
        return GramKernel::zero;
    }
    if (syrk.mirror && a == step.type && out == step.type && is_small_gram(order, inner)) {
        return GramKernel::product;
    }
    return is_middle_gram(order) ? GramKernel::panels : GramKernel::blas;
}

namespace {

/// result = 0 * a b + beta * result. A BLAS would not look at a and b, but 0 * NaN is NaN.
void weigh_by_zero(ScalarType type, const View& a, const View& b, double beta, const View& result) {
    with_type(type, [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t r = 0; r < result.rows; ++r) {
            for (std::int64_t c = 0; c < result.cols; ++c) {
                T sum = 0;
                for (std::int64_t k = 0; k < a.cols; ++k) {
                    sum += *reinterpret_cast<T*>(a.at(r, k)) * *reinterpret_cast<T*>(b.at(k, c));
                }
                auto* value = reinterpret_cast<T*>(result.at(r, c));
                *value = sum * T{0} + (beta == 0 ? T{0} : static_cast<T>(beta) * *value);
            }
        }
    });
}

double gemm_nanoseconds(const Program& program, const Step& step, const Gemm& gemm) {
    const double load = work_of(program, step).operations;
    if (load == 0) {
        return kMapCall;
    }
    if (gives_vector(program, step)) {
        return kProductCall + load / kGemvRate;
    }
    const double right = load / (2 * static_cast<double>(program.value(step.out).rows.size));
    return kProductCall + load / kProductRate + (gemm.b.transposed ? kTurned * right : 0);
}

class PlainGemm : public CpuStep {
public:
    PlainGemm(const Program& program, const Step& step, const Gemm& gemm)
        : CpuStep(to_text(program, step), copies_bytes(program, step, 1),
                  gemm_nanoseconds(program, step, gemm)),
          step_(step),
          gemm_(gemm),
          left_(gemm.a),
          right_(gemm.b) {
        const Value& out = program.value(step.out);
        vector_ = out.rows.size == 1 || out.cols.size == 1;
        row_ = vector_ && out.cols.size != 1;
        if (row_) {
            // A row is the transpose of a column: c' = b' a'.
            std::swap(left_, right_);
            left_.transposed = !left_.transposed;
            right_.transposed = !right_.transposed;
        }
        beta_ = is_present(gemm.c) ? gemm.beta : 0;
        const std::int64_t inner = cols_of(program, gemm.a).size;
        zero_ = gemm.alpha == 0 || inner == 0;
        large_ = std::min({out.rows.size, out.cols.size, inner}) >= kBlasSize;
    }

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        const View computed = at.begin_result();
        const View result = row_ ? transposed(computed) : computed;
        const View a = vector_ ? at.readable(left_) : at.typed(left_);
        const View b = at.typed(right_);
        if (beta_ != 0) {
            PlainViews::place(at.view(gemm_.c), computed);
        }
        if (zero_) {
            weigh_by_zero(step_.type, a, b, beta_, result);
        } else if (vector_) {
            split_gemv(run.threads, gemm_.alpha, a, b, beta_, result, at.scratch());
        } else {
            split_gemm(run.threads, gemm_.alpha, a, b, beta_, result, at.scratch());
        }
        at.end_result(computed);
    }

    [[nodiscard]] bool calls_blas() const override { return large_; }

private:
    const Step& step_;
    const Gemm& gemm_;
    Use left_, right_;
    double beta_ = 0;
    bool vector_ = false, row_ = false, zero_ = false, large_ = false;
};

class PlainSyrk : public CpuStep {
public:
    PlainSyrk(const Program& program, const Step& step, const Syrk& syrk, GramKernel kernel)
        : CpuStep(to_text(program, step), copies_bytes(program, step, 1) + packing(program, syrk),
                  price(program, step, syrk, kernel)),
          step_(step),
          syrk_(syrk),
          kernel_(kernel) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        switch (kernel_) {
            case GramKernel::zero: {
                const View result = at.begin_result();
                const View a = at.typed(syrk_.a);
                weigh_by_zero(step_.type, a, transposed(a), 0, result);
                return at.end_result(result);
            }
            case GramKernel::product: {
                // Entries (i, j) and (j, i) sum the same products in the same order.
                const View a = at.view(syrk_.a);
                return Product(syrk_.alpha, a, transposed(a), 0, at.out(), at.scratch()).run();
            }
            case GramKernel::panels: {
                const View a = at.no_wider(syrk_.a);
                return finish(run, a, at.is_no_wider(at.out()) ? at.out() : at.begin_result(),
                              at.scratch().take(gram_scratch_bytes(a.rows, a.cols)));
            }
            case GramKernel::blas: {
                const View a = at.readable(syrk_.a);
                return finish(run, a, at.begin_result(), nullptr);
            }
        }
    }

    [[nodiscard]] bool calls_blas() const override { return kernel_ == GramKernel::blas; }

private:
    static std::int64_t packing(const Program& program, const Syrk& syrk) {
        const std::int64_t order = rows_of(program, syrk.a).size;
        return is_middle_gram(order) ? gram_scratch_bytes(order, cols_of(program, syrk.a).size) : 0;
    }

    static double price(const Program& program, const Step& step, const Syrk& syrk,
                        GramKernel kernel) {
        const double load = work_of(program, step).operations;
        const Value& out = program.value(step.out);
        switch (kernel) {
            case GramKernel::zero:
                return kMapCall;
            case GramKernel::product:
                return kProductCall + 2 * load / kProductRate +
                       (syrk.a.transposed ? 0
                                          : kTurned * load / static_cast<double>(out.rows.size));
            case GramKernel::panels: {
                const double floats =
                    weight(step.type) *
                    static_cast<double>(program.value(syrk.a.value).count() + out.count());
                return kPanelCall + floats * kPanelMove + load / kPanelRate;
            }
            case GramKernel::blas:
                break;
        }
        return kBlasCall + load / kBlasRate;
    }

    void finish(const StepRun& run, const View& a, const View& result, std::byte* packed) const {
        const PlainViews at(step_, run);
        split_syrk(run.threads, step_.type, syrk_.alpha, a, syrk_.mirror, result, packed);
        if (syrk_.mirror) {
            at.end_result(result);
        } else if (result.data != at.out().data) {
            copy_lower(result, at.out());
        }
    }

    const Step& step_;
    const Syrk& syrk_;
    GramKernel kernel_;
};

}  // namespace

CpuStepPtr make_plain_gemm(const Program& program, const Step& step, const Gemm& gemm) {
    return std::make_unique<PlainGemm>(program, step, gemm);
}

CpuStepPtr make_plain_syrk(const Program& program, const Step& step, const Syrk& syrk) {
    const GramKernel kernel =
        choose_gram(step, syrk, rows_of(program, syrk.a).size, cols_of(program, syrk.a).size,
                    program.value(syrk.a.value).type, program.value(step.out).type);
    return std::make_unique<PlainSyrk>(program, step, syrk, kernel);
}

}  // namespace matgrad::detail
