#include "batch_state.hpp"
#include "cuda/library/library_calls.hpp"
#include "cuda/library/step.hpp"
#include "cuda/library/step_status.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// out = 0 * product + beta * c, or beta * c without a product: a BLAS would not look at its factors
/// where alpha is 0, but 0 * NaN is NaN.
class ZeroWeight {
public:
    ZeroWeight(StepSetup& setup, bool has_product, const Use& c, double beta) {
        const Step& step = setup.step();
        const Value& out = setup.value(step.out);
        MapBody body;
        std::vector<ScalarType> types;
        if (has_product) {
            body.operands.push_back({});
            types.push_back(step.type);
            setup.reserve_matrix(step.type, out.count());
        }
        if (c.value != kNoValue && beta != 0) {
            body.operands.push_back({c, Broadcast::none});
            types.push_back(setup.value(c.value).type);
            c_ = c;
        }
        const auto last = [&body] { return static_cast<int>(body.code.size()) - 1; };
        const auto weigh = [&](int operand, double factor) {
            body.code.push_back({MapOp::load, operand, -1, 0});
            body.code.push_back({MapOp::scale, last(), -1, factor});
        };
        if (has_product) {
            weigh(0, 0);
        }
        if (c_.value != kNoValue) {
            const int product = last();
            weigh(static_cast<int>(body.operands.size()) - 1, beta);
            if (product >= 0) {
                body.code.push_back({MapOp::add, product, last(), 0});
            }
        }
        if (body.code.empty()) {
            body.code.push_back({MapOp::constant, -1, -1, 0});
        }
        kernel_ =
            setup.kernels().add_map(body, out.rows.size, out.cols.size, step.type, types, out.type);
    }

    /// `product`: of alpha 1, or null.
    void enqueue(StepRun& run, const DeviceView* product, const DeviceView& out) const {
        std::vector<DeviceView> operands;
        if (product != nullptr) {
            operands.push_back(*product);
        }
        if (c_.value != kNoValue) {
            operands.push_back(run.view(c_));
        }
        run.map(kernel_, operands, out);
    }

private:
    Use c_;
    KernelId kernel_ = kNoKernel;
};

/// A product of which only the sum over the batch is used: products of parts of the batch, whose inner
/// dimension runs over problems, which batch_sum adds up.
class SummedProduct {
public:
    explicit SummedProduct(const StepSetup& setup)
        : out_(setup.step().out), type_(setup.step().type), is_summed_(may_be(setup)) {}

    [[nodiscard]] static bool may_be(const StepSetup& setup) {
        return setup.step().fold == Fold::inner && !may_fail_after(setup);
    }
    /// `b` null: the transpose of `a`.
    [[nodiscard]] bool is(const StepRun& run, const BlasOperand& a, const BlasOperand* b) const {
        if (!is_summed_ || run.batch < kFewestToFold || a.is_shared(run) ||
            (b != nullptr && b->is_shared(run))) {
            return false;
        }
        const DeviceView first = a.strides(run, true);
        const DeviceView second = b != nullptr ? b->strides(run, true) : transposed(first);
        return fold_inner(first, second, run.batch).has_value();
    }

    /// The factor with zeros in place of the problems that failed, or fail here. It is copied first if anybody else
    /// reads it: a problem may keep its own results.
    [[nodiscard]] DeviceView without_failed(StepRun& run, const BlasOperand& factor) const {
        const DeviceView v = factor.read(run, true);
        run.mark_not_finite(v);  // so is every product with it
        run.clear_failed(v);
        return v;
    }

    /// Of factors whose strides allow it.
    void enqueue(StepRun& run, double alpha, const DeviceView& a, const DeviceView& b) const {
        const InnerFold found = fold_inner(a, b, run.batch).value();
        // The partial sums take the place of the products, which nobody else reads.
        DeviceView sums = run.value(out_);
        sums = row_major(sums.data, type_, sums.rows, sums.cols);
        call(run, alpha, found, sums);
        if (found.left > 0) {
            call(run, alpha, last_segment(found), from_problem(sums, found.segments));
        }
        run.partial_sums[static_cast<std::size_t>(out_)] = {
            sums, found.segments + (found.left > 0 ? 1 : 0)};
    }

private:
    void call(StepRun& run, double alpha, const InnerFold& fold, const DeviceView& sums) const {
        GemmCall gemm = make_gemm_call(fold.a, fold.b, sums, fold.segments);
        gemm.over_batch = true;
        call_gemm(run, type_, alpha, gemm, 0);
    }

    ValueId out_;
    ScalarType type_;
    bool is_summed_;
};

