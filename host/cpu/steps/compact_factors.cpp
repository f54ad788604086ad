#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/condition.hpp"
#include "cpu/steps/estimate.hpp"
#include "cpu/steps/gram_care.hpp"
#include "cpu/steps/jitter.hpp"
#include "cpu/steps/lane_views.hpp"
#include "cpu/steps/make_step.hpp"
#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// What every step of this file is made of.
class CompactFactorStep : public CpuStep {
protected:
    CompactFactorStep(const Program& program, const Step& step, std::int64_t more_bytes = 0)
        : CpuStep(to_text(program, step), copies_bytes(program, step, kLanes) + more_bytes,
                  compact_nanoseconds(program, step)),
          step_(step) {}

    /// A triangle as it is read.
    struct Triangle {
        View view;
        bool lower, transposed, unit;
    };
    /// x = alpha op(T)^-1 b, or from the right on transposed b and x: B op(T)^-1 = (op(T)^-T B')'.
    static void solve(const LaneViews& at, Triangle t, double alpha, View b, View x, Side side) {
        t = as_read(t, side);
        if (!t.lower) {
            t.view = reversed(t.view);
            b = reversed_rows(b);
            x = reversed_rows(x);
        }
        lane_solve_lower(t.view, t.unit, alpha, b, x, at.reciprocals(x.rows));
    }

    /// x = alpha op(T)^-1 of either side.
    static void invert(const LaneViews& at, Triangle t, double alpha, View x, Side side) {
        t = as_read(t, side);
        if (side == Side::right) {
            x = transposed(x);
        }
        if (!t.lower) {
            t.view = reversed(t.view);
            x = reversed(x);
        }
        lane_invert_lower(t.view, t.unit, alpha, x, at.reciprocals(x.rows));
    }

    const Step& step_;

private:
    static Triangle as_read(Triangle t, Side side) {
        if (t.transposed != (side == Side::right)) {
            t.view = transposed(t.view);
            t.lower = !t.lower;
        }
        return t;
    }
};

class CompactPotrf : public CompactFactorStep {
public:
    CompactPotrf(const Program& program, const Step& step, const Potrf& potrf)
        : CompactFactorStep(program, step,
                            care_bytes(program, step, {program, step, potrf}) +
                                (potrf.jitter ? jitter_bytes(program, step) : 0)),
          potrf_(potrf),
          care_(program, step, potrf),
          jitter_(program, potrf) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        const View result = at.begin_result(potrf_.a);
        std::byte* reciprocals = at.reciprocals(result.rows);
        const auto count = static_cast<int>(run.problems);
        std::int32_t status[kLanes];
        const View kept = jitter_.wanted ? at.in_lanes(result) : View{};
        lane_potrf(result, reciprocals, status);
        if (care_.wanted) {
            take_care(at, result, reciprocals, count, status);
        }
        if (jitter_.wanted) {
            factor_jittered(at, kept, result, reciprocals, count, status);
        }
        if (potrf_.fails) {
            at.note(status);
        } else {
            spoil(result, status);
        }
        at.end_result(result);
    }

