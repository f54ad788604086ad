/// Products of many small problems against their definition, in every instruction set: past every edge of vector,
/// strip and panel, of every order in memory, and within the memory they are given.
///
/// Bound: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., (3.5).

#include "cpu/plain/gemm_batch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "cpu/scratch.hpp"

namespace matgrad::test {
namespace {

using detail::View;

/// Matrices that lie one behind the other, by rows or by columns, with a guard behind the last one.
class Batch {
public:
    Batch(ScalarType type, std::int64_t count, std::int64_t rows, std::int64_t cols, bool by_rows,
          std::uint32_t seed)
        : type_(type), count_(count), rows_(rows), cols_(cols), by_rows_(by_rows) {
        const auto numbers = static_cast<std::size_t>(count * rows * cols);
        memory_.resize((numbers + 2 * kLine) * 8);
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
        begin_ = memory_.data() + (kLine - address % kLine) % kLine;
        std::mt19937 random(seed);
        std::uniform_real_distribution<double> number(-1, 1);
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(numbers); ++i) {
            set(i, number(random));
        }
        for (std::size_t i = 0; i < kLine; ++i) {
            begin_[bytes() + static_cast<std::int64_t>(i)] = kGuard;
        }
    }

    [[nodiscard]] View view() const {
        View v = detail::row_major(begin_, type_, rows_, cols_, 1);
        if (!by_rows_) {
            v.row_stride = 1;
            v.col_stride = rows_;
        }
        return v;
    }
    [[nodiscard]] std::int64_t step() const { return rows_ * cols_ * size_of(type_); }
    [[nodiscard]] long double at(std::int64_t problem, std::int64_t r, std::int64_t c) const {
        const View v = view();
        const std::int64_t i = problem * rows_ * cols_ + r * v.row_stride + c * v.col_stride;
        return type_ == ScalarType::float32 ? reinterpret_cast<const float*>(begin_)[i]
                                            : reinterpret_cast<const double*>(begin_)[i];
    }
    [[nodiscard]] bool intact() const {
        for (std::size_t i = 0; i < kLine; ++i) {
            if (begin_[bytes() + static_cast<std::int64_t>(i)] != kGuard) {
                return false;
            }
        }
        return true;
    }

private:
    static constexpr std::size_t kLine = 64;
    static constexpr std::byte kGuard{0x5a};

    [[nodiscard]] std::int64_t bytes() const { return count_ * step(); }
    void set(std::int64_t i, double value) {
        if (type_ == ScalarType::float32) {
            reinterpret_cast<float*>(begin_)[i] = static_cast<float>(value);
        } else {
            reinterpret_cast<double*>(begin_)[i] = value;
        }
    }

