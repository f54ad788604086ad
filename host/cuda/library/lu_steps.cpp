#include "batch_state.hpp"
#include "cuda/library/library_calls.hpp"
#include "cuda/library/step.hpp"
#include "cuda/library/step_status.hpp"
#include "program/cofactors.hpp"

// LU factors are values stored by columns: then the libraries factor A itself, and pivots and status
// are those of A. Pivots are int32, counted from 1, n per problem without a gap, at the place of their
// value; those of the 64-bit library are kept besides.

namespace matgrad::gpu {
namespace {

std::int32_t* pivots_of(const StepRun& run, ValueId id) {
    return reinterpret_cast<std::int32_t*>(run.value(id).data);
}

class GetrfStep final : public LibraryStep {
public:
    GetrfStep(StepSetup& setup, const Getrf& step)
        : out_(setup.step().out),
          pivots_(setup.step().out2),
          n_(setup.value(out_).rows.size),
          type_(setup.step().type),
          zero_fails_(step.zero_pivot_fails ||
                      matgrad::detail::feeds_cofactors(setup.program(), setup.step())),
          fails_(step.fails),
          alone_(setup.lu_alone()),
          a_(step.a) {
        setup.use_blas();
        setup.use_pointers(1);
        setup.check_fits_int("the order", n_);
        setup.reserve_matrix(type_, n_ * n_);
        if (!fails_) {
            setup.reserve_status();
        }
        if (alone_.can_be(n_)) {
            setup.use_solver();
            buffer_ = setup.lu_buffer(n_);
        }
    }

    void enqueue(StepRun& run) const override {
        const DeviceView& out = run.value(out_);
        const DeviceView a = run.view(a_);
        DeviceView lu = out;
        if (a.data == out.data || out.type != type_) {
            // What lies there by rows is first copied away, by columns.
            lu = transposed(run.take_matrix(type_, n_, n_));
        }
        run.copy(a, lu, run.batch);
        if (lu.data != out.data && out.type == type_) {
            run.copy(lu, out, run.batch);
            lu = out;
        }
        std::int32_t* const pivots = pivots_of(run, pivots_);
        if (alone_.is(n_, run.batch)) {
            std::int64_t* const wide = run.wide_pivots[static_cast<std::size_t>(pivots_)];
            call_getrf_each(run, lu, wide,
                            {run.take(buffer_.device), static_cast<std::size_t>(buffer_.device)},
                            static_cast<std::size_t>(buffer_.host));
            run.enqueue("pivots", [&] { narrow_pivots(wide, pivots, run.batch * n_, run.stream); });
        } else {
            call_getrf_batched(run, lu, pivots);
        }
        if (fails_) {
            run.read_lu_status(diagonals(lu), zero_fails_);
        } else {
            run.read_aside([&] { run.read_lu_status(diagonals(lu), zero_fails_); });
        }
        if (lu.data != out.data) {
            run.copy(lu, out, run.batch);
        }
    }

private:
    ValueId out_, pivots_;
    std::int64_t n_;
    ScalarType type_;
    bool zero_fails_;
    bool fails_;  ///< its problem
    OneByOne alone_;
    Use a_;
    Context::SolverBuffer buffer_;
};

/// Solves W op(A) = B by rows, that is op(A)' W' = B' by columns; from the left, W is the transpose of
/// the result.
class SolveStep final : public LibraryStep {
public:
    SolveStep(StepSetup& setup, const Solve& step)
        : out_(setup.step().out),
          type_(setup.step().type),
          left_(step.side == Side::left),
          // From the right, W op(A) = B is op(A)' W' = B'.
          transposed_(step.transposed == left_),
          lu_(step.lu),
          pivots_(step.pivots.value),
          alone_(setup.lu_alone()),
          is_shared_(setup.value(step.lu.value).scope == Scope::shared),
          b_(left_ && step.b.value != kNoValue ? transposed(step.b) : step.b) {
        const Value& out = setup.value(out_);
        n_ = left_ ? out.rows.size : out.cols.size;
        sides_ = left_ ? out.cols.size : out.rows.size;
        setup.use_blas();
        setup.use_pointers(2);
        setup.check_fits_int("the order", n_);
        setup.check_fits_int("the number of right-hand sides", sides_);
        if (setup.value(lu_.value).type != type_ || !setup.is_lu(lu_.value)) {
            setup.reserve_matrix(type_, n_ * n_);
        }
        setup.reserve_matrix(type_, sides_ * n_);
    }

    void enqueue(StepRun& run) const override {
        const DeviceView rows = left_ ? transposed(run.value(out_)) : run.value(out_);
        const bool in_place = can_solve_in_place(rows, run.batch);
        const DeviceView w = in_place ? rows : run.take_matrix(type_, sides_, n_);
        b_.place(run, w);
        solve(run, factors(run), w);
        if (!in_place) {
            run.copy(w, rows, run.batch);
        }
    }

private:
    /// Stored by columns as the library wants it, and for shared factors all problems side by side.
    [[nodiscard]] bool can_solve_in_place(const DeviceView& rows, std::int64_t batch) const {
        if (rows.type != type_ || !column_ld(transposed(rows))) {
            return false;
        }
        return !is_shared_ || columns_of_all(rows, batch).has_value();
    }

    [[nodiscard]] static std::optional<DeviceView> columns_of_all(const DeviceView& rows,
                                                                  std::int64_t batch) {
        const std::optional<DeviceView> all = stacked_columns(transposed(rows), batch);
        return all && column_ld(*all) ? all : std::nullopt;
    }

    [[nodiscard]] DeviceView factors(StepRun& run) const {
        const DeviceView lu = run.view(lu_);
        if (lu.type == type_ && column_ld(lu)) {
            return lu;
        }
        const DeviceView copy = transposed(run.take_matrix(type_, n_, n_, lu.batch_stride != 0));
        run.copy(lu, copy, run.problems(lu));
        return copy;
    }

    void solve(StepRun& run, const DeviceView& lu, const DeviceView& w) const {
        const std::int64_t batch = is_shared_ ? 1 : run.batch;
        const DeviceView x = is_shared_ ? columns_of_all(w, run.batch).value() : transposed(w);
        if (alone_.is(n_, batch)) {
            call_getrs_each(run, transposed_, lu,
                            run.wide_pivots[static_cast<std::size_t>(pivots_)], x, batch);
        } else {
            call_getrs_batched(run, transposed_, lu, pivots_of(run, pivots_), x, batch);
        }
    }

    ValueId out_;
    ScalarType type_;
    bool left_;
    bool transposed_;
    Use lu_;
    ValueId pivots_;
    OneByOne alone_;
    bool is_shared_;
    std::int64_t n_ = 0, sides_ = 0;
    Starter b_;
};

}  // namespace

StepPointer make_getrf(StepSetup& setup, const Getrf& step) {
    return std::make_unique<GetrfStep>(setup, step);
}

StepPointer make_solve(StepSetup& setup, const Solve& step) {
    return std::make_unique<SolveStep>(setup, step);
}

}  // namespace matgrad::gpu
