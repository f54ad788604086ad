#include "support/allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace matgrad::test {
namespace {

std::atomic<std::int64_t> g_count{0};

void* counted(void* data) {
    g_count.fetch_add(1, std::memory_order_relaxed);
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
    return matgrad::test::counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    const std::size_t whole = size == 0 ? unit : (size + unit - 1) / unit * unit;
    return matgrad::test::counted(std::aligned_alloc(unit, whole));
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