    ScalarType type_;
    std::int64_t count_, rows_, cols_;
    bool by_rows_;
    std::vector<std::byte> memory_;
    std::byte* begin_ = nullptr;
};

struct Types {
    ScalarType data, compute, result;
};
constexpr ScalarType kFloat = ScalarType::float32;
constexpr ScalarType kDouble = ScalarType::float64;
constexpr Types kTypes[] = {{kFloat, kFloat, kFloat},
                            {kDouble, kDouble, kDouble},
                            {kFloat, kDouble, kDouble},
                            {kFloat, kDouble, kFloat}};

long double roundoff(ScalarType type) {
    return type == kFloat ? 0x1p-24L : 0x1p-53L;
}

struct Shape {
    std::int64_t rows, inner, cols;
};

struct Case {
    Types types;
    Shape shape;
    bool a_by_rows = true, b_by_rows = true, b_shared = false, lower_only = false, stream = false;
    double alpha = 1, beta = 0;
};

void check(const Case& c) {
    constexpr std::int64_t kProblems = 3;
    const auto [m, k, n] = c.shape;
    SCOPED_TRACE(testing::Message()
                 << m << " x " << k << " x " << n << " data " << size_of(c.types.data)
                 << " compute " << size_of(c.types.compute) << " result " << size_of(c.types.result)
                 << " by rows " << c.a_by_rows << c.b_by_rows << " shared " << c.b_shared
                 << " lower " << c.lower_only << " stream " << c.stream << " alpha " << c.alpha
                 << " beta " << c.beta);
    const Batch a(c.types.data, kProblems, m, k, c.a_by_rows, 1);
    const Batch b(c.types.data, c.b_shared ? 1 : kProblems, k, n, c.b_by_rows, 2);
    const Batch before(c.types.result, kProblems, m, n, true, 3);
    const Batch after(c.types.result, kProblems, m, n, true, 3);
    const std::int64_t bytes = detail::gemm_batch_bytes(m, k, n, c.types.compute);
    std::vector<std::byte> room(static_cast<std::size_t>(bytes + 64), std::byte{0x5a});
    detail::GemmBatch call;
    call.type = c.types.compute;
    call.alpha = c.alpha;
    call.beta = c.beta;
    call.a = a.view();
    call.b = b.view();
    call.c = after.view();
    call.a_step = a.step();
    call.b_step = c.b_shared ? 0 : b.step();
    call.c_step = after.step();
    call.lower_only = c.lower_only;
    call.stream = c.stream;
    call.room = room.data();
    detail::gemm_batch(call, kProblems);
    EXPECT_TRUE(after.intact());
    for (std::int64_t i = bytes; i < bytes + 64; ++i) {
        ASSERT_EQ(room[static_cast<std::size_t>(i)], std::byte{0x5a});
    }
    for (std::int64_t p = 0; p < kProblems; ++p) {
        for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < (c.lower_only ? std::min(n, i + 1) : n); ++j) {
                long double sum = 0;
                long double size = 0;
                for (std::int64_t l = 0; l < k; ++l) {
                    const long double term = a.at(p, i, l) * b.at(c.b_shared ? 0 : p, l, j);
                    sum += term;
                    size += std::abs(term);
                }
                const long double there = c.beta == 0 ? 0 : before.at(p, i, j);
                const long double exact = c.alpha * sum + c.beta * there;
                const long double scale = std::abs(c.alpha) * size + std::abs(c.beta * there);
                const long double bound =
                    (static_cast<long double>(k) + 3) * roundoff(c.types.compute) * scale +
                    roundoff(c.types.result) * std::abs(exact);
                ASSERT_LE(std::abs(after.at(p, i, j) - exact), bound) << p << " " << i << " " << j;
            }
        }
    }
}

constexpr Shape kShapes[] = {{2, 2, 2},    {3, 5, 7},    {7, 4, 8},    {12, 9, 16},  {13, 3, 17},
                             {16, 64, 16}, {17, 33, 31}, {32, 16, 32}, {33, 20, 33}, {64, 16, 48},
                             {5, 100, 2},  {100, 2, 5},  {24, 12, 12}, {9, 31, 65}};

TEST(GemmBatch, KeepsItsBoundForEveryShapeOrderAndType) {
    for (const Types& types : kTypes) {
        for (const Shape& shape : kShapes) {
            for (const bool a_by_rows : {true, false}) {
                for (const bool b_by_rows : {true, false}) {
                    check({types, shape, a_by_rows, b_by_rows});
                }
            }
        }
    }
}

TEST(GemmBatch, ScalesAndAdds) {
    for (const Types& types : kTypes) {
        for (const Shape& shape : kShapes) {
            check({types, shape, true, true, false, false, false, -0.5, 0});
            check({types, shape, true, true, false, false, false, 2, 0.25});
        }
    }
}

TEST(GemmBatch, ReadsASharedFactorForAllProblems) {
    for (const Types& types : kTypes) {
        for (const bool b_by_rows : {true, false}) {
            check({types, {13, 17, 19}, true, b_by_rows, true});
        }
    }
}

TEST(GemmBatch, MayLeaveOutWhatIsAboveTheDiagonal) {
    for (const Types& types : kTypes) {
        for (const std::int64_t n : {2, 7, 8, 15, 16, 17, 31, 33, 48}) {
            check({types, {n, 21, n}, false, true, false, true});
        }
    }
}

TEST(GemmBatch, WritesTheSameNumbersPastTheCaches) {
    for (const Types& types : kTypes) {
        // Rows of whole lines of the cache, and others.
        for (const std::int64_t n : {16, 32, 64, 8, 12, 33}) {
            check({types, {20, 9, n}, true, true, false, false, true});
        }
    }
}

TEST(GemmBatch, IsForWhatTheFirstLevelCacheHolds) {
    EXPECT_TRUE(detail::is_batch_gemm(64, 16, 16, kDouble));
    EXPECT_TRUE(detail::is_batch_gemm(32, 32, 32, kFloat));
    EXPECT_FALSE(detail::is_batch_gemm(128, 128, 128, kFloat));
    EXPECT_FALSE(detail::is_batch_gemm(2, 1000, 2, kFloat));
}

}  // namespace
}  // namespace matgrad::test
