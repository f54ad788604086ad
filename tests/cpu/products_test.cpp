/// Products in plain memory beyond one block: every part of them, whoever runs it.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gemv.hpp"
#include "cpu/plain/split.hpp"

namespace matgrad::test {
namespace {

using detail::Scratch;
using detail::View;

/// A matrix of small whole numbers, whose products are exact in either type.
struct Stored {
    std::vector<std::byte> memory;
    View view;

    Stored(ScalarType type, std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
           std::int64_t col_stride, unsigned seed)
        : memory(static_cast<std::size_t>(((rows - 1) * row_stride + (cols - 1) * col_stride + 1) *
                                          size_of(type))),
          view{memory.data(), type, 1, rows, cols, row_stride, col_stride} {
        std::mt19937 random(seed);
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < cols; ++c) {
                set(r, c, static_cast<double>(random() % 7) - 3);
            }
        }
    }
    [[nodiscard]] double get(std::int64_t r, std::int64_t c) const {
        return detail::with_type(view.type, [&](auto zero) -> double {
            return *reinterpret_cast<decltype(zero)*>(view.at(r, c));
        });
    }
    void set(std::int64_t r, std::int64_t c, double value) {
        detail::with_type(view.type, [&](auto zero) {
            using T = decltype(zero);
            *reinterpret_cast<T*>(view.at(r, c)) = static_cast<T>(value);
        });
    }
};

Stored stored(ScalarType type, std::int64_t rows, std::int64_t cols, bool transposed,
              unsigned seed) {
    return transposed ? Stored(type, rows, cols, 1, rows, seed)
                      : Stored(type, rows, cols, cols, 1, seed);
}

/// alpha * row r of a times column c of b, and beta times what was there.
double entry(double alpha, const Stored& a, const Stored& b, double beta, double before,
             std::int64_t r, std::int64_t c) {
    double sum = 0;
    for (std::int64_t k = 0; k < a.view.cols; ++k) {
        sum += a.get(r, k) * b.get(k, c);
    }
    return alpha * sum + beta * before;
}

/// Room for a copy of each, and a guard behind it.
struct Room {
    static constexpr std::size_t kGuard = 256;
    std::vector<std::byte> memory;
    std::byte* start;
    std::size_t bytes;

    explicit Room(std::int64_t needed)
        : memory(static_cast<std::size_t>(needed) + kGuard + 64, std::byte{0xff}),
          bytes(static_cast<std::size_t>(needed)) {
        void* at = memory.data();
        std::size_t space = memory.size();
        start = static_cast<std::byte*>(std::align(64, bytes + kGuard, at, space));
    }
    [[nodiscard]] Scratch scratch() const { return {start, static_cast<std::int64_t>(bytes)}; }
    [[nodiscard]] bool intact() const {
        for (std::size_t i = 0; i < kGuard; ++i) {
            if (start[bytes + i] != std::byte{0xff}) {
                return false;
            }
        }
        return true;
    }
};

void check_product(ScalarType type, std::int64_t m, std::int64_t n, std::int64_t k, bool a_turned,
                   bool b_turned, double alpha, double beta) {
    SCOPED_TRACE(testing::Message()
                 << m << " " << n << " " << k << (a_turned ? " a'" : " a")
                 << (b_turned ? " b'" : " b") << " double " << static_cast<int>(type));
    const Stored a = stored(type, m, k, a_turned, 1);
    const Stored b = stored(type, k, n, b_turned, 2);
    const Stored before = stored(type, m, n, false, 3);
    std::vector<std::byte> first;
    for (const int threads : {1, 2, 5}) {
        Stored c = before;
        c.view.data = c.memory.data();
        const Room room(a.view.count() * size_of(type) + b.view.count() * size_of(type) + 128);
        Scratch scratch = room.scratch();
        detail::split_gemm({threads}, alpha, a.view, b.view, beta, c.view, scratch);
        ASSERT_TRUE(room.intact());
        if (threads > 1) {
            ASSERT_EQ(c.memory, first) << threads << " threads";
            continue;
        }
        first = c.memory;
        for (std::int64_t r = 0; r < m; ++r) {
            // Whole rows near the edges of blocks, some entries of the others.
            const std::int64_t step = r < 2 || r + 2 >= m || r % 64 == 0 ? 1 : 37;
            for (std::int64_t j = r % step; j < n; j += step) {
                ASSERT_EQ(c.get(r, j), entry(alpha, a, b, beta, before.get(r, j), r, j))
                    << r << ", " << j;
            }
        }
    }
}

