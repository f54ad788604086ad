#include <unistd.h>

#include <cstdio>

#include "cli/command.hpp"

// OpenBLAS asks this function of its own, before main, how many threads its pool has, by way of the
// loader: so this one is found first. matgrad has threads of its own, and never uses the pool; where
// memory is short a thread of it would wait for memory for ever, and the end of the process for it.
extern "C" __attribute__((weak, visibility("default"))) int openblas_num_threads_env() {
    return 1;
}

// Of a BLAS that does not ask: whether it has a pool all the same.
extern "C" __attribute__((weak)) int openblas_get_num_threads();

int main(int argc, char** argv) {
    const bool has_pool = openblas_get_num_threads != nullptr && openblas_get_num_threads() > 1;
    const int status = matgrad::run_command({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (has_pool) {
        (void)std::fflush(nullptr);
        ::_exit(status);  // without a wait for its threads
    }
    return status;
}
