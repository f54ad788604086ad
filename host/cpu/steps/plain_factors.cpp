#include <limits>
#include <utility>

#include "cpu/condition.hpp"
#include "cpu/plain/lu.hpp"
#include "cpu/plain/qr.hpp"
#include "cpu/plain/split.hpp"
#include "cpu/plain/triangle.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/gram_care.hpp"
#include "cpu/steps/jitter.hpp"
#include "cpu/steps/make_step.hpp"
#include "cpu/steps/plain_views.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

double panel_nanoseconds(const Program& program, const Step& step, double moved_entries) {
    return kPanelCall + weight(step.type) * moved_entries * kPanelMove +
           work_of(program, step).operations / kPanelRate;
}
double blas_nanoseconds(const Program& program, const Step& step) {
    return kBlasCall + work_of(program, step).operations / kBlasFactorRate;
}

/// A triangle of a system with many right-hand sides, and how many there are.
struct System {
    Side side;
    bool in_panels;  ///< there is work enough for whole vectors of right-hand sides; else a BLAS
    bool one_piece;  ///< the triangle is one panel
    std::int64_t order, sides;

    System(const Program& program, const Step& step, Side s) : side(s) {
        const Value& out = program.value(step.out);
        order = s == Side::left ? out.rows.size : out.cols.size;
        sides = s == Side::left ? out.cols.size : out.rows.size;
        in_panels = sides >= kFewSides;
        one_piece = order <= kTriangle;
    }

    [[nodiscard]] bool calls_blas() const { return !in_panels || !one_piece; }
    [[nodiscard]] View triangle(const PlainViews& at, const Use& use) const {
        return one_piece && in_panels ? at.no_wider(use) : at.readable(use);
    }
    /// x = alpha * op(t)^-1 x or its mirror image, in the step's type.
    void solve(const Threads& threads, ScalarType type, bool lower, bool transposes, bool unit,
               double alpha, const View& t, const View& x, std::byte* work) const {
        if (in_panels) {
            split_trsm(threads, type, side, lower, transposes, unit, alpha, t, x, x, work);
        } else {
            blas_trsm(side, lower, transposes, unit, alpha, t, x);
        }
    }
    /// With `sweeps` triangles of one matrix.
    [[nodiscard]] double nanoseconds(const Program& program, const Step& step,
                                     double sweeps) const {
        const auto n = static_cast<double>(order);
        const auto k = static_cast<double>(sides);
        return in_panels ? panel_nanoseconds(program, step, sweeps * (2 * n * k + n * n / 2))
                         : blas_nanoseconds(program, step);
    }
};

class PlainPotrf : public CpuStep {
public:
    PlainPotrf(const Program& program, const Step& step, const Potrf& potrf)
        : CpuStep(to_text(program, step),
                  copies_bytes(program, step, 1) +
                      split_scratch_bytes(program.value(step.out).rows.size) +
                      care_bytes(program, step, {program, step, potrf}) +
                      (potrf.jitter ? align_up(program.value(step.out).count() * size_of(step.type))
                                    : 0),
                  panel_nanoseconds(program, step,
                                    static_cast<double>(program.value(step.out).count()))),
          step_(step),
          potrf_(potrf),
          care_(program, step, potrf),
          jitter_(program, potrf),
          large_(program.value(step.out).rows.size > kTriangle),
          in_place_(!large_ && !jitter_.wanted &&
                    size_of(program.value(step.out).type) <= size_of(step.type)) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        std::byte* work = at.scratch().take(split_scratch_bytes(at.out().rows));
        if (in_place_) {
            const std::int32_t status =
                split_potrf(run.threads, step_.type, at.no_wider(potrf_.a), at.out(), work);
            return settle(at, at.out(), after_care(at, at.out(), status));
        }
        const View result = at.begin_result();
        const View a = at.view(potrf_.a);
        if (a.data != result.data) {
            copy_lower(a, result);
        }
        const View kept =
            jitter_.wanted ? at.scratch().matrix(step_.type, a.rows, a.cols, 1) : View{};
        if (jitter_.wanted) {
            copy_lower(result, kept);
        }
        std::int32_t status = split_potrf(run.threads, step_.type, result, result, work);
        status = after_care(at, result, status);
        status = succeeded(status) ? jitter_.by_shape : status;
        if (jitter_.wanted && Jitter::can_help(status)) {
            status = factor_jittered(run.threads, kept, result, status, work);
        }
        settle(at, result, status);
        if (result.data != at.out().data) {
            copy_lower(result, at.out());
        }
    }

    [[nodiscard]] bool calls_blas() const override { return large_ || care_.wanted; }

