#pragma once
/// \file Memory that lasts for one step, taken from the workspace.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cpu/view.hpp"

namespace matgrad::detail {

inline constexpr std::int64_t kAlignment = 64;

[[nodiscard]] constexpr std::int64_t align_up(std::int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Ends the program with one line on stderr: to go on would be to write into someone else's memory.
[[noreturn]] void fail_for_scratch(const char* who, std::int64_t taken, std::int64_t stated);

/// A stack over a part of the workspace. Each step takes no more than it stated: that is checked in
/// every build.
class Scratch {
public:
    /// All of it belongs to `who`, until a step begins.
    Scratch(std::byte* data, std::int64_t bytes, const char* who = "a run")
        : data_(data), bytes_(bytes), stated_(bytes), who_(who) {}

    /// Empties the stack for a step that stated `bytes`. `who` outlives the step.
    void begin_step(const char* who, std::int64_t bytes) {
        used_ = 0;
        who_ = who;
        stated_ = bytes;
        if (bytes > bytes_) {
            fail_for_scratch(who, bytes, bytes_);
        }
    }
    [[nodiscard]] std::byte* take(std::int64_t bytes) {
        std::byte* result = data_ + used_;
        used_ += align_up(bytes);
        if (used_ > stated_) {
            fail_for_scratch(who_, used_, stated_);
        }
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
    std::int64_t stated_;
    const char* who_;
    std::int64_t used_ = 0;
};

}  // namespace matgrad::detail
