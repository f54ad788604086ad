#pragma once
/// \file Something that matgrad is asked for, again and again, each time with another allocation that fails.

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "support/allocation_count.hpp"

namespace matgrad::test {

using Whose = FailingAllocations::Whose;
inline constexpr Whose kAllAndOthers[] = {Whose::all, Whose::others};
inline constexpr Whose kAll[] = {Whose::all};

struct Operation {
    std::string name;
    std::function<void()> begin;          ///< before each try, with all the memory there is
    std::function<void()> ask;            ///< takes no memory but matgrad's
    std::function<std::string()> result;  ///< what is there: as `begin` left it, or the answer
    std::function<void()> end;            ///< what the operation keeps is freed
};

/// The operation succeeds, or one MachineError of one line leaves it: then what is there is as before, or the
/// whole answer, and it succeeds the next time. Nothing leaks. Each allocation fails alone and with all after it,
/// of all threads and of all others than the caller's, or as `whose` says; where there are many, one in so many.
void expect_to_survive_every_failure(const Operation& operation,
                                     std::span<const Whose> whose = kAllAndOthers);

/// From one allocation that fails to the next, of an operation that makes so many: MATGRAD_TEST_EVERY says it;
/// otherwise there are about so many tries, a tenth of them under AddressSanitizer.
[[nodiscard]] std::int64_t distance_of_failures(std::int64_t allocations, std::int64_t tries);

/// Of all operations so far.
struct Tally {
    std::int64_t operations = 0;
    std::int64_t failures = 0;  ///< tries in which an allocation failed
    std::int64_t errors = 0;    ///< those that a MachineError left; the others did without
};
Tally& tally();

}  // namespace matgrad::test
