#pragma once
/// \file Memory for the lists of one call: on its stack, unless a plan has scores of operands.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace matgrad::detail {

class CallMemory {
public:
    CallMemory() = default;
    CallMemory(const CallMemory&) = delete;
    CallMemory& operator=(const CallMemory&) = delete;
    ~CallMemory() = default;

    /// A list that lives as long as this; its elements are not initialised.
    template <typename T>
    [[nodiscard]] std::span<T> list(std::size_t count) {
        static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
        static_assert(alignof(T) <= kUnit);
        const std::size_t bytes = (count * sizeof(T) + kUnit - 1) / kUnit * kUnit;
        if (bytes > bytes_.size() - used_) {
            more_.push_back(std::make_unique<std::byte[]>(bytes));
            return {reinterpret_cast<T*>(more_.back().get()), count};
        }
        T* const first = reinterpret_cast<T*>(bytes_.data() + used_);
        used_ += bytes;
        return {first, count};
    }

private:
    static constexpr std::size_t kUnit = alignof(std::max_align_t);

    alignas(kUnit) std::array<std::byte, 8192> bytes_;
    std::size_t used_ = 0;
    std::vector<std::unique_ptr<std::byte[]>> more_;
};

}  // namespace matgrad::detail
