#pragma once
/// \file What a step asks for when the plan is made: kernels, scratch, buffers of libraries; and the
/// small parts that steps are made of.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "cuda/context.hpp"
#include "cuda/kernel_source.hpp"
#include "cuda/library/in_place.hpp"
#include "cuda/library/step_run.hpp"
#include "cuda/module.hpp"
#include "cuda/thresholds.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {

inline constexpr KernelId kNoKernel = -1;

/// Scratch of one step: bytes per problem and bytes besides.
struct ScratchNeed {
    std::int64_t per_problem = 0;
    std::int64_t fixed = 0;
    [[nodiscard]] std::int64_t bytes(std::int64_t problems) const {
        return fixed + per_problem * problems;
    }
};

/// A factor that a BLAS reads: in place where its type and strides allow, else a copy.
class BlasOperand {
public:
    /// `own`: a copy in any case if anybody else reads it.
    [[nodiscard]] DeviceView read(StepRun& run, bool own = false) const;
    /// The strides that `read` would give.
    [[nodiscard]] DeviceView strides(const StepRun& run, bool own = false) const;
    /// By all problems.
    [[nodiscard]] bool is_shared(const StepRun& run) const {
        return run.value(stored_.value).batch_stride == 0;
    }

private:
    friend class StepSetup;
    [[nodiscard]] bool is_read_in_place(const DeviceView& v, bool own) const;

    Use stored_;  ///< untransposed
    bool transposed_ = false;
    bool is_read_elsewhere_ = false;  ///< or the caller's
    ScalarType type_ = ScalarType::float64;
};

/// The result of a step in the step's type and in rows that a BLAS can write: the value itself, or
/// scratch (what the step overwrites, where nobody else reads that) that is copied to it.
class StepResult {
public:
    [[nodiscard]] DeviceView begin(StepRun& run) const;
    void end(StepRun& run, const DeviceView& result) const;

private:
    friend class StepSetup;
    ValueId out_ = kNoValue;
    ScalarType type_ = ScalarType::float64;
    ValueId consumed_ = kNoValue;
    bool marks_failed_ = false;
};

/// What is put where a step works in place: a value, or the identity.
class Starter {
public:
    /// `from` not present: the identity.
    explicit Starter(const Use& from) : from_(from) {}
    /// Nothing to do where it is there already.
    void place(StepRun& run, const DeviceView& to) const;

private:
    Use from_;
};

/// When problems are taken one after the other, each by the whole device. The batched routines give each
/// to few blocks, so this is better for a few large ones.
struct OneByOne {
    std::int64_t order = 0;  ///< at least
    std::int64_t batch = 0;  ///< at most
    [[nodiscard]] bool can_be(std::int64_t n) const { return is(n, 1); }
    [[nodiscard]] bool is(std::int64_t n, std::int64_t problems) const {
        return n >= order && problems <= batch;
    }
};

class StepSetup {
public:
    StepSetup(const Program& program, const Context& context, const Thresholds& thresholds,
              KernelSource& kernels, const ExecutorOptions& options)
        : program_(program),
          context_(context),
          thresholds_(thresholds),
          kernels_(kernels),
          tf32_(options.tf32),
          capturable_(options.capturable),
          in_place_(program),
          uses_(count_uses(program)),
          producers_(find_producers(program)),
          is_marked_(program.values.size(), 0) {}

    void begin_step(const Step& step) {
        step_ = &step;
        scratch_ = {};
        pointer_arrays_ = 0;
        takes_addresses_ = false;
    }
    [[nodiscard]] const Step& step() const { return *step_; }
    [[nodiscard]] const ScratchNeed& scratch() const { return scratch_; }
    [[nodiscard]] std::int64_t host_bytes() const { return host_bytes_; }
    /// Arrays of addresses that the step takes at most.
    [[nodiscard]] std::int64_t pointer_arrays() const { return pointer_arrays_; }

    [[nodiscard]] const Program& program() const { return program_; }
    [[nodiscard]] const Value& value(ValueId id) const { return program_.value(id); }
    [[nodiscard]] KernelSource& kernels() { return kernels_; }
    /// Products of the step may round their factors to TF32.
    [[nodiscard]] bool uses_tf32() const { return tf32_ && step_->type == ScalarType::float32; }

