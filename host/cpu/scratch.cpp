#include "cpu/scratch.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace matgrad::detail {

void fail_for_scratch(const char* who, std::int64_t taken, std::int64_t stated) {
    fmt::print(stderr, "matgrad: {} took {} bytes of scratch, expected at most {}\n", who, taken,
               stated);
    std::abort();
}

}  // namespace matgrad::detail
