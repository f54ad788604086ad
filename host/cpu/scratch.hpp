#pragma once
/// \file Memory that lasts for one step, taken from the workspace.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cpu/view.hpp"

namespace matgrad::detail {

inline constexpr std::int64_t kAlignment = 64;

[[nodiscard]] constexpr std::int64_t align_up(std::int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// A stack over a part of the workspace; `begin_step` empties it.
class Scratch {
public:
    Scratch(std::byte* data, std::int64_t bytes) : data_(data), bytes_(bytes) {}

    void begin_step() { used_ = 0; }
    [[nodiscard]] std::byte* take(std::int64_t bytes) {
        std::byte* result = data_ + used_;
        used_ += align_up(bytes);
        assert(used_ <= bytes_ && "scratch_bytes and the step disagree");
        return result;
    }
    /// `count` objects of a trivial type, not initialized.
    template <typename T>
    [[nodiscard]] T* array(std::int64_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        return reinterpret_cast<T*>(take(count * static_cast<std::int64_t>(sizeof(T))));
    }
    [[nodiscard]] View matrix(ScalarType type, std::int64_t rows, std::int64_t cols, int lanes) {
        return row_major(take(rows * cols * lanes * size_of(type)), type, rows, cols, lanes);
    }

private:
    std::byte* data_;
    std::int64_t bytes_;
    std::int64_t used_ = 0;
};

}  // namespace matgrad::detail
