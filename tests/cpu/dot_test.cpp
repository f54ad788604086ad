/// Sums of entries, squares and products against long double, in every memory order.

#include "cpu/dot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace matgrad::test {
namespace {

using detail::Dot;
using detail::kLanes;
using detail::Terms;
using detail::View;

enum class Lie {
    rows,
    columns,
    padded_rows,
    padded_columns,
    strided,
    reversed,
    one_row,
    one_column
};
constexpr Lie kLies[] = {Lie::rows,    Lie::columns,  Lie::padded_rows, Lie::padded_columns,
                         Lie::strided, Lie::reversed, Lie::one_row,     Lie::one_column};

/// A matrix in memory of its own, NaN where no entry is.
class Operand {
public:
    Operand(ScalarType type, std::int64_t m, std::int64_t n, Lie lie, int lanes, unsigned seed)
        : view_{nullptr, type, lanes, m, n, n, 1} {
        std::int64_t first = 0;
        switch (lie) {
            case Lie::rows:
                break;
            case Lie::columns:
                set(1, m);
                break;
            case Lie::padded_rows:
                set(n + 3, 1);
                break;
            case Lie::padded_columns:
                set(1, m + 5);
                break;
            case Lie::strided:
                set(2 * n + 1, 2);
                break;
            case Lie::reversed:
                first = m * n - 1;
                set(-n, -1);
                break;
            case Lie::one_row:
                set(0, 1);
                break;
            case Lie::one_column:
                set(1, 0);
                break;
        }
        const auto numbers = static_cast<std::size_t>((2 * n + 6) * (m + 6) * lanes);
        const auto fill = [&](auto& memory) {
            using T = typename std::decay_t<decltype(memory)>::value_type;
            memory.assign(numbers, std::numeric_limits<T>::quiet_NaN());
            std::mt19937 engine(seed);
            std::uniform_real_distribution<T> draw(-1, 1);
            view_.data = reinterpret_cast<std::byte*>(memory.data() + first * lanes);
            for (std::int64_t r = 0; r < m; ++r) {
                for (std::int64_t c = 0; c < n; ++c) {
                    for (int l = 0; l < lanes; ++l) {
                        reinterpret_cast<T*>(view_.at(r, c))[l] = draw(engine);
                    }
                }
            }
        };
        if (type == ScalarType::float32) {
            fill(floats_);
        } else {
            fill(doubles_);
        }
    }

    [[nodiscard]] const View& view() const { return view_; }
    [[nodiscard]] long double get(std::int64_t r, std::int64_t c, int lane) const {
        const int l = view_.lanes == 1 ? 0 : lane;
        return view_.type == ScalarType::float32
                   ? static_cast<long double>(reinterpret_cast<const float*>(view_.at(r, c))[l])
                   : static_cast<long double>(reinterpret_cast<const double*>(view_.at(r, c))[l]);
    }

private:
    void set(std::int64_t row_stride, std::int64_t col_stride) {
        view_.row_stride = row_stride;
        view_.col_stride = col_stride;
    }

