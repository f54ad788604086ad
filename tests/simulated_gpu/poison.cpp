#include "simulated_gpu/poison.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace matgrad::simulated {
namespace {

/// From here on memory is mapped, in multiples of this.
constexpr std::size_t kMapped = std::size_t{1} << 20;
constexpr std::size_t kAlignment = 512;

std::size_t round_up(std::size_t bytes, std::size_t to) {
    return (bytes + to - 1) / to * to;
}

/// A file of kMapped poisoned bytes: mapped as often as it takes, its pages are copied where somebody
/// writes.
int poison_file() {
    static const int only = [] {
        const int file = memfd_create("poison", MFD_CLOEXEC);
        const std::vector<unsigned char> bytes(kMapped, kPoison);
        if (file < 0 || write(file, bytes.data(), kMapped) != static_cast<ssize_t>(kMapped)) {
            throw std::runtime_error("no file for simulated memory");
        }
        return file;
    }();
    return only;
}

bool map_poison(std::byte* data, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += kMapped) {
        if (mmap(data + at, kMapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, poison_file(),
                 0) == MAP_FAILED) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::byte* take_poisoned(std::size_t& bytes) {
    if (bytes < kMapped) {
        bytes = round_up(bytes, kAlignment);
        auto* const data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes));
        if (data != nullptr) {
            std::memset(data, kPoison, bytes);
        }
        return data;
    }
    bytes = round_up(bytes, kMapped);
    void* const place = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
        return nullptr;
    }
    auto* const data = static_cast<std::byte*>(place);
    if (!map_poison(data, bytes)) {
        (void)munmap(place, bytes);
        return nullptr;
    }
    return data;
}

void poison(std::byte* data, std::size_t bytes) {
    if (bytes < kMapped) {
        std::memset(data, kPoison, bytes);
    } else if (!map_poison(data, bytes)) {
        throw std::runtime_error("simulated memory cannot be mapped again");
    }
}

void give_back(std::byte* data, std::size_t bytes) {
    if (bytes < kMapped) {
        std::free(data);
    } else {
        (void)munmap(data, bytes);
    }
}

}  // namespace matgrad::simulated
