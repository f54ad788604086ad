// A module that cannot be opened unnoticed: the process ends with status 99.
#include <unistd.h>

namespace {
[[gnu::constructor]] void end() {
    ::_exit(99);
}
}  // namespace