    /// `own`: it may be read so.
    [[nodiscard]] BlasOperand operand(const Use& use, bool own = false);
    /// `overwritten`: what the step makes its result of in place, if anything.
    [[nodiscard]] StepResult result(const Use& overwritten = {});
    /// The step's own kernel writes NaN into the results of problems that have failed: says that it is to,
    /// where its result is one of the Program's and no later step fails or changes it.
    [[nodiscard]] bool mark_failed();
    [[nodiscard]] bool is_marked(ValueId id) const {
        return is_marked_[static_cast<std::size_t>(id)] != 0;
    }
    /// A getrf has made it: it is stored by columns.
    [[nodiscard]] bool is_lu(ValueId id) const;
    [[nodiscard]] const InPlace& in_place() const { return in_place_; }

    /// Room for what the step takes with StepRun::take_matrix.
    void reserve_matrix(ScalarType type, std::int64_t count);
    void reserve(std::int64_t per_problem, std::int64_t fixed);
    [[nodiscard]] bool takes_addresses() const { return takes_addresses_; }
    void use_pointers(std::int64_t arrays) {
        pointer_arrays_ = arrays;
        takes_addresses_ = true;
    }
    /// Statuses of the step alone.
    void reserve_status() { reserve(sizeof(std::int32_t), 0); }
    /// Only where problems lie backwards in memory.
    void use_pointers_backwards(std::int64_t arrays) { pointer_arrays_ = arrays; }
    /// The step calls cuBLAS, or cuSOLVER.
    void use_blas() { uses_blas_ = true; }
    void use_solver() { uses_solver_ = true; }
    [[nodiscard]] bool uses_blas() const { return uses_blas_; }
    [[nodiscard]] bool uses_solver() const { return uses_solver_; }
    /// Errors: UnsupportedError that names the step.
    void check_fits_int(const char* what, std::int64_t size) const;

    [[nodiscard]] std::int64_t limit(Limit limit) const { return thresholds_[limit]; }
    [[nodiscard]] const Thresholds& thresholds() const { return thresholds_; }
    [[nodiscard]] int device() const { return context_.info().index; }
    [[nodiscard]] OneByOne cholesky_alone() const;
    /// Never where the plan is to be captured: it is cuSOLVER's.
    [[nodiscard]] OneByOne lu_alone() const;
    [[nodiscard]] OneByOne trsm_alone() const;
    /// A kernel of our own makes Cholesky factors of this order: where it is the faster one, and where the
    /// plan is to be captured.
    [[nodiscard]] bool is_own_cholesky(std::int64_t n) const {
        return capturable_ || n <= limit(Limit::own_cholesky_order);
    }
    void use_own_cholesky() { uses_own_cholesky_ = true; }
    [[nodiscard]] bool uses_own_cholesky() const { return uses_own_cholesky_; }
    /// The step looks at the conditions of triangles of n rows, and may sharpen them from roots of so many rows.
    void use_condition(std::int64_t n, std::int64_t root_rows);
    [[nodiscard]] bool uses_condition() const { return uses_condition_; }

    /// Buffers of the 64-bit factorizations.
    [[nodiscard]] Context::SolverBuffer cholesky_buffer(std::int64_t n);
    [[nodiscard]] Context::SolverBuffer lu_buffer(std::int64_t n);

private:
    Context::SolverBuffer reserved(const Context::SolverBuffer& buffer);
    /// As a factor whose failed problems are set to 0.
    [[nodiscard]] bool is_summed_without_failed(ValueId id) const;

    const Program& program_;
    const Context& context_;
    const Thresholds& thresholds_;
    KernelSource& kernels_;
    bool tf32_;
    bool capturable_;
    InPlace in_place_;
    std::vector<int> uses_, producers_;
    std::vector<char> is_marked_;
    const Step* step_ = nullptr;
    ScratchNeed scratch_;
    std::int64_t host_bytes_ = 0;
    std::int64_t pointer_arrays_ = 0;
    bool takes_addresses_ = false;
    // Of all steps:
    bool uses_blas_ = false, uses_solver_ = false, uses_own_cholesky_ = false;
    bool uses_condition_ = false;
};

}  // namespace matgrad::gpu
