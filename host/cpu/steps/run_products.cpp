#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gemv.hpp"
#include "cpu/plain/row_dots.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/plain_views.hpp"
#include "cpu/steps/run_steps.hpp"
#include "cpu/steps/stacking.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

double real(std::int64_t size) {
    return static_cast<double>(size);
}

/// Nanoseconds of one row of a product beside its work: of columns that registers hold, of one column.
constexpr double kRow = 1;
constexpr double kVectorRow = 3.5;
/// Columns that registers hold, in bytes.
constexpr std::int64_t kPanelBytes = 128;

/// Of a product of rows, with all columns of the last vector.
double product_nanoseconds(std::int64_t rows, std::int64_t inner, std::int64_t cols,
                           ScalarType type) {
    const std::int64_t bytes = cols * size_of(type);
    const auto parts = [bytes](std::int64_t size) { return real((bytes + size - 1) / size); };
    return real(rows) *
           (kRow * parts(kPanelBytes) + 2 * real(inner) * parts(kVectorBytes) * 16 / kProductRate);
}

/// Nanoseconds to add one number to a sum in double, and to see that it is finite.
constexpr double kSummed = 0.4;

bool is_converted(const Program& program, const Use& use, ScalarType type) {
    return program.value(use.value).type != type;
}

/// A factor of each problem times one that all share: one product of all rows.
///
/// out = a s, or of vectors out' = b' s' where s is the left factor.
class RunGemm : public CpuStep {
public:
    struct Factors {
        Use own, shared;
        bool flipped = false;  ///< both are transposed
    };

    RunGemm(const Program& program, const Step& step, const Gemm& gemm, const Factors& factors,
            std::int64_t tile)
        : CpuStep(to_text(program, step), scratch(program, step, factors, tile),
                  price(program, step, factors, tile)),
          step_(step),
          gemm_(gemm),
          own_(stacked(program, factors.own)),
          shared_(factors.shared),
          out_(stacked(program, factors.flipped ? transposed(Use{step.out, false, -1, -1})
                                                : Use{step.out, false, -1, -1})),
          beta_(is_present(gemm.c) ? gemm.beta : 0),
          dots_(cols_of(program, factors.shared).size == 1),
          added_at_once_(beta_ != 0 && is_whole(gemm.c) && !gemm.c.transposed &&
                         program.value(gemm.c.value).scope == Scope::problem) {
        if (beta_ != 0) {
            const Value& c = program.value(gemm.c.value);
            c_step_ = c.scope == Scope::problem ? c.count() * size_of(c.type) : 0;
        }
    }

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        const View own = own_.rows(run.values, run.problems);
        const View out = out_.rows(run.values, run.problems);
        if (beta_ != 0) {
            place_added(run);
        }
        View s = at.typed(shared_);
        if (!dots_) {
            return Product(gemm_.alpha, own, s, beta_, out, *run.scratch).run();
        }
        if (s.row_stride != 1) {
            const View column = run.scratch->matrix(s.type, s.rows, 1, 1);
            copy_matrix(s, column);
            s = column;
        }
        row_dots(gemm_.alpha, own, s, beta_, out);
    }

private:
    static std::int64_t scratch(const Program& program, const Step& step, const Factors& factors,
                                std::int64_t tile) {
        const std::int64_t size = size_of(step.type);
        const std::int64_t inner = cols_of(program, factors.own).size;
        const std::int64_t shared = inner * cols_of(program, factors.shared).size;
        return align_up(rows_of(program, factors.own).size * inner * tile * size) +
               2 * align_up(shared * size);
    }
    static double price(const Program& program, const Step& step, const Factors& factors,
                        std::int64_t tile) {
        const std::int64_t rows = rows_of(program, factors.own).size;
        const std::int64_t cols = cols_of(program, factors.shared).size;
        const double call = kProductCall / real(tile);
        return cols == 1
                   ? call + kVectorRow * real(rows) + work_of(program, step).operations / kGemvRate
                   : call + product_nanoseconds(rows, cols_of(program, factors.own).size, cols,
                                                step.type);
    }

    /// The matrices that the products are added to are put where those go.
    void place_added(const StepRun& run) const {
        const View out = run.values[step_.out];
        const View c = run.values[gemm_.c.value];
        if (added_at_once_) {
            const std::int64_t count = run.problems * out.count();
            return PlainViews::place(row_major(c.data, c.type, 1, count, 1),
                                     row_major(out.data, out.type, 1, count, 1));
        }
        PlainViews::place_each(use_of(gemm_.c, c), c_step_, out, run.problems);
    }

    const Step& step_;
    const Gemm& gemm_;
    Stacked own_;
    Use shared_;
    Stacked out_;
    double beta_;
    bool dots_;                ///< the shared factor is a vector
    bool added_at_once_;       ///< c lies as the result does
    std::int64_t c_step_ = 0;  ///< bytes from the c of one problem to the next
};

