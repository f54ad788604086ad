#include "cpu/divide.hpp"

#include <algorithm>

namespace matgrad::detail {
namespace {

/// Entries that one thread takes at a time.
constexpr std::int64_t kPart = 1 << 16;

template <typename T>
void divide_one(View matrix, T by) {
    for (std::int64_t r = 0; r < matrix.rows; ++r) {
        for (std::int64_t c = 0; c < matrix.cols; ++c) {
            *reinterpret_cast<T*>(matrix.at(r, c)) /= by;
        }
    }
}

}  // namespace

void divide_matrices(const View& first, std::int64_t matrices, std::int64_t batch_stride,
                     std::int64_t by, const Threads& threads) {
    const std::int64_t each = std::max<std::int64_t>(1, first.rows * first.cols);
    const std::int64_t length = std::max<std::int64_t>(1, kPart / each);
    for_each_index(threads, (matrices + length - 1) / length, [&](std::int64_t part) {
        const std::int64_t end = std::min(matrices, (part + 1) * length);
        for (std::int64_t k = part * length; k < end; ++k) {
            View matrix = first;
            matrix.data += k * batch_stride * size_of(first.type);
            with_type(first.type,
                      [&](auto zero) { divide_one(matrix, static_cast<decltype(zero)>(by)); });
        }
    });
}

}  // namespace matgrad::detail
