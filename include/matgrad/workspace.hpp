#pragma once
/// \file Memory for the intermediate results of a run, kept by the caller.

#include <cstddef>
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

}  // namespace matgrad