TEST(Product, IsExactForWholeNumbersAcrossBlocks) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        for (int bits = 0; bits < 4; ++bits) {
            const bool a_turned = (bits & 1) != 0;
            const bool b_turned = (bits & 2) != 0;
            check_product(type, 13, 35, 20, a_turned, b_turned, 1, 0);  // edges of strip and panel
            check_product(type, 5, 3, 600, a_turned, b_turned, 2, -1);  // stretches of the sum
            check_product(type, 300, 70, 300, a_turned, b_turned, 1, 1);  // blocks of rows
            check_product(type, 60, 1100, 530, a_turned, b_turned, -1,
                          0);  // of columns, all packed
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

TEST(Product, IsExactForWholeNumbersWhereABlasTakesThePanels) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        check_product(type, 769, 1030, 800, true, false, 1, -1);
        check_product(type, 1030, 769, 800, false, true, 2, 0);
    }
}

TEST(Product, ReadsAnyStrides) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        const Stored a(type, 90, 800, 2, 200, 1);
        const Stored b(type, 800, 40, 3, 2500, 2);
        Stored c(type, 90, 40, 47, 1, 3);
        const std::vector<std::byte> before = c.memory;
        const Room room((a.view.count() + b.view.count()) * size_of(type) + 128);
        Scratch scratch = room.scratch();
        detail::split_gemm({2}, 1, a.view, b.view, 0, c.view, scratch);
        ASSERT_TRUE(room.intact());
        for (std::int64_t r = 0; r < 90; ++r) {
            for (std::int64_t j = 0; j < 40; ++j) {
                ASSERT_EQ(c.get(r, j), entry(1, a, b, 0, 0, r, j)) << r << ", " << j;
            }
            if (r + 1 < 90) {
                const auto gap = static_cast<std::size_t>((r * 47 + 40) * size_of(type));
                const auto bytes = static_cast<std::size_t>(7 * size_of(type));
                ASSERT_EQ(std::memcmp(&c.memory[gap], &before[gap], bytes), 0) << "row " << r;
            }
        }
    }
}

TEST(Product, OfAMatrixWithItsTransposeIsSymmetricToTheBit) {
    std::mt19937 random(4);
    std::vector<float> numbers(64 * 50);
    for (float& x : numbers) {
        x = static_cast<float>(random()) / 4e9F - 0.5F;
    }
    for (const std::int64_t n : {3, 17, 33, 64}) {
        const View a = detail::row_major(reinterpret_cast<std::byte*>(numbers.data()),
                                         ScalarType::float32, n, 50, 1);
        Stored c(ScalarType::float32, n, n, n, 1, 5);
        const Room room(2 * n * 50 * 4 + 128);
        Scratch scratch = room.scratch();
        detail::Product(0.7, a, detail::transposed(a), 0, c.view, scratch).run();
        for (std::int64_t r = 0; r < n; ++r) {
            for (std::int64_t j = 0; j < r; ++j) {
                ASSERT_EQ(c.get(r, j), c.get(j, r)) << n << ": " << r << ", " << j;
            }
        }
    }
}

void check_vector(ScalarType type, std::int64_t m, std::int64_t k, bool turned, std::int64_t x_step,
                  std::int64_t y_step, double alpha, double beta) {
    SCOPED_TRACE(testing::Message()
                 << m << " by " << k << (turned ? ", turned" : "") << ", steps " << x_step << " "
                 << y_step << ", double " << static_cast<int>(type));
    const Stored a = stored(type, m, k, turned, 1);
    const Stored x(type, k, 1, x_step, 9, 2);
    const Stored before(type, m, 1, y_step, 9, 3);
    std::vector<std::byte> first;
    for (const int threads : {1, 2, 5}) {
        Stored y = before;
        y.view.data = y.memory.data();
        const Room room((m * k + m + k) * size_of(type) + 192);
        Scratch scratch = room.scratch();
        detail::split_gemv({threads}, alpha, a.view, x.view, beta, y.view, scratch);
        ASSERT_TRUE(room.intact());
        if (threads > 1) {
            ASSERT_EQ(y.memory, first) << threads << " threads";
            continue;
        }
        first = y.memory;
        for (std::int64_t r = 0; r < m; ++r) {
            ASSERT_EQ(y.get(r, 0), entry(alpha, a, x, beta, before.get(r, 0), r, 0)) << r;
        }
    }
}

TEST(VectorProduct, IsExactForWholeNumbersAtEveryShape) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        for (const bool turned : {false, true}) {
            for (const std::int64_t m : {1, 3, 8, 16, 17, 33, 64, 71}) {
                for (const std::int64_t k : {1, 2, 7, 8, 16, 31, 65, 130}) {
                    check_vector(type, m, k, turned, 1, 1, 1, 0);
                    check_vector(type, m, k, turned, 3, 2, -2, 1);
                    ASSERT_FALSE(testing::Test::HasFailure());
                }
            }
        }
    }
}

TEST(VectorProduct, IsExactForWholeNumbersInParts) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        for (const bool turned : {false, true}) {
            check_vector(type, 1000, 333, turned, 1, 1, 2, -1);
            check_vector(type, 70, 9001, turned, 1, 1, 1, 0);
            check_vector(type, 9001, 70, turned, 2, 1, 1, 0);
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

}  // namespace
}  // namespace matgrad::test