private:
    static std::int64_t care_bytes(const Program& program, const Step& step, const GramCare& care) {
        if (!care.wanted) {
            return 0;
        }
        const std::int64_t n = program.value(step.out).rows.size;
        const std::int64_t matrices = (care.rows + 2 * n) * n * kLanes * size_of(step.type);
        return matrices + condition_bytes(n, kLanes) + 4 * kAlignment;
    }

    static std::int64_t jitter_bytes(const Program& program, const Step& step) {
        const std::int64_t bytes =
            program.value(step.out).count() * kLanes * size_of(step.type) + kAlignment;
        return 2 * align_up(bytes);
    }

    /// NaN in place of factors that are none.
    static void spoil(const View& l, const std::int32_t* status) {
        for_each_element(l, [&](auto* to, std::int64_t, std::int64_t) {
            using T = std::remove_pointer_t<decltype(to)>;
            for (int lane = 0; lane < kLanes; ++lane) {
                to[lane] = succeeded(status[lane]) ? to[lane] : std::numeric_limits<T>::quiet_NaN();
            }
        });
    }

    /// The lanes that need it, each with the least jitter that helps; `a` are the matrices.
    void factor_jittered(const LaneViews& at, const View& a, const View& l, std::byte* reciprocals,
                         int count, std::int32_t* status) const {
        std::replace(status, status + count, 0, jitter_.by_shape);
        const auto any_left = [&] { return std::any_of(status, status + count, Jitter::can_help); };
        if (!any_left()) {
            return;
        }
        const View trial = at.scratch().matrix(step_.type, l.rows, l.cols, kLanes);
        for (int k = jitter_.first; k > 0 && any_left(); --k) {
            lane_convert(a, trial);
            for_each_element(trial, [&](auto* lanes, std::int64_t r, std::int64_t c) {
                using T = std::remove_pointer_t<decltype(lanes)>;
                const auto factor = static_cast<T>(r == c ? Jitter::factor(k) : 1);
                std::transform(lanes, lanes + kLanes, lanes, [&](T x) { return factor * x; });
            });
            std::int32_t of_trial[kLanes];
            lane_potrf(trial, reciprocals, of_trial);
            bool taken[kLanes];
            for (int lane = 0; lane < kLanes; ++lane) {
                taken[lane] =
                    lane < count && Jitter::can_help(status[lane]) && succeeded(of_trial[lane]);
                status[lane] = taken[lane] ? make_status(StatusKind::jittered, k) : status[lane];
            }
            for_each_element(trial, [&](auto* from, std::int64_t r, std::int64_t c) {
                auto* to = reinterpret_cast<decltype(from)>(l.at(r, c));
                for (int lane = 0; lane < kLanes; ++lane) {
                    to[lane] = taken[lane] ? from[lane] : to[lane];
                }
            });
        }
    }

    /// True for each of the first `count` lanes whose factor may be too rough; `conditions` at the end are estimates.
    bool find_suspicious(const View& l, int count, const std::int32_t* status, std::byte* work,
                         bool* suspicious, double* conditions) const {
        for (int lane = 0; lane < count; ++lane) {
            suspicious[lane] = GramCare::can_be_mended(status[lane]);
        }
        // Of its own numbers alone each lane is cleared.
        const auto any_above = [&](double limit) {
            bool any = false;
            for (int lane = 0; lane < count; ++lane) {
                suspicious[lane] =
                    suspicious[lane] && !(succeeded(status[lane]) && conditions[lane] <= limit);
                any = any || suspicious[lane];
            }
            return any;
        };
        condition_bound(l, conditions, work);
        if (!any_above(care_.bound)) {
            return false;
        }
        condition_estimate(l, conditions, work);
        return any_above(care_.estimate);
    }

    void take_care(const LaneViews& at, const View& l, std::byte* reciprocals, int count,
                   std::int32_t* status) const {
        bool suspicious[kLanes];
        std::byte* work = at.scratch().take(condition_bytes(l.rows, kLanes));
        double conditions[kLanes];
        if (!find_suspicious(l, count, status, work, suspicious, conditions)) {
            return;
        }
        const View root = at.scratch().matrix(step_.type, care_.rows, l.cols, kLanes);
        lane_convert(at.late_view(potrf_.root), root);
        const View better = at.scratch().matrix(step_.type, l.rows, l.cols, kLanes);
        lane_root_factor(root, better);
        const bool all_far = std::all_of(status, status + count, succeeded) &&
                             std::all_of(conditions, conditions + count, [this](double condition) {
                                 return condition <= care_.far;
                             });
        if (!all_far) {
            const View inverse = at.scratch().matrix(step_.type, l.rows, l.cols, kLanes);
            lane_invert_lower(better, false, 1, inverse, reciprocals);
            condition_number(better, inverse, conditions);
        }
        for (int lane = 0; lane < count; ++lane) {
            if (suspicious[lane]) {
                status[lane] = care_.status_of(conditions[lane], status[lane]);
            }
        }
        for_each_element(better, [&](auto* from, std::int64_t r, std::int64_t c) {
            using T = std::remove_pointer_t<decltype(from)>;
            auto* to = reinterpret_cast<T*>(l.at(r, c));
            for (int lane = 0; lane < count && c <= r; ++lane) {
                to[lane] = suspicious[lane] ? static_cast<T>(care_.scale * from[lane]) : to[lane];
            }
        });
    }

    const Potrf& potrf_;
    GramCare care_;
    Jitter jitter_;
};

