/// Into the compact layout and out of it, entry for entry.

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "cpu/compact/kernels.hpp"

namespace matgrad::test {
namespace {

using detail::kLanes;

/// How the matrices of a tile lie in memory, in numbers.
struct Place {
    std::int64_t row_stride, col_stride, distance;
    std::int64_t shift;  ///< of the first from a line of the cache
};

std::vector<Place> places(std::int64_t rows, std::int64_t cols) {
    const std::int64_t count = rows * cols;
    return {{cols, 1, count, 0},                  // without gaps
            {cols, 1, count, 3},                  // and off the lines
            {1, rows, count, 0},                  // by columns
            {cols, 1, count + 5, 1},              // with gaps
            {cols + 3, 1, rows * (cols + 3), 0},  // between rows
            {2 * cols, 2, 2 * count, 0},          // between entries
            {cols, 1, 4096, 0},                   // one set of the cache
            {cols, 1, -count, 0}};                // backwards
}

/// Memory of a tile with a margin at either end; every number differs.
template <typename T>
struct Tile {
    static constexpr std::int64_t kMargin = 128;
    std::vector<T> memory;
    std::byte* at[kLanes] = {};

    Tile(const Place& place, std::int64_t rows, std::int64_t cols, T first)
        : memory(static_cast<std::size_t>((kLanes - 1) * std::abs(place.distance) +
                                          (rows - 1) * place.row_stride +
                                          (cols - 1) * place.col_stride + 3 * kMargin)) {
        for (std::size_t i = 0; i < memory.size(); ++i) {
            memory[i] = first + static_cast<T>(i);
        }
        const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        T* start = memory.data() + (64 - address % 64) / sizeof(T) + kMargin + place.shift;
        for (int l = 0; l < kLanes; ++l) {
            const std::int64_t turn = place.distance < 0 ? l - kLanes + 1 : l;
            at[l] = reinterpret_cast<std::byte*>(start + turn * place.distance);
        }
    }
    [[nodiscard]] T& entry(int lane, const Place& place, std::int64_t r, std::int64_t c) {
        return reinterpret_cast<T*>(at[lane])[r * place.row_stride + c * place.col_stride];
    }
};

template <typename T>
struct Transfer : testing::Test {
    static constexpr ScalarType kType =
        sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;
    alignas(64) T compact[static_cast<std::size_t>(40 * 9 * kLanes)] = {};

    detail::View view(std::int64_t rows, std::int64_t cols) {
        return detail::row_major(reinterpret_cast<std::byte*>(compact), kType, rows, cols, kLanes);
    }
    T& element(std::int64_t e, int lane) {
        return compact[static_cast<std::size_t>(e * kLanes + lane)];
    }
};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Transfer, Types);

TYPED_TEST(Transfer, GathersEveryEntryOfEveryLane) {
    using T = TypeParam;
    for (const std::int64_t rows : {1, 2, 3, 5, 8, 17, 40}) {
        for (const std::int64_t cols : {1, 2, 3, 4, 7, 9}) {
            for (const Place& place : places(rows, cols)) {
                Tile<T> tile(place, rows, cols, 0);
                detail::lane_pack(tile.at, place.row_stride, place.col_stride,
                                  this->view(rows, cols));
                for (std::int64_t e = 0; e < rows * cols; ++e) {
                    for (int l = 0; l < kLanes; ++l) {
                        ASSERT_EQ(this->element(e, l), tile.entry(l, place, e / cols, e % cols))
                            << rows << " by " << cols << ", entry " << e << " of lane " << l;
                    }
                }
            }
        }
    }
}

TYPED_TEST(Transfer, ScattersEveryEntryAndNothingElse) {
    using T = TypeParam;
    for (const std::int64_t rows : {1, 2, 3, 5, 8, 16, 17, 40}) {
        for (const std::int64_t cols : {1, 2, 3, 4, 7, 8, 9}) {
            for (std::int64_t e = 0; e < rows * cols; ++e) {
                for (int l = 0; l < kLanes; ++l) {
                    this->element(e, l) = static_cast<T>(-1 - (e * kLanes + l));
                }
            }
            for (const Place& place : places(rows, cols)) {
                for (const int lanes : {kLanes, kLanes - 1, 3, 1}) {
                    for (const bool stream : {false, true}) {
                        Tile<T> tile(place, rows, cols, 1);
                        std::vector<T> want = tile.memory;
                        for (std::int64_t e = 0; e < rows * cols; ++e) {
                            for (int l = 0; l < lanes; ++l) {
                                T& entry = tile.entry(l, place, e / cols, e % cols);
                                want[static_cast<std::size_t>(&entry - tile.memory.data())] =
                                    this->element(e, l);
                            }
                        }
                        detail::lane_unpack(this->view(rows, cols), lanes, tile.at,
                                            place.row_stride, place.col_stride, stream);
                        detail::lane_flush();
                        ASSERT_EQ(tile.memory, want)
                            << rows << " by " << cols << ", " << lanes << " lanes, distance "
                            << place.distance << ", stream " << stream;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
