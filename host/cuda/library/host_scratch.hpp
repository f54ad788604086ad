#pragma once
/// \file Host memory that the large factorizations want, lent to one call at a time.

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace matgrad::gpu {

class HostScratch {
public:
    explicit HostScratch(std::size_t bytes) : bytes_(bytes) {}

    /// On loan while it lives.
    class Loan {
    public:
        explicit Loan(HostScratch& from) : from_(from), buffer_(from.borrow()) {}
        ~Loan() { from_.give_back(std::move(buffer_)); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        [[nodiscard]] std::span<std::byte> span() { return buffer_; }

    private:
        HostScratch& from_;
        std::vector<std::byte> buffer_;
    };

private:
    std::vector<std::byte> borrow() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            free_.reserve(++made_);  // so that giving back does not allocate
            return std::vector<std::byte>(bytes_);
        }
        std::vector<std::byte> buffer = std::move(free_.back());
        free_.pop_back();
        return buffer;
    }
    void give_back(std::vector<std::byte> buffer) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(buffer));
    }

    std::size_t bytes_;
    std::size_t made_ = 0;
    std::mutex mutex_;
    std::vector<std::vector<std::byte>> free_;
};

}  // namespace matgrad::gpu
