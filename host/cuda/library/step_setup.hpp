#pragma once
/// \file What a step asks for when the plan is made: kernels, scratch, buffers of libraries; and the
/// small parts that steps are made of.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "cuda/kernel_source.hpp"
#include "cuda/library/step_run.hpp"
#include "cuda/owners.hpp"

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
    /// As it will be read if values lie like this; data is null for a copy. `own`: a copy in any
    /// case if it is the caller's memory.
    [[nodiscard]] DeviceView expected(std::span<const DeviceView> values, bool own = false) const;
    [[nodiscard]] DeviceView read(StepRun& run, bool own = false) const;

private:
    friend class StepSetup;
    Use stored_;  ///< untransposed
    bool transposed_ = false;
    bool is_callers_ = false;
    ScalarType type_ = ScalarType::float64;
    KernelId copy_ = kNoKernel;
};

/// The result of a step in the step's type and in rows that a BLAS can write: the value itself, or
/// scratch that is copied to it.
class StepResult {
public:
    [[nodiscard]] DeviceView expected(std::span<const DeviceView> values) const;
    [[nodiscard]] DeviceView begin(StepRun& run) const;
    void end(StepRun& run, const DeviceView& result) const;

private:
    friend class StepSetup;
    ValueId out_ = kNoValue;
    ScalarType type_ = ScalarType::float64;
    KernelId convert_ = kNoKernel;
};

/// What is put where a step works in place: a value, or the identity.
class Starter {
public:
    /// Nothing to do where it is there already.
    void place(StepRun& run, const DeviceView& to) const;

private:
    friend class StepSetup;
    Use from_;
    KernelId kernel_ = kNoKernel;
};

class StepSetup {
public:
    StepSetup(const Program& program, KernelSource& kernels, bool tf32)
        : program_(program), kernels_(kernels), tf32_(tf32) {}

    void begin_step(const Step& step) {
        step_ = &step;
        scratch_ = {};
    }
    [[nodiscard]] const Step& step() const { return *step_; }
    [[nodiscard]] const ScratchNeed& scratch() const { return scratch_; }
    [[nodiscard]] std::int64_t host_bytes() const { return host_bytes_; }
    [[nodiscard]] bool uses_pointers() const { return uses_pointers_; }

    [[nodiscard]] const Program& program() const { return program_; }
    [[nodiscard]] const Value& value(ValueId id) const {
        return program_.values[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] KernelSource& kernels() { return kernels_; }
    /// Products of the step may round their factors to TF32.
    [[nodiscard]] bool uses_tf32() const { return tf32_ && step_->type == ScalarType::float32; }

    [[nodiscard]] BlasOperand operand(const Use& use);
    [[nodiscard]] StepResult result();
    /// `rows` x `cols`: of the place it is put. Not present: the identity.
    [[nodiscard]] Starter starter(const Use& use, std::int64_t rows, std::int64_t cols);

    /// Room for what the step takes with StepRun::take_matrix.
    void reserve_matrix(ScalarType type, std::int64_t count);
    void reserve(std::int64_t per_problem, std::int64_t fixed);
    void use_pointers() { uses_pointers_ = true; }
    /// Errors: UnsupportedError that names the step.
    void check_fits_int(const char* what, std::int64_t size) const;

    /// Buffers of the 64-bit factorizations.
    struct SolverBuffer {
        std::int64_t device = 0, host = 0;
    };
    [[nodiscard]] SolverBuffer cholesky_buffer(std::int64_t n);
    [[nodiscard]] SolverBuffer lu_buffer(std::int64_t n);

private:
    void make_solver();
    SolverBuffer reserved(std::size_t device, std::size_t host);

    const Program& program_;
    KernelSource& kernels_;
    bool tf32_;
    const Step* step_ = nullptr;
    ScratchNeed scratch_;
    std::int64_t host_bytes_ = 0;
    bool uses_pointers_ = false;
    SolverHandle solver_;
    SolverParameters parameters_;
};

}  // namespace matgrad::gpu
