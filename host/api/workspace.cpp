#include "matgrad/workspace.hpp"

#include <fmt/format.h>

#include <limits>
#include <new>
#include <utility>

#include "executor/workspace.hpp"
#include "expression/guarded.hpp"
#include "matgrad/error.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {
namespace {

constexpr std::align_val_t kAlignment{detail::kWorkspaceAlignment};

std::size_t host_bytes(const Plan& plan) {
    return plan.device().kind == DeviceKind::cpu ? plan.workspace_bytes() : 0;
}

}  // namespace

Workspace::Workspace(std::size_t bytes) try : size_(bytes) {
    if (bytes > 0) {
        // A size that rounding up to the alignment would overflow is asked of nobody.
        const bool can_be = bytes <= std::numeric_limits<std::size_t>::max() / 2;
        data_ = can_be ? static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow))
                       : nullptr;
        if (data_ == nullptr) {
            throw MachineError(fmt::format("no memory for a workspace of {} bytes", bytes));
        }
    }
} catch (...) {
    detail::throw_as_matgrad();
}

Workspace::Workspace(const Plan& plan) try : Workspace(host_bytes(plan)) {
} catch (...) {
    detail::throw_as_matgrad();
}

Workspace::Workspace(Workspace&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Workspace& Workspace::operator=(Workspace&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Workspace::~Workspace() {
    ::operator delete(data_, kAlignment);
}

}  // namespace matgrad
