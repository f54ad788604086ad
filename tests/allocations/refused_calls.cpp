// What the system may refuse beside operator new: a thread, address space, the memory of a path. Each counts as an
// allocation.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>

#include "support/allocation_count.hpp"

using matgrad::test::next_allocation_fails;

extern "C" {

// As in the command: OpenBLAS asks how many threads its pool has. It ends a process in which they cannot be started,
// and a child of fork starts them anew.
__attribute__((visibility("default"))) int openblas_num_threads_env() {
    return 1;
}

// Found by the standard library before the one of the system.
__attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                          const pthread_attr_t* attributes,
                                                          void* (*start)(void*), void* of) {
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
    return next_allocation_fails() ? EAGAIN : create(thread, attributes, start, of);
}

// The linker puts these in the place of mmap and realpath, and calls those __real_*.
void* __real_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) {
    if (next_allocation_fails()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, bytes, protection, flags, file, offset);
}
char* __real_realpath(const char* path, char* resolved);
char* __wrap_realpath(const char* path, char* resolved) {
    if (next_allocation_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return __real_realpath(path, resolved);
}

}  // extern "C"
