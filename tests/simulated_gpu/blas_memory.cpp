#include "simulated_gpu/blas_memory.hpp"

#include <algorithm>

#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {
namespace {

std::string name_of(const char* name, std::int64_t problem) {
    return problem < 0 ? std::string(name)
                       : std::string(name) + " of problem " + std::to_string(problem);
}

}  // namespace

void Footprint::refuse(const std::string& why) {
    sound_ = false;
    report(why);
}

void Footprint::add_matrix(const char* name, std::int64_t problem, const void* data,
                           const Shape& shape, bool written) {
    const std::int64_t entries = (shape.cols - 1) * shape.ld + shape.rows;
    const auto bytes = static_cast<std::size_t>(entries * shape.size);
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    if (!is_device_range(data, bytes, device_)) {
        refuse(name_of(name, problem) + " (" + std::to_string(bytes) +
               " bytes) is not memory of device " + std::to_string(device_));
        return;
    }
    if (begin % static_cast<std::uintptr_t>(shape.size) != 0) {
        refuse(name_of(name, problem) + " is not aligned to its elements");
        return;
    }
    std::vector<Piece>& pieces = written ? written_ : read_;
    if (shape.rows == shape.ld) {
        pieces.push_back({begin, begin + bytes, name, problem});
        return;
    }
    for (std::int64_t j = 0; j < shape.cols; ++j) {
        const auto column = begin + static_cast<std::uintptr_t>(j * shape.ld * shape.size);
        pieces.push_back(
            {column, column + static_cast<std::uintptr_t>(shape.rows * shape.size), name, problem});
    }
}

void Footprint::add_array(const char* name, const void* data, std::int64_t bytes,
                          std::int64_t alignment, bool written) {
    if (bytes <= 0 || !sound_) {
        return;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    if (!is_device_range(data, static_cast<std::size_t>(bytes), device_)) {
        refuse(std::string(name) + " (" + std::to_string(bytes) +
               " bytes) is not memory of device " + std::to_string(device_));
    } else if (begin % static_cast<std::uintptr_t>(alignment) != 0) {
        refuse(std::string(name) + " is not aligned to " + std::to_string(alignment) + " bytes");
    } else {
        (written ? written_ : read_)
            .push_back({begin, begin + static_cast<std::uintptr_t>(bytes), name, -1});
    }
}

void Footprint::reads(const char* name, const void* data, std::int64_t bytes,
                      std::int64_t alignment) {
    add_array(name, data, bytes, alignment, false);
}

void Footprint::writes(const char* name, const void* data, std::int64_t bytes,
                       std::int64_t alignment) {
    add_array(name, data, bytes, alignment, true);
}

bool Footprint::is_sound() {
    if (!sound_) {
        return false;
    }
    std::sort(written_.begin(), written_.end(),
              [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < written_.size(); ++i) {
        const Piece& a = written_[i - 1];
        const Piece& b = written_[i];
        if (b.begin < a.end) {
            refuse(name_of(a.name, a.problem) + " and " + name_of(b.name, b.problem) +
                   ", both written, overlap");
            return false;
        }
    }
    for (const Piece& r : read_) {
        // Written pieces are disjoint by now, so their ends ascend as well.
        const auto next =
            std::upper_bound(written_.begin(), written_.end(), r.begin,
                             [](std::uintptr_t at, const Piece& w) { return at < w.end; });
        if (next != written_.end() && next->begin < r.end) {
            refuse(name_of(r.name, r.problem) + ", which is read, overlaps " +
                   name_of(next->name, next->problem) + ", which is written");
            return false;
        }
    }
    return true;
}

}  // namespace matgrad::simulated
