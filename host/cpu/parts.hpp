#pragma once
/// \file The parts of a large domain, which threads share.

#include <cstddef>
#include <cstdint>

#include "cpu/interpreter.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {

inline constexpr std::int64_t kPartScratch = 64 << 10;

/// DomainParts by rows, or by columns where there is one row; of equal size but the last.
class DomainParts {
public:
    explicit DomainParts(const Domain& domain) : domain_(domain) {
        const bool large = domain.lanes == 1 && domain.rows * domain.cols >= 2 * kPartEntries;
        const std::int64_t whole = length();
        size_ = whole;
        if (large) {
            const std::int64_t across = domain.rows * domain.cols / whole;
            // A multiple of what a cache line holds.
            size_ = (std::max<std::int64_t>(1, kPartEntries / across) + 15) / 16 * 16;
        }
        count_ = size_ == 0 ? 1 : (whole + size_ - 1) / size_;
    }

    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] Block operator[](std::int64_t part) const {
        Block block = domain_.whole();
        const std::int64_t first = part * size_;
        if (domain_.rows > 1) {
            block.row = first;
            block.rows = std::min(size_, domain_.rows - first);
        } else {
            block.col = first;
            block.cols = std::min(size_, domain_.cols - first);
        }
        return block;
    }

private:
    /// Entries from which a part is worth a thread's while: tens of microseconds.
    static constexpr std::int64_t kPartEntries = 1 << 17;

    [[nodiscard]] std::int64_t length() const {
        return domain_.rows > 1 ? domain_.rows : domain_.cols;
    }

    Domain domain_;
    std::int64_t size_ = 0;
    std::int64_t count_ = 1;
};

/// Scratch of one part, apart from its caller: few steps have several, and need so much stack.
template <typename Work>
[[gnu::noinline]] void work_on_part(const DomainParts& parts, std::int64_t part, const Work& work) {
    alignas(kAlignment) std::byte room[kPartScratch];
    Scratch scratch(room, kPartScratch);
    work(part, parts[part], scratch);
}

/// work(part, block, scratch) for parts [first, end), with scratch for an Interpreter: of several parts, on
/// up to `threads` threads.
template <typename Work>
void for_some_parts(const DomainParts& parts, std::int64_t first, std::int64_t end,
                    const MapBody& body, Scratch& scratch, const Threads& threads, Work work) {
    if (parts.count() == 1) {
        return work(0, parts[0], scratch);
    }
    // An expression with many registers is left to one thread, which has room for them.
    Scratch free = scratch;
    int* const room = free.array<int>(3 * static_cast<std::int64_t>(body.code.size()));
    const bool fits = interpreter_scratch_bytes(body, room) <= kPartScratch;
    for_each_index(fits ? threads : Threads{}, end - first, [&](std::int64_t index) {
        const std::int64_t part = first + index;
        if (fits) {
            return work_on_part(parts, part, work);
        }
        Scratch used = scratch;
        work(part, parts[part], used);
    });
}

template <typename Work>
void for_each_part(const DomainParts& parts, const MapBody& body, Scratch& scratch,
                   const Threads& threads, Work work) {
    for_some_parts(parts, 0, parts.count(), body, scratch, threads, work);
}

}  // namespace matgrad::detail