/// The sum over the run of a b: one product whose inner dimension runs over the problems.
class SumGemm : public CpuStep {
public:
    SumGemm(const Program& program, const Step& step, const Use& a, const Use& b, double alpha,
            std::int64_t tile)
        : CpuStep(to_text(program, step), scratch(program, step, a, b, tile),
                  price(program, step, a, tile)),
          out_(step.out),
          a_(stacked(program, transposed(a))),
          b_(stacked(program, b)),
          alpha_(alpha) {}

    void compute(const StepRun& run) const override {
        const View out = run.values[out_];
        const View a = transposed(typed(a_.rows(run.values, run.problems), out.type, *run.scratch));
        const View b = typed(b_.rows(run.values, run.problems), out.type, *run.scratch);
        if (out.cols == 1 && is_unit(a)) {
            return multiply(a, b, out, *run.scratch);
        }
        if (out.rows == 1 && is_unit(b)) {
            return multiply(transposed(b), transposed(a), transposed(out), *run.scratch);
        }
        Product(alpha_, a, b, 0, out, *run.scratch).run();
    }

private:
    static View typed(const View& v, ScalarType type, Scratch& scratch) {
        if (v.type == type) {
            return v;
        }
        const View copy = scratch.matrix(type, v.rows, v.cols, 1);
        copy_matrix(v, copy);
        return copy;
    }
    static bool is_unit(const View& v) { return v.row_stride == 1 || v.col_stride == 1; }
    void multiply(const View& a, const View& x, const View& y, Scratch& scratch) const {
        const VectorProduct product(alpha_, a, x, 0, y, scratch);
        for (std::int64_t part = 0; part < product.parts(); ++part) {
            product.compute(part);
        }
        product.finish();
    }

    static std::int64_t scratch(const Program& program, const Step& step, const Use& a,
                                const Use& b, std::int64_t tile) {
        const std::int64_t m = rows_of(program, a).size;
        const std::int64_t n = cols_of(program, b).size;
        const std::int64_t k = cols_of(program, a).size * tile;
        const std::int64_t size = size_of(step.type);
        std::int64_t bytes = align_up(m * k * size) + align_up(n * k * size) +
                             2 * align_up((m * n + k + 128) * size);
        for (const auto& [use, count] : {std::pair{a, m * k}, {b, n * k}}) {
            bytes += is_converted(program, use, step.type) ? align_up(count * size) : 0;
        }
        return bytes;
    }
    static double price(const Program& program, const Step& step, const Use& a, std::int64_t tile) {
        const Value& out = program.value(step.out);
        const double each = kProductCall + kSummed * weight(out.type) * real(out.count());
        const std::int64_t inner = cols_of(program, a).size;
        if (out.rows.size == 1 || out.cols.size == 1) {
            return each / real(tile) + work_of(program, step).operations / kGemvRate;
        }
        const double product =
            product_nanoseconds(out.rows.size, tile * inner, out.cols.size, step.type);
        return (each + product) / real(tile);
    }

    ValueId out_;
    Stacked a_, b_;
    double alpha_;
};

}  // namespace

CpuStepPtr make_run_gemm(const Program& program, const Step& step, const Gemm& gemm,
                         std::int64_t tile) {
    const Value& out = program.value(step.out);
    if (gemm.alpha == 0 || cols_of(program, gemm.a).size == 0 || out.type != step.type) {
        return nullptr;
    }
    const auto scope = [&](const Use& use) { return program.value(use.value).scope; };
    RunGemm::Factors factors;
    if (scope(gemm.b) == Scope::shared && rows_stack(program, gemm.a)) {
        factors = {gemm.a, gemm.b, false};
    } else if (scope(gemm.a) == Scope::shared && out.cols.size == 1 &&
               scope(gemm.b) == Scope::problem) {
        factors = {transposed(gemm.b), transposed(gemm.a), true};
    } else {
        return nullptr;
    }
    const bool dots = cols_of(program, factors.shared).size == 1;
    if (is_converted(program, factors.own, step.type) ||
        (dots && !has_unit_rows(program, factors.own))) {
        return nullptr;
    }
    return std::make_unique<RunGemm>(program, step, gemm, factors, tile);
}

CpuStepPtr make_sum_gemm(const Program& program, const Step& step, const Use& a, const Use& b,
                         double alpha, std::int64_t tile) {
    if (is_converted(program, {step.out}, step.type) || alpha == 0 ||
        cols_of(program, a).size == 0 || !rows_stack(program, transposed(a)) ||
        !rows_stack(program, b)) {
        return nullptr;
    }
    return std::make_unique<SumGemm>(program, step, a, b, alpha, tile);
}

}  // namespace matgrad::detail
