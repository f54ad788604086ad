#pragma once
/// \file A call in a process of its own, in which an allocation fails: what it may end.

#include <cstdint>
#include <functional>
#include <string>

#include "support/allocation_count.hpp"

namespace matgrad::test {

struct ChildResult {
    int status = -1;               ///< what the call returned; 128 + signal if it ended the process
    bool has_failed = false;       ///< an allocation
    bool leaks = false;            ///< as far as LeakSanitizer is there to see it
    std::int64_t allocations = 0;  ///< of the call
    std::string out;
    std::string err;
};

/// The threads that the caller has started are not there. `judge` makes the status of what the call returned, with
/// all the memory there is.
[[nodiscard]] ChildResult call_in_child(
    std::int64_t after, FailingAllocations::How how, const std::function<int()>& call,
    const std::function<int(int)>& judge = [](int status) { return status; });

}  // namespace matgrad::test
