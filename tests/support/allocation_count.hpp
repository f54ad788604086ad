#pragma once
/// \file Counts what the program it is linked into allocates with operator new, on all threads.

#include <cstdint>

namespace matgrad::test {

/// Since the program began.
[[nodiscard]] std::int64_t allocation_count();

}  // namespace matgrad::test