class GemmStep final : public LibraryStep {
public:
    GemmStep(StepSetup& setup, const Gemm& step)
        : alpha_(step.alpha),
          a_(setup.operand(step.a, SummedProduct::may_be(setup))),
          b_(setup.operand(step.b, SummedProduct::may_be(setup))),
          out_(setup.step().out),
          type_(setup.step().type),
          summed_(setup) {
        setup.use_blas();
        setup.use_pointers_backwards(3);
        const std::int64_t inner = cols_of(setup.program(), step.a).size;
        if (inner == 0 || alpha_ == 0) {
            zero_.emplace(setup, inner != 0, step.c, step.beta);
            has_product_ = inner != 0;
            return;
        }
        const bool adds = step.c.value != kNoValue && step.beta != 0;
        result_ = setup.result(adds ? step.c : Use{});
        if (adds) {
            beta_ = step.beta;
            c_.emplace(step.c);
        }
    }

    void enqueue(StepRun& run) const override {
        if (zero_) {
            return enqueue_zero(run);
        }
        const bool is_summed = !c_ && summed_.is(run, a_, &b_);
        const DeviceView a = is_summed ? summed_.without_failed(run, a_) : a_.read(run);
        const DeviceView b = is_summed ? summed_.without_failed(run, b_) : b_.read(run);
        if (is_summed) {
            return summed_.enqueue(run, alpha_, a, b);
        }
        const DeviceView result = result_.begin(run);
        if (c_) {
            c_->place(run, result);
        }
        call_gemm(run, type_, alpha_, make_gemm_call(a, b, result, run.batch), beta_);
        result_.end(run, result);
    }

private:
    void enqueue_zero(StepRun& run) const {
        const DeviceView& out = run.value(out_);
        if (!has_product_) {
            return zero_->enqueue(run, nullptr, out);
        }
        const DeviceView product = run.take_matrix(type_, out.rows, out.cols);
        const DeviceView a = a_.read(run);
        const DeviceView b = b_.read(run);
        call_gemm(run, type_, 1, make_gemm_call(a, b, product, run.batch), 0);
        zero_->enqueue(run, &product, out);
    }

    double alpha_;
    double beta_ = 0;
    BlasOperand a_, b_;
    std::optional<Starter> c_;
    std::optional<ZeroWeight> zero_;
    bool has_product_ = false;
    StepResult result_;
    ValueId out_;
    ScalarType type_;
    SummedProduct summed_;
};

class SyrkStep final : public LibraryStep {
public:
    SyrkStep(StepSetup& setup, const Syrk& step)
        : alpha_(step.alpha),
          a_(setup.operand(step.a, SummedProduct::may_be(setup))),
          out_(setup.step().out),
          type_(setup.step().type),
          summed_(setup),
          may_halve_(!step.mirror && !setup.uses_tf32() &&
                     setup.value(out_).rows.size >= setup.limit(Limit::syrk_order)) {
        setup.use_blas();
        setup.use_pointers_backwards(3);
        const std::int64_t inner = cols_of(setup.program(), step.a).size;
        if (inner == 0 || alpha_ == 0) {
            zero_.emplace(setup, inner != 0, Use{}, 0);
            has_product_ = inner != 0;
        } else {
            result_ = setup.result();
        }
    }

    void enqueue(StepRun& run) const override {
        if (zero_ && !has_product_) {
            return zero_->enqueue(run, nullptr, run.value(out_));
        }
        const bool is_summed = !zero_ && summed_.is(run, a_, nullptr);
        const DeviceView a = is_summed ? summed_.without_failed(run, a_) : a_.read(run);
        if (is_summed) {
            return summed_.enqueue(run, alpha_, a, transposed(a));
        }
        const DeviceView& out = run.value(out_);
        const DeviceView result =
            zero_ ? run.take_matrix(type_, out.rows, out.cols) : result_.begin(run);
        if (may_halve_ && run.batch == 1 && !zero_) {
            call_syrk(run, alpha_, a, result);
        } else {
            call_gemm(run, type_, zero_ ? 1 : alpha_,
                      make_gemm_call(a, transposed(a), result, run.batch), 0);
        }
        if (zero_) {
            zero_->enqueue(run, &result, out);
        } else {
            result_.end(run, result);
        }
    }

private:
    double alpha_;
    BlasOperand a_;
    std::optional<ZeroWeight> zero_;
    bool has_product_ = false;
    StepResult result_;
    ValueId out_;
    ScalarType type_;
    SummedProduct summed_;
    bool may_halve_;
};

}  // namespace

StepPointer make_gemm(StepSetup& setup, const Gemm& step) {
    return std::make_unique<GemmStep>(setup, step);
}

StepPointer make_syrk(StepSetup& setup, const Syrk& step) {
    return std::make_unique<SyrkStep>(setup, step);
}

}  // namespace matgrad::gpu
