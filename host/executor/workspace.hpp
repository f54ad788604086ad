#pragma once
/// \file Host memory for a workspace: aligned, not initialised.

#include <cstddef>
#include <new>
#include <span>

namespace matgrad::detail {

inline constexpr std::size_t kWorkspaceAlignment = 64;

/// Throws std::bad_alloc.
class Workspace {
public:
    explicit Workspace(std::size_t size)
        : data_(size == 0 ? nullptr : ::operator new (size, std::align_val_t{kWorkspaceAlignment})),
          size_(size) {}
    ~Workspace() { ::operator delete (data_, std::align_val_t{kWorkspaceAlignment}); }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    [[nodiscard]] std::span<std::byte> span() const {
        return {static_cast<std::byte*>(data_), size_};
    }

private:
    void* data_;
    std::size_t size_;
};

}  // namespace matgrad::detail
