#include "cuda/library/step_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "condition.hpp"
#include "cuda/library/blas_layout.hpp"
#include "cuda/library/library_calls.hpp"
#include "cuda/library/step_status.hpp"
#include "cuda/placement.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

DeviceView flipped(const DeviceView& v, bool flip) {
    return flip ? transposed(v) : v;
}

bool is_readable(const DeviceView& v, ScalarType type) {
    return v.type == type && blas_layout(v).has_value();
}

}  // namespace

bool BlasOperand::is_read_in_place(const DeviceView& v, bool own) const {
    return is_readable(v, type_) && !(own && is_read_elsewhere_);
}

DeviceView BlasOperand::strides(const StepRun& run, bool own) const {
    DeviceView v = run.view(stored_);
    if (!is_read_in_place(v, own)) {
        v = row_major(nullptr, type_, v.rows, v.cols);
    }
    return flipped(v, transposed_);
}

DeviceView BlasOperand::read(StepRun& run, bool own) const {
    const DeviceView v = run.view(stored_);
    if (is_read_in_place(v, own)) {
        return flipped(v, transposed_);
    }
    // A copy keeps the order of what is stored, so both sides are read and written in runs.
    const DeviceView copy = run.take_matrix(type_, v.rows, v.cols, v.batch_stride != 0);
    run.copy(v, copy, run.problems(v));
    return flipped(copy, transposed_);
}

DeviceView StepResult::begin(StepRun& run) const {
    const DeviceView& out = run.value(out_);
    if (is_readable(out, type_)) {
        return out;
    }
    return consumed_ != kNoValue ? run.value(consumed_)
                                 : run.take_matrix(type_, out.rows, out.cols);
}

void StepResult::end(StepRun& run, const DeviceView& result) const {
    const DeviceView& out = run.value(out_);
    if (result.data != out.data) {
        run.copy(result, out, run.batch, marks_failed_ ? run.status.data : nullptr);
    }
}

void Starter::place(StepRun& run, const DeviceView& to) const {
    if (from_.value == kNoValue) {
        run.set_identity(to);
        return;
    }
    const DeviceView from = run.view(from_);
    const bool there = from.data == to.data && from.type == to.type &&
                       (from.rows <= 1 || from.row_stride == to.row_stride) &&
                       (from.cols <= 1 || from.col_stride == to.col_stride);
    if (!there) {
        run.copy(from, to, run.batch);
    }
}

BlasOperand StepSetup::operand(const Use& use, bool own) {
    BlasOperand operand;
    operand.stored_ = use;
    operand.stored_.transposed = false;
    operand.transposed_ = use.transposed;
    operand.type_ = step_->type;
    const Value& v = value(use.value);
    operand.is_read_elsewhere_ = v.operand >= 0 || uses_[static_cast<std::size_t>(use.value)] > 1;
    // Values of the workspace have strides that a BLAS can read.
    if (v.operand >= 0 || v.type != step_->type || (own && operand.is_read_elsewhere_)) {
        const std::int64_t rows = rows_of(program_, operand.stored_).size;
        const std::int64_t cols = cols_of(program_, operand.stored_).size;
        reserve_matrix(step_->type, rows * cols);
    }
    return operand;
}

StepResult StepSetup::result(const Use& overwritten) {
    StepResult result;
    result.out_ = step_->out;
    result.type_ = step_->type;
    const Value& v = value(step_->out);
    if (v.type == step_->type) {
        return result;
    }
    result.marks_failed_ = mark_failed();
    if (in_place_.may_consume(*step_, overwritten) &&
        value(overwritten.value).type == step_->type) {
        result.consumed_ = overwritten.value;
    } else {
        reserve_matrix(step_->type, v.count());
    }
    return result;
}

bool StepSetup::mark_failed() {
    const Value& out = value(step_->out);
    if (out.output < 0 || out.scope != Scope::problem || !can_lose_results(program_) ||
        may_fail_after(*this) || is_summed_without_failed(step_->out)) {
        return false;
    }
    is_marked_[static_cast<std::size_t>(step_->out)] = 1;
    return true;
}

bool StepSetup::is_lu(ValueId id) const {
    const int producer = producers_[static_cast<std::size_t>(id)];
    return producer >= 0 && std::holds_alternative<Getrf>(
                                program_.steps[static_cast<std::size_t>(producer)].operation);
}

bool StepSetup::is_summed_without_failed(ValueId id) const {
    return std::any_of(program_.steps.begin(), program_.steps.end(), [id](const Step& step) {
        bool is_read = false;
        for_each_use(step.operation, [&](const Use& use) { is_read |= use.value == id; });
        return step.fold == Fold::inner && is_read;
    });
}

void StepSetup::reserve_matrix(ScalarType type, std::int64_t count) {
    reserve(count * size_of(type), 0);
}

void StepSetup::reserve(std::int64_t per_problem, std::int64_t fixed) {
    scratch_.per_problem += per_problem;
    scratch_.fixed += aligned(fixed) + kPlacementAlignment;  // where the next piece begins
}

void StepSetup::use_condition(std::int64_t n, std::int64_t root_rows) {
    reserve(condition_work_bytes(n, root_rows), 0);
    uses_condition_ = true;
}

void StepSetup::check_fits_int(const char* what, std::int64_t size) const {
    if (size > std::numeric_limits<int>::max()) {
        throw UnsupportedError(fmt::format("{}: {} is {}: the library takes at most {}",
                                           to_text(program_, *step_), what, size,
                                           std::numeric_limits<int>::max()));
    }
}

Context::SolverBuffer StepSetup::cholesky_buffer(std::int64_t n) {
    return reserved(context_.cholesky_buffer(n, cuda_type(step_->type)));
}

Context::SolverBuffer StepSetup::lu_buffer(std::int64_t n) {
    return reserved(context_.lu_buffer(n, cuda_type(step_->type)));
}

Context::SolverBuffer StepSetup::reserved(const Context::SolverBuffer& buffer) {
    reserve(0, buffer.device);
    host_bytes_ = std::max(host_bytes_, buffer.host);
    return buffer;
}

OneByOne StepSetup::lu_alone() const {
    return capturable_ ? OneByOne{}
                       : OneByOne{limit(Limit::lu_alone_order), limit(Limit::lu_alone_batch)};
}

OneByOne StepSetup::cholesky_alone() const {
    return {limit(Limit::cholesky_alone_order), limit(Limit::cholesky_alone_batch)};
}

OneByOne StepSetup::trsm_alone() const {
    return {limit(Limit::trsm_alone_order), limit(Limit::trsm_alone_batch)};
}

}  // namespace matgrad::gpu
