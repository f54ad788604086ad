#include "support/allocation_count.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace matgrad::test {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::atomic<std::int64_t> g_count{0};
std::atomic<std::int64_t> g_live{0};
std::atomic<std::int64_t> g_exposed{0};  ///< those that may fail
std::atomic<std::int64_t> g_first_failure{kNever};
std::atomic<std::int64_t> g_last_failure{kNever};
thread_local bool t_is_spared = false;

/// Before each allocation.
void count() {
    if (next_allocation_fails()) {
        throw std::bad_alloc();
    }
}

void* counted(void* data) {
    if (data == nullptr) {
        throw std::bad_alloc();
    }
    g_live.fetch_add(1, std::memory_order_relaxed);
    return data;
}

void release(void* data) noexcept {
    if (data != nullptr) {
        g_live.fetch_sub(1, std::memory_order_relaxed);
    }
    std::free(data);
}

}  // namespace

std::int64_t allocation_count() {
    return g_count.load();
}

std::int64_t live_allocations() {
    return g_live.load();
}

bool next_allocation_fails() {
    g_count.fetch_add(1, std::memory_order_relaxed);
    if (t_is_spared) {
        return false;
    }
    const std::int64_t number = g_exposed.fetch_add(1, std::memory_order_relaxed);
    return number >= g_first_failure.load() && number <= g_last_failure.load();
}

FailingAllocations::FailingAllocations(std::int64_t after, How how, Whose whose) {
    t_is_spared = whose == Whose::others;
    const std::int64_t first = g_exposed.load() + after;
    g_last_failure = how == How::once ? first : kNever;
    g_first_failure = first;
}

FailingAllocations::~FailingAllocations() {
    g_first_failure = kNever;
    t_is_spared = false;
}

bool FailingAllocations::has_failed() {
    return g_exposed.load() > g_first_failure.load();
}

}  // namespace matgrad::test

// The other forms of new and delete call these; those that return null are here since AddressSanitizer has its own.
void* operator new(std::size_t size) {
    matgrad::test::count();
    return matgrad::test::counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    matgrad::test::count();
    const auto unit = static_cast<std::size_t>(alignment);
    const std::size_t whole = size == 0 ? unit : (size + unit - 1) / unit * unit;
    return matgrad::test::counted(std::aligned_alloc(unit, whole));
}
void* operator new(std::size_t size, const std::nothrow_t& /*null*/) noexcept {
    try {
        return ::operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new(std::size_t size, std::align_val_t alignment,
                   const std::nothrow_t& /*null*/) noexcept {
    try {
        return ::operator new(size, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* data) noexcept {
    matgrad::test::release(data);
}
void operator delete(void* data, std::size_t) noexcept {
    matgrad::test::release(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
    matgrad::test::release(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
    matgrad::test::release(data);
}