private:
    static std::int64_t care_bytes(const Program& program, const Step& step, const GramCare& care) {
        if (!care.wanted) {
            return 0;
        }
        const std::int64_t n = program.value(step.out).rows.size;
        return align_up(2 * n * n * size_of(step.type)) + align_up(condition_bytes(n, 1)) +
               root_factor_bytes(n) + sharpen_bytes(n) + 4 * kAlignment;
    }

    /// The status of the problem, or a factor that is no number.
    void settle(const PlainViews& at, const View& l, std::int32_t status) const {
        if (potrf_.fails) {
            at.note(status);
        } else if (!succeeded(status)) {
            fill_matrix(l, std::numeric_limits<double>::quiet_NaN());
        }
    }

    /// With the least jitter that helps, or else the status that there was.
    [[nodiscard]] std::int32_t factor_jittered(const Threads& threads, const View& a, const View& l,
                                               std::int32_t status, std::byte* work) const {
        for (int k = jitter_.first; k > 0; --k) {
            copy_lower(a, l);
            with_type(l.type, [&](auto zero) {
                for (std::int64_t i = 0; i < l.rows; ++i) {
                    auto* at = reinterpret_cast<decltype(zero)*>(l.at(i, i));
                    *at = static_cast<decltype(zero)>(Jitter::factor(k) * *at);
                }
            });
            if (succeeded(split_potrf(threads, step_.type, l, l, work))) {
                return make_status(StatusKind::jittered, k);
            }
        }
        return status;
    }

    /// At most the condition, and 0 where it is small for sure.
    [[nodiscard]] double estimate(const View& l, std::byte* work) const {
        double condition = 0;
        if (l.rows <= GramCare::kMostRowsBounded) {
            condition_bound(l, &condition, work);
            if (condition <= care_.bound) {
                return 0;
            }
        }
        condition_estimate(l, &condition, work);
        return condition;
    }

    /// The factor made anew from the root where it has to be. Returns the status.
    [[nodiscard]] std::int32_t after_care(const PlainViews& at, const View& l,
                                          std::int32_t status) const {
        if (!care_.wanted || !GramCare::can_be_mended(status)) {
            return status;
        }
        const double estimated = succeeded(status)
                                     ? estimate(l, at.scratch().take(condition_bytes(l.rows, 1)))
                                     : std::numeric_limits<double>::infinity();
        if (estimated <= care_.estimate ||
            (estimated <= care_.far &&
             sharpen_factor(at.view(potrf_.root), care_.scale, l, at.scratch()))) {
            return status;
        }
        const View better = at.scratch().matrix(step_.type, l.rows, l.cols, 1);
        root_factor(at.view(potrf_.root), better, at.scratch());
        const View inverse = at.scratch().matrix(step_.type, l.rows, l.cols, 1);
        fill_identity(inverse);
        blas_trsm(Side::left, true, false, false, 1, better, inverse);
        double condition = 0;
        condition_number(better, inverse, &condition);
        for (std::int64_t r = 0; r < l.rows; ++r) {
            for (std::int64_t c = 0; c <= r; ++c) {
                *reinterpret_cast<double*>(l.at(r, c)) =
                    care_.scale * *reinterpret_cast<const double*>(better.at(r, c));
            }
        }
        return care_.status_of(condition, status);
    }

    const Step& step_;
    const Potrf& potrf_;
    GramCare care_;
    Jitter jitter_;
    bool large_;
    bool in_place_;
};

