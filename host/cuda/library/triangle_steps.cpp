#include <optional>

#include "batch_state.hpp"
#include "cuda/library/library_calls.hpp"
#include "cuda/library/step.hpp"
#include "cuda/library/step_status.hpp"
#include "program/gram_limits.hpp"

namespace matgrad::gpu {
namespace {

/// Of the factor of a Gram matrix whose root is known.
class GramCare {
public:
    GramCare(StepSetup& setup, const Potrf& step)
        : limits_(setup.program().type), root_(step.root), scale_(step.root_scale) {
        const std::int64_t rows = rows_of(setup.program(), root_).size;
        const std::int64_t n = setup.value(setup.step().out).rows.size;
        sharpens_ = limits_.far > 0 && setup.value(root_.value).type == ScalarType::float64 &&
                    rows * n <= kMostSharpened / n;
        setup.use_condition(n, sharpens_ ? rows : 0);
    }

    void take(StepRun& run, const DeviceView& factor) const {
        GramRoot root{{}, scale_, limits_.far};
        if (sharpens_) {
            root.matrices = as_matrices(run.view(root_));
        }
        run.mark_ill_conditioned(factor, limits_.estimate, root);
    }

private:
    /// Rows of the root times the square of its columns: one block multiplies so often in about a millisecond.
    static constexpr std::int64_t kMostSharpened = std::int64_t{1} << 21;

    matgrad::detail::GramLimits limits_;
    Use root_;
    double scale_;
    bool sharpens_ = false;
};

class PotrfStep final : public LibraryStep {
public:
    PotrfStep(StepSetup& setup, const Potrf& step)
        : n_(setup.value(setup.step().out).rows.size),
          rank_(is_present(step.root) ? rows_of(setup.program(), step.root).size : n_),
          fails_(step.fails),
          a_(step.a),
          result_(setup.result(step.a)),
          alone_(setup.cholesky_alone()),
          is_own_(setup.is_own_cholesky(n_)) {
        if (!fails_) {
            setup.reserve_status();
        }
        if (matgrad::detail::is_with_care(setup.program(), setup.step(), step)) {
            care_.emplace(setup, step);
            if (!fails_) {
                setup.reserve_status();
            }
        }
        if (is_own_) {
            setup.use_own_cholesky();
            return;
        }
        setup.check_fits_int("the order", n_);
        setup.use_solver();
        setup.use_pointers(1);
        if (alone_.can_be(n_)) {
            buffer_ = setup.cholesky_buffer(n_);
        }
    }

    void enqueue(StepRun& run) const override {
        const DeviceView result = result_.begin(run);
        a_.place(run, result);
        const int* info = run.memory.info;
        if (is_own_) {
            call_own_cholesky(run, result);
            info = nullptr;
        } else if (alone_.is(n_, run.batch)) {
            call_potrf_each(run, result,
                            {run.take(buffer_.device), static_cast<std::size_t>(buffer_.device)},
                            static_cast<std::size_t>(buffer_.host));
        } else {
            call_potrf_batched(run, result);
        }
        Diagonals pivots = diagonals(result);
        pivots.rank = rank_;
        read_status(run, result, pivots, info);
        if (care_ && fails_) {
            care_->take(run, result);
        } else if (care_) {
            run.read_aside([&] {
                run.start_status();
                care_->take(run, result);
            });
        }
        result_.end(run, result);
    }

private:
    void read_status(StepRun& run, const DeviceView& result, const Diagonals& pivots,
                     const int* info) const {
        if (fails_) {
            return run.read_cholesky_status(pivots, info);
        }
        run.read_aside([&] {
            run.read_cholesky_status(pivots, info);
            const Matrices factor = as_matrices(result);
            run.mark_failed({&factor, 1});
        });
    }

    std::int64_t n_;
    std::int64_t rank_;  ///< at most
    bool fails_;         ///< its problem; else the factor is NaN
    Starter a_;
    StepResult result_;
    OneByOne alone_;
    bool is_own_;
    Context::SolverBuffer buffer_;
    std::optional<GramCare> care_;
};

class TrsmStep final : public LibraryStep {
public:
    TrsmStep(StepSetup& setup, const Trsm& step)
        : side_(step.side),
          lower_(step.lower),
          transposed_(step.transposed != step.triangle.transposed),
          alpha_(step.alpha),
          type_(setup.step().type),
          triangle_(setup.operand(stored(step.triangle))),
          b_(step.b),
          result_(setup.result(step.b)),
          alone_(setup.trsm_alone()) {
        setup.use_blas();
        setup.use_pointers(2);
    }

    void enqueue(StepRun& run) const override {
        const DeviceView result = result_.begin(run);
        b_.place(run, result);
        const DeviceView triangle = triangle_.read(run);
        const TrsmCall call =
            make_trsm_call(side_, lower_, transposed_, triangle, result, run.batch);
        call_trsm(run, type_, alpha_, call, alone_.is(call.left ? call.m : call.n, call.batch));
        result_.end(run, result);
    }

private:
    /// `lower` is of what is stored.
    static Use stored(Use triangle) {
        triangle.transposed = false;
        return triangle;
    }

    Side side_;
    bool lower_, transposed_;
    double alpha_;
    ScalarType type_;
    BlasOperand triangle_;
    Starter b_;
    StepResult result_;
    OneByOne alone_;
};

}  // namespace

StepPointer make_potrf(StepSetup& setup, const Potrf& step) {
    return std::make_unique<PotrfStep>(setup, step);
}

StepPointer make_trsm(StepSetup& setup, const Trsm& step) {
    return std::make_unique<TrsmStep>(setup, step);
}

}  // namespace matgrad::gpu
