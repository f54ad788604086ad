#pragma once
/// \file A system that has no files without a name.

#include <cerrno>

#include "io/file_calls.hpp"

namespace matgrad::io_test {

/// Its calls: a result has a temporary name from the start.
inline FileCalls calls_with_names() {
    FileCalls calls = system_calls();
    calls.open_unnamed = [](const char*) {
        errno = EOPNOTSUPP;
        return -1;
    };
    return calls;
}

}  // namespace matgrad::io_test