class PlainTrsm : public CpuStep {
public:
    PlainTrsm(const Program& program, const Step& step, const Trsm& trsm, const System& system)
        : CpuStep(to_text(program, step),
                  copies_bytes(program, step, 1) + split_scratch_bytes(system.order),
                  system.nanoseconds(program, step, 1)),
          step_(step),
          trsm_(trsm),
          system_(system),
          stored_(trsm.triangle),
          transposes_(trsm.transposed != trsm.triangle.transposed),
          straight_(is_present(trsm.b) && system.in_panels && system.one_piece &&
                    size_of(program.value(step.out).type) <= size_of(step.type)) {
        stored_.transposed = false;
    }

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        const View t = system_.triangle(at, stored_);
        std::byte* work = at.scratch().take(split_scratch_bytes(t.rows));
        if (straight_) {
            return split_trsm(run.threads, step_.type, trsm_.side, trsm_.lower, transposes_, false,
                              trsm_.alpha, t, at.no_wider(trsm_.b), at.out(), work);
        }
        const View result = at.begin_result();
        at.place_or_identity(trsm_.b, result);
        system_.solve(run.threads, step_.type, trsm_.lower, transposes_, false, trsm_.alpha, t,
                      result, work);
        at.end_result(result);
    }

    [[nodiscard]] bool calls_blas() const override { return system_.calls_blas(); }

private:
    const Step& step_;
    const Trsm& trsm_;
    System system_;
    Use stored_;
    bool transposes_;
    bool straight_;  ///< from b to the result without a copy
};

class PlainGetrf : public CpuStep {
public:
    PlainGetrf(const Program& program, const Step& step, const Getrf& getrf)
        : CpuStep(to_text(program, step), copies_bytes(program, step, 1),
                  blas_nanoseconds(program, step)),
          step_(step),
          getrf_(getrf) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        const View result = at.begin_result();
        // LAPACK factors matrices stored by columns.
        View by_columns = at.scratch().matrix(step_.type, result.rows, result.cols, 1);
        std::swap(by_columns.row_stride, by_columns.col_stride);
        copy_matrix(at.view(getrf_.a), by_columns);
        const std::int32_t status =
            factor_lu(by_columns, at.out2(), getrf_.zero_pivot_fails, at.scratch());
        at.note(getrf_.fails ? status : 0);
        copy_matrix(by_columns, result);
        at.end_result(result);
    }

    [[nodiscard]] bool calls_blas() const override { return true; }

private:
    const Step& step_;
    const Getrf& getrf_;
};

class PlainSolve : public CpuStep {
public:
    PlainSolve(const Program& program, const Step& step, const Solve& solve, const System& system)
        : CpuStep(to_text(program, step),
                  copies_bytes(program, step, 1) + split_scratch_bytes(system.order),
                  system.nanoseconds(program, step, 2)),
          step_(step),
          solve_(solve),
          system_(system) {}

    void compute(const StepRun& run) const override {
        const PlainViews at(step_, run);
        const View result = at.begin_result();
        at.place_or_identity(solve_.b, result);
        const View lu = system_.triangle(at, solve_.lu);
        const View pivots = at.view(solve_.pivots);
        std::byte* work = at.scratch().take(split_scratch_bytes(lu.rows));
        // PA = LU. From the right, b op(A)^-1 = (op(A)^-T b')': the swaps act on columns.
        const View swapped = solve_.side == Side::left ? result : transposed(result);
        const bool lower_first = (solve_.side == Side::left) != solve_.transposed;
        if (lower_first) {
            swap_by_pivots(pivots, swapped, false);
        }
        system_.solve(run.threads, step_.type, lower_first, solve_.transposed, lower_first, 1, lu,
                      result, work);
        system_.solve(run.threads, step_.type, !lower_first, solve_.transposed, !lower_first, 1, lu,
                      result, work);
        if (!lower_first) {
            swap_by_pivots(pivots, swapped, true);
        }
        at.end_result(result);
    }

    [[nodiscard]] bool calls_blas() const override { return system_.calls_blas(); }

private:
    const Step& step_;
    const Solve& solve_;
    System system_;
};

}  // namespace

CpuStepPtr make_plain_potrf(const Program& program, const Step& step, const Potrf& potrf) {
    return std::make_unique<PlainPotrf>(program, step, potrf);
}

CpuStepPtr make_plain_trsm(const Program& program, const Step& step, const Trsm& trsm) {
    return std::make_unique<PlainTrsm>(program, step, trsm, System(program, step, trsm.side));
}

CpuStepPtr make_plain_getrf(const Program& program, const Step& step, const Getrf& getrf) {
    return std::make_unique<PlainGetrf>(program, step, getrf);
}

CpuStepPtr make_plain_solve(const Program& program, const Step& step, const Solve& solve) {
    return std::make_unique<PlainSolve>(program, step, solve, System(program, step, solve.side));
}

}  // namespace matgrad::detail
