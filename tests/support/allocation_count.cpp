#include "support/allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace matgrad::test {
namespace {

std::atomic<std::int64_t> g_count{0};

void* allocate(std::size_t size, std::size_t alignment) {
    g_count.fetch_add(1, std::memory_order_relaxed);
    // The size is a multiple of the alignment.
    const std::size_t whole = (size + alignment - 1) / alignment * alignment;
    void* const data = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
    if (data == nullptr) {
        throw std::bad_alloc();
    }
    return data;
}

}  // namespace

std::int64_t allocation_count() {
    return g_count.load();
}

}  // namespace matgrad::test

// The other forms of new and delete call these.
void* operator new(std::size_t size) {
    return matgrad::test::allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return matgrad::test::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept {
    std::free(data);
}
void operator delete(void* data, std::size_t) noexcept {
    std::free(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
    std::free(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
    std::free(data);
}
