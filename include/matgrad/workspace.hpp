#pragma once
/// \file Memory for the intermediate results of a run, kept by the caller.

#include <cstddef>
#include <cstdint>
#include <span>

#include "matgrad/export.hpp"

namespace matgrad {

class Plan;

/// Host memory, aligned and not initialised: for one run at a time, of any plan that needs no more. Plans on GPUs
/// keep their own and take nothing of it.
class MATGRAD_API Workspace {
public:
    Workspace() noexcept = default;
    /// As much as the plan needs. Errors: MachineError.
    explicit Workspace(const Plan& plan);
    explicit Workspace(std::size_t bytes);
    Workspace(Workspace&& other) noexcept;
    Workspace& operator=(Workspace&& other) noexcept;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace();

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A batch that comes in parts, one run after the other: the sums over it have the bits that one run of the whole has,
/// and the last part writes them. Status, counts and results of each problem are those of the part.
///
///     BatchParts parts(plan, problems);
///     while (parts.done() < parts.problems()) {
///         plan.run(next_problems(k * parts.multiple()), results, status, {.parts = &parts});
///     }
class MATGRAD_API BatchParts {
public:
    /// Errors   UnsupportedError for a plan on GPUs or with means; OperandError for problems below 0; MachineError.
    BatchParts(const Plan& plan, std::int64_t problems);

    [[nodiscard]] std::int64_t problems() const noexcept { return problems_; }
    [[nodiscard]] std::int64_t done() const noexcept { return done_; }
    [[nodiscard]] std::int64_t failed() const noexcept { return failed_; }
    /// A part has a multiple of so many problems, or all that are left.
    [[nodiscard]] std::int64_t multiple() const noexcept { return multiple_; }

private:
    friend class Plan;
    std::int64_t problems_;
    std::int64_t done_ = 0;
    std::int64_t failed_ = 0;
    std::int64_t multiple_ = 1;
    Workspace sums_;
};

}  // namespace matgrad
