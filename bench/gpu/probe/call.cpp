#include "call.hpp"

#include <algorithm>

namespace matgrad::probe {
namespace {

/// What lies below the diagonal is no result: the library may have used it for its work.
void clear_below(std::vector<std::byte>& bytes, std::size_t size, Size order) {
    const auto n = static_cast<std::size_t>(order);
    for (std::size_t matrix = 0; matrix + n * n * size <= bytes.size(); matrix += n * n * size) {
        for (std::size_t col = 0; col < n; ++col) {
            const std::size_t column = matrix + col * n * size;
            std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(column + (col + 1) * size),
                      bytes.begin() + static_cast<std::ptrdiff_t>(column + n * size), std::byte{0});
        }
    }
}

}  // namespace

void Call::reset(cudaStream_t stream) const {
    for (const Written& w : written) {
        copy(w.now, w.before, stream);
    }
}

void Call::make(const Handles& handles, cudaStream_t stream, const Buffer* workspace) {
    if (workspace == nullptr) {
        handles.bind(stream);
    } else {
        handles.bind(stream, *workspace);
    }
    make_call(handles, *this, stream);
}

std::vector<std::byte> Call::results(const Stream& stream) const {
    stream.wait();
    std::vector<std::byte> all;
    for (const Written& w : written) {
        std::vector<std::byte> bytes = w.now.download();
        if (w.upper_of_order > 0) {
            clear_below(bytes, size_of(w.type), w.upper_of_order);
        }
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
}

Buffer& Call::add_read(std::size_t bytes) {
    return read.emplace_back(bytes);
}

Written& Call::add_written(std::size_t bytes, Type type, Size upper_of_order) {
    return written.emplace_back(Written{Buffer(bytes), Buffer(bytes), type, upper_of_order});
}

void** Call::add_pointers(const Buffer& to, Size stride_bytes, Size count, cudaStream_t stream) {
    void** const pointers = add_read(static_cast<std::size_t>(count) * sizeof(void*)).as<void*>();
    fill_pointers(pointers, to.data(), stride_bytes, count, stream);
    return pointers;
}

}  // namespace matgrad::probe
