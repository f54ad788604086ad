#pragma once
/// \file Host memory for workspaces, kept from one call to the next: aligned, not initialised.

#include <array>
#include <atomic>
#include <cstddef>
#include <new>
#include <span>

namespace matgrad::detail {

inline constexpr std::size_t kWorkspaceAlignment = 64;

/// Workspaces which calls from any thread borrow and leave for the next ones. There are never more than
/// there were calls at once, and no more than kMost are kept.
class KeptWorkspaces {
public:
    static constexpr std::size_t kMost = 16;

    /// The bytes of a workspace begin behind it.
    struct alignas(kWorkspaceAlignment) Block {
        std::size_t bytes;
    };

    KeptWorkspaces() = default;
    ~KeptWorkspaces() { release(); }
    KeptWorkspaces(const KeptWorkspaces&) = delete;
    KeptWorkspaces& operator=(const KeptWorkspaces&) = delete;

    /// One workspace for the time of a call.
    class Loan {
    public:
        explicit Loan(KeptWorkspaces& from) : from_(from), block_(from.take()) {}
        ~Loan() {
            if (block_ != nullptr) {
                from_.keep(block_);
            }
        }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        /// Sees to it that it has at least so many bytes; what was in them is lost. False if there is no
        /// memory for them.
        [[nodiscard]] bool resize(std::size_t bytes) noexcept {
            if (block_ == nullptr || block_->bytes < bytes) {
                free(block_);
                block_ = make(bytes);
            }
            return block_ != nullptr;
        }
        [[nodiscard]] std::span<std::byte> span() const {
            return {reinterpret_cast<std::byte*>(block_ + 1), block_->bytes};
        }

    private:
        KeptWorkspaces& from_;
        Block* block_;
    };

    /// Frees those that nobody uses.
    void release() noexcept {
        for (std::atomic<Block*>& place : places_) {
            free(place.exchange(nullptr));
        }
    }

private:
    [[nodiscard]] Block* take() noexcept {
        for (std::atomic<Block*>& place : places_) {
            if (place.load(std::memory_order_relaxed) != nullptr) {
                if (Block* const kept = place.exchange(nullptr)) {
                    return kept;
                }
            }
        }
        return nullptr;
    }
    void keep(Block* block) noexcept {
        for (std::atomic<Block*>& place : places_) {
            Block* empty = nullptr;
            if (place.compare_exchange_strong(empty, block)) {
                return;
            }
        }
        free(block);
    }
    [[nodiscard]] static Block* make(std::size_t bytes) noexcept {
        void* const memory = ::operator new (sizeof(Block) + bytes,
                                             std::align_val_t{kWorkspaceAlignment}, std::nothrow);
        return memory == nullptr ? nullptr : new (memory) Block{bytes};
    }
    static void free(Block* block) noexcept {
        ::operator delete (block, std::align_val_t{kWorkspaceAlignment});
    }

    std::array<std::atomic<Block*>, kMost> places_{};
};

}  // namespace matgrad::detail
