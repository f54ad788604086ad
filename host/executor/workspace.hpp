#pragma once
/// \file Host memory for workspaces, kept from one call to the next: aligned, not initialised.

#include <array>
#include <atomic>
#include <cstddef>
#include <new>
#include <span>

namespace matgrad::detail {

inline constexpr std::size_t kWorkspaceAlignment = 64;

/// Workspaces of one size, which calls from any thread borrow and leave for the next ones. There are never
/// more than there were calls at once, and no more than kMost are kept.
class KeptWorkspaces {
public:
    static constexpr std::size_t kMost = 16;

    explicit KeptWorkspaces(std::size_t bytes) : bytes_(bytes) {}
    ~KeptWorkspaces() { release(); }
    KeptWorkspaces(const KeptWorkspaces&) = delete;
    KeptWorkspaces& operator=(const KeptWorkspaces&) = delete;

    /// One workspace for the time of a call. Throws std::bad_alloc.
    class Loan {
    public:
        explicit Loan(KeptWorkspaces& from) : from_(from), data_(from.take()) {}
        ~Loan() { from_.keep(data_); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        [[nodiscard]] std::span<std::byte> span() const {
            return {static_cast<std::byte*>(data_), from_.bytes_};
        }

    private:
        KeptWorkspaces& from_;
        void* data_;
    };

    /// Frees those that nobody uses.
    void release() noexcept {
        for (std::atomic<void*>& place : places_) {
            free(place.exchange(nullptr));
        }
    }

private:
    [[nodiscard]] void* take() {
        for (std::atomic<void*>& place : places_) {
            if (place.load(std::memory_order_relaxed) != nullptr) {
                if (void* const kept = place.exchange(nullptr)) {
                    return kept;
                }
            }
        }
        return ::operator new (bytes_, std::align_val_t{kWorkspaceAlignment});
    }
    void keep(void* data) noexcept {
        for (std::atomic<void*>& place : places_) {
            void* empty = nullptr;
            if (place.compare_exchange_strong(empty, data)) {
                return;
            }
        }
        free(data);
    }
    static void free(void* data) noexcept {
        ::operator delete (data, std::align_val_t{kWorkspaceAlignment});
    }

    std::size_t bytes_;
    std::array<std::atomic<void*>, kMost> places_{};
};

}  // namespace matgrad::detail
