#pragma once
/// \file Counts what the program it is linked into allocates with operator new, on all threads, and makes
/// it fail.

#include <cstdint>

namespace matgrad::test {

/// Since the program began.
[[nodiscard]] std::int64_t allocation_count();
/// Those that are not freed yet.
[[nodiscard]] std::int64_t live_allocations();

/// While it lives, operator new throws std::bad_alloc: `after` allocations from now once, or from then on.
/// One at a time.
class FailingAllocations {
public:
    enum class How { once, from_then_on };
    FailingAllocations(std::int64_t after, How how);
    ~FailingAllocations();
    FailingAllocations(const FailingAllocations&) = delete;
    FailingAllocations& operator=(const FailingAllocations&) = delete;

    /// Has one failed?
    [[nodiscard]] static bool has_failed();
};

}  // namespace matgrad::test
