#pragma once
/// \file Counts what the program it is linked into allocates with operator new, on all threads, and makes
/// it fail.

#include <cstdint>

namespace matgrad::test {

/// Since the program began.
[[nodiscard]] std::int64_t allocation_count();
/// Those that are not freed yet.
[[nodiscard]] std::int64_t live_allocations();
/// Counts something else that the system may refuse, and says whether it is to fail.
[[nodiscard]] bool next_allocation_fails();

/// While it lives, operator new throws std::bad_alloc: `after` allocations from now once, or from then on.
/// One at a time.
class FailingAllocations {
public:
    enum class How { once, from_then_on };
    /// Whose allocations are counted and fail: those of all threads, or of all but the one that makes this.
    enum class Whose { all, others };
    FailingAllocations(std::int64_t after, How how, Whose whose = Whose::all);
    ~FailingAllocations();
    FailingAllocations(const FailingAllocations&) = delete;
    FailingAllocations& operator=(const FailingAllocations&) = delete;

    /// Has one failed?
    [[nodiscard]] static bool has_failed();
};

}  // namespace matgrad::test