    View view_;
    std::vector<float> floats_;
    std::vector<double> doubles_;
};

long double unit(ScalarType type) {
    return type == ScalarType::float32 ? 0x1p-24L : 0x1p-53L;
}

struct Types {
    ScalarType terms, a, b;
};
constexpr ScalarType kFloat = ScalarType::float32;
constexpr ScalarType kDouble = ScalarType::float64;
constexpr Types kAllTypes[] = {{kFloat, kFloat, kFloat},
                               {kDouble, kFloat, kFloat},
                               {kDouble, kFloat, kDouble},
                               {kDouble, kDouble, kFloat},
                               {kDouble, kDouble, kDouble}};
struct Shape {
    std::int64_t m, n;
};
constexpr Shape kShapes[] = {{0, 3}, {1, 1}, {3, 2},   {4, 4},   {1, 37}, {41, 1},
                             {7, 9}, {8, 4}, {16, 16}, {33, 70}, {70, 33}};

void check(Terms terms, const Types& types, const Operand& a, const Operand& b, int lanes) {
    const Dot dot{terms, a.view(), b.view(), types.terms};
    ASSERT_TRUE(detail::is_dot(dot, lanes));
    double got[kLanes];
    if (lanes == 1) {
        got[0] = detail::sum_of(dot);
    } else {
        detail::sum_of_lanes(dot, got);
    }
    for (int l = 0; l < lanes; ++l) {
        long double want = 0;
        long double sizes = 0;
        for (std::int64_t r = 0; r < a.view().rows; ++r) {
            for (std::int64_t c = 0; c < a.view().cols; ++c) {
                const long double x = a.get(r, c, l);
                const long double term = terms == Terms::entries   ? x
                                         : terms == Terms::squares ? x * x
                                                                   : x * b.get(r, c, l);
                want += term;
                sizes += std::abs(term);
            }
        }
        // One rounding for the product, and one for each addition a term takes part in.
        const auto count = static_cast<long double>(a.view().count());
        ASSERT_LE(std::abs(got[l] - want), (count + 1) * unit(types.terms) * sizes)
            << "lane " << l << ": " << got[l] << " for " << static_cast<double>(want);
    }
}

void check_all(int lanes, int lanes_of_a, int lanes_of_b, bool products_alone) {
    for (const Types& types : kAllTypes) {
        for (const Shape& shape : kShapes) {
            for (const Lie of_a : kLies) {
                for (const Lie of_b : kLies) {
                    SCOPED_TRACE("types " + std::to_string(static_cast<int>(types.terms)) +
                                 std::to_string(static_cast<int>(types.a)) +
                                 std::to_string(static_cast<int>(types.b)) + " shape " +
                                 std::to_string(shape.m) + "x" + std::to_string(shape.n) +
                                 " lies " + std::to_string(static_cast<int>(of_a)) +
                                 std::to_string(static_cast<int>(of_b)));
                    const Operand a(types.a, shape.m, shape.n, of_a, lanes_of_a, 1);
                    const Operand b(types.b, shape.m, shape.n, of_b, lanes_of_b, 2);
                    check(Terms::products, types, a, b, lanes);
                    if (!products_alone && of_b == Lie::rows) {
                        check(Terms::entries, types, a, b, lanes);
                        check(Terms::squares, types, a, b, lanes);
                    }
                    ASSERT_FALSE(testing::Test::HasFailure());
                }
            }
        }
    }
}

TEST(Dot, MatchesLoopsInEveryOrderAndType) {
    check_all(1, 1, 1, false);
}
TEST(Dot, MatchesLoopsInEveryLane) {
    check_all(kLanes, kLanes, kLanes, false);
}
TEST(Dot, TakesASharedOperandOnEitherSide) {
    check_all(kLanes, kLanes, 1, true);
    check_all(kLanes, 1, kLanes, true);
}

TEST(Dot, CombinesTheBlocksOfLongRows) {
    for (const Types& types : kAllTypes) {
        for (const int lanes : {1, kLanes}) {
            for (const Lie of_b : {Lie::rows, Lie::padded_rows, Lie::columns}) {
                const Operand a(types.a, 3, 4500, Lie::rows, lanes, 1);
                const Operand b(types.b, 3, 4500, of_b, lanes, 2);
                check(Terms::products, types, a, b, lanes);
            }
        }
    }
}

TEST(Dot, LeavesWhatItCannotComputeToOthers) {
    const Operand narrow(kFloat, 2, 2, Lie::rows, 1, 1);
    const Operand wide(kDouble, 2, 2, Lie::rows, 1, 1);
    EXPECT_FALSE(detail::is_dot({Terms::entries, wide.view(), {}, kFloat}, 1));
    EXPECT_FALSE(detail::is_dot({Terms::products, narrow.view(), wide.view(), kFloat}, 1));
    EXPECT_FALSE(detail::is_dot({Terms::products, wide.view(), wide.view(), kDouble}, kLanes));
}

TEST(Dot, NanAndInfinityReachTheSumOfTheirOwnLaneAlone) {
    for (const double value : {std::nan(""), HUGE_VAL}) {
        for (std::int64_t at = 0; at < 35; ++at) {
            std::vector<double> plain(35, 1.0);
            plain[static_cast<std::size_t>(at)] = value;
            const View row =
                detail::row_major(reinterpret_cast<std::byte*>(plain.data()), kDouble, 5, 7, 1);
            const double sum = detail::sum_of({Terms::entries, row, {}, kDouble});
            EXPECT_FALSE(std::isfinite(sum));
            EXPECT_EQ(std::isnan(sum), std::isnan(value));
            std::vector<float> lanes(35 * kLanes, 1.0F);
            lanes[static_cast<std::size_t>(at * kLanes + 3)] = static_cast<float>(value);
            const View tile =
                detail::row_major(reinterpret_cast<std::byte*>(lanes.data()), kFloat, 5, 7, kLanes);
            double sums[kLanes];
            detail::sum_of_lanes({Terms::squares, tile, {}, kFloat}, sums);
            for (int l = 0; l < kLanes; ++l) {
                EXPECT_EQ(sums[l] == 35, l != 3);
            }
        }
    }
}

TEST(Dot, ErrorsDoNotGrowWithTheNumberOfTerms) {
    // Blocks of 4096 terms are summed in float, at least four partial sums to a block: at most 1024
    // additions in a row and two to combine them. One sum of all terms would be off by percents.
    constexpr std::int64_t kTerms = 1 << 24;
    std::vector<float> numbers(kTerms, 0.1F);
    const View row =
        detail::row_major(reinterpret_cast<std::byte*>(numbers.data()), kFloat, 4096, 4096, 1);
    const long double want = static_cast<long double>(0.1F) * kTerms;
    const double got = detail::sum_of({Terms::entries, row, {}, kFloat});
    EXPECT_LE(std::abs(got - want), 1026 * unit(kFloat) * want);
}

}  // namespace
}  // namespace matgrad::test
