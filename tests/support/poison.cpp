#include "support/poison.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <vector>

namespace matgrad::test {
namespace {

/// Bytes of the file of poison. It is mapped as often as it takes; its pages are copied where somebody
/// writes.
constexpr std::size_t kFileBytes = std::size_t{4} << 20;

int poison_file() {
    static const int only = [] {
        const int file = memfd_create("poison", MFD_CLOEXEC);
        const std::vector<unsigned char> bytes(kFileBytes, kPoison);
        if (file < 0 || write(file, bytes.data(), kFileBytes) != static_cast<ssize_t>(kFileBytes)) {
            throw std::runtime_error("no file of poison");
        }
        return file;
    }();
    return only;
}

bool map_over(std::byte* data, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += kFileBytes) {
        if (mmap(data + at, std::min(kFileBytes, bytes - at), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_FIXED, poison_file(), 0) == MAP_FAILED) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::byte* map_poisoned(std::size_t& bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    bytes = (bytes + page - 1) / page * page;
    void* const place = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
        return nullptr;
    }
    auto* const data = static_cast<std::byte*>(place);
    if (!map_over(data, bytes)) {
        (void)munmap(place, bytes);
        return nullptr;
    }
    return data;
}

void poison(std::byte* data, std::size_t bytes) {
    if (!map_over(data, bytes)) {
        throw std::runtime_error("poisoned memory cannot be mapped again");
    }
}

void unmap(std::byte* data, std::size_t bytes) {
    (void)munmap(data, bytes);
}

void forbid_access(std::byte* data, std::size_t bytes, bool forbid) {
    if (mprotect(data, bytes, forbid ? PROT_NONE : PROT_READ | PROT_WRITE) != 0) {
        throw std::runtime_error("poisoned memory cannot be protected");
    }
}

PoisonedMemory::PoisonedMemory(std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t lines = (bytes + kLine - 1) / kLine * kLine;
    mapped_ = lines + page;
    pages_ = map_poisoned(mapped_);
    if (pages_ == nullptr) {
        throw std::bad_alloc();
    }
    std::byte* const end = pages_ + (mapped_ - page);
    forbid_access(end, page, true);
    data_ = end - lines;
}

}  // namespace matgrad::test