class CompactTrsm : public CompactFactorStep {
public:
    CompactTrsm(const Program& program, const Step& step, const Trsm& trsm)
        : CompactFactorStep(program, step), trsm_(trsm), stored_(trsm.triangle) {
        stored_.transposed = false;
        if (is_present(trsm.b)) {
            const Value& b = program.value(trsm.b.value);
            reads_b_ = b.scope == Scope::problem && size_of(b.type) <= size_of(step.type);
        }
    }

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        const bool is_inverse = !is_present(trsm_.b);
        const View result = reads_b_ || is_inverse ? at.result_view() : at.begin_result(trsm_.b);
        const bool left = trsm_.side == Side::left;
        const bool transposes = trsm_.transposed != trsm_.triangle.transposed;
        const Triangle triangle{at.as_lanes(stored_), trsm_.lower, transposes, false};
        if (is_inverse) {
            invert(at, triangle, trsm_.alpha, result, trsm_.side);
        } else {
            const View b = reads_b_ ? at.view(trsm_.b) : result;
            solve(at, triangle, trsm_.alpha, left ? b : transposed(b),
                  left ? result : transposed(result), trsm_.side);
        }
        at.end_result(result);
    }

private:
    const Trsm& trsm_;
    Use stored_;
    bool reads_b_ = false;  ///< where it is; else it is copied into the result first
};

class CompactGetrf : public CompactFactorStep {
public:
    CompactGetrf(const Program& program, const Step& step, const Getrf& getrf)
        : CompactFactorStep(program, step), getrf_(getrf) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        const View result = at.begin_result(getrf_.a);
        const View pivots = at.out2();
        const View rows = pivots.type == step_.type
                              ? pivots
                              : at.scratch().matrix(step_.type, pivots.rows, 1, kLanes);
        std::int32_t bad[kLanes];
        std::int32_t zero[kLanes];
        lane_getrf(result, rows, bad, zero);
        for (int l = 0; l < kLanes && getrf_.zero_pivot_fails; ++l) {
            if (zero[l] != 0 && (bad[l] == 0 || status_pivot(zero[l]) < status_pivot(bad[l]))) {
                bad[l] = zero[l];
            }
        }
        if (getrf_.fails) {
            at.note(bad);
        }
        if (rows.data != pivots.data) {
            lane_convert(rows, pivots);
        }
        at.end_result(result);
    }

private:
    const Getrf& getrf_;
};

/// Each lane has its own permutation.
void swap_lanes(const View& pivots, const View& x, bool backwards) {
    with_type(x.type, [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t i = 0; i < x.rows; ++i) {
            const std::int64_t k = backwards ? x.rows - 1 - i : i;
            const T* chosen = reinterpret_cast<const T*>(pivots.at(k, 0));
            for (int l = 0; l < kLanes; ++l) {
                const auto other = static_cast<std::int64_t>(chosen[l]);
                for (std::int64_t c = 0; c < x.cols && other != k; ++c) {
                    std::swap(reinterpret_cast<T*>(x.at(k, c))[l],
                              reinterpret_cast<T*>(x.at(other, c))[l]);
                }
            }
        }
    });
}

class CompactSolve : public CompactFactorStep {
public:
    CompactSolve(const Program& program, const Step& step, const Solve& solve)
        : CompactFactorStep(program, step), solve_(solve) {}

    void compute(const StepRun& run) const override {
        const LaneViews at(step_, run);
        const View result = at.begin_result(solve_.b);
        const View lu = at.as_lanes(solve_.lu);
        const View pivots = at.as_lanes(solve_.pivots);
        // PA = LU. From the right, b op(A)^-1 = (op(A)^-T b')'.
        const View x = solve_.side == Side::left ? result : transposed(result);
        const bool lower_first = (solve_.side == Side::left) != solve_.transposed;
        if (lower_first) {
            swap_lanes(pivots, x, false);
        }
        solve(at, {lu, lower_first, solve_.transposed, lower_first}, 1, x, x, solve_.side);
        solve(at, {lu, !lower_first, solve_.transposed, !lower_first}, 1, x, x, solve_.side);
        if (!lower_first) {
            swap_lanes(pivots, x, true);
        }
        at.end_result(result);
    }

private:
    const Solve& solve_;
};

}  // namespace

CpuStepPtr make_compact_potrf(const Program& program, const Step& step, const Potrf& potrf) {
    return std::make_unique<CompactPotrf>(program, step, potrf);
}

CpuStepPtr make_compact_trsm(const Program& program, const Step& step, const Trsm& trsm) {
    return std::make_unique<CompactTrsm>(program, step, trsm);
}

CpuStepPtr make_compact_getrf(const Program& program, const Step& step, const Getrf& getrf) {
    return std::make_unique<CompactGetrf>(program, step, getrf);
}

CpuStepPtr make_compact_solve(const Program& program, const Step& step, const Solve& solve) {
    return std::make_unique<CompactSolve>(program, step, solve);
}

}  // namespace matgrad::detail
