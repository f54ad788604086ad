#include "cpu/plain/blas_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>

// Only OpenBLAS has these.
extern "C" {
__attribute__((weak)) void* blas_memory_alloc(int place);
__attribute__((weak)) void blas_memory_free(void* buffer);
}

namespace matgrad::detail {
namespace {

/// A buffer of the largest kind and a page of its own: address space, of which a call touches what it needs.
constexpr std::size_t kBufferBytes = (std::size_t{128} << 20) + (std::size_t{64} << 10);
/// Usual builds end the process beyond 128.
constexpr std::size_t kMostBuffers = 96;

bool has_room() {
    void* const room =
        ::mmap(nullptr, kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room != MAP_FAILED && ::munmap(room, kBufferBytes) == 0;
}

/// Holds `count` buffers at once where there is room for them, so that they are all made.
int make_buffers(std::size_t count) {
    std::array<void*, kMostBuffers> buffers{};
    std::size_t made = 0;
    while (made < count && has_room()) {
        buffers[made] = blas_memory_alloc(0);
        if (buffers[made] == nullptr) {
            break;
        }
        ++made;
    }
    for (std::size_t i = 0; i < made; ++i) {
        blas_memory_free(buffers[i]);
    }
    return static_cast<int>(made);
}

}  // namespace

int reserve_blas_buffers(int wanted) {
    static std::atomic<int> reserved{0};
    static std::mutex mutex;
    if (blas_memory_alloc == nullptr || blas_memory_free == nullptr) {
        return wanted;
    }
    const int count = std::min(wanted, static_cast<int>(kMostBuffers));
    if (reserved.load(std::memory_order_acquire) < count) {
        const std::lock_guard lock(mutex);
        if (reserved.load() < count) {
            reserved = std::max(reserved.load(), make_buffers(static_cast<std::size_t>(count)));
        }
    }
    return std::min(count, reserved.load());
}

}  // namespace matgrad::detail
