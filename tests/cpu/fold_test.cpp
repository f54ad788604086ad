/// Folds of strips of every length, with NaN at every place.

#include "cpu/fold.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cpu/vector_math.hpp"

namespace matgrad::test {
namespace {

using detail::fold_rows;
using detail::fold_strip;
using detail::kStripRoom;

constexpr ReduceOp kOps[] = {ReduceOp::sum, ReduceOp::max, ReduceOp::product,
                             ReduceOp::signed_product};

/// Small whole numbers: sums are exact. For products powers of two.
template <typename T>
std::vector<T> numbers_for(ReduceOp op, std::int64_t count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        const auto term = static_cast<T>(i * 7 % 23 - 11);
        const T factor = i % 3 == 0 ? T(-2) : i % 3 == 1 ? T(0.5) : T(1);
        values[static_cast<std::size_t>(i)] =
            op == ReduceOp::sum || op == ReduceOp::max ? term : factor;
    }
    return values;
}

template <typename T>
T fold_naive(ReduceOp op, T start, const std::vector<T>& values, std::int64_t first,
             std::int64_t step) {
    for (auto i = first; i < static_cast<std::int64_t>(values.size()); i += step) {
        const T x = values[static_cast<std::size_t>(i)];
        start = op == ReduceOp::sum   ? start + x
                : op == ReduceOp::max ? std::max(start, x)
                                      : start * x;
    }
    return start;
}

template <typename T>
T start_of(ReduceOp op) {
    return op == ReduceOp::sum   ? T(0)
           : op == ReduceOp::max ? -std::numeric_limits<T>::infinity()
                                 : T(1);
}

template <typename T>
class Fold : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Fold, Types);

TYPED_TEST(Fold, OfAStripMatchesALoopAtEveryLength) {
    for (const ReduceOp op : kOps) {
        for (std::int64_t count = 0; count <= 150; ++count) {
            // Exactly as long: nothing beyond it is read.
            const std::vector<TypeParam> values = numbers_for<TypeParam>(op, count);
            EXPECT_EQ(fold_strip(op, values.data(), count),
                      fold_naive(op, start_of<TypeParam>(op), values, 0, 1))
                << "op " << static_cast<int>(op) << " of " << count;
        }
    }
}

TYPED_TEST(Fold, OfRowsGoesOnFromWhatIsThere) {
    for (const ReduceOp op : kOps) {
        for (const std::int64_t rows : {0, 1, 3, 4, 5, 9}) {
            for (const std::int64_t width : {1, 3, 15, 16, 17, 40}) {
                const std::vector<TypeParam> values = numbers_for<TypeParam>(op, rows * width);
                std::vector<TypeParam> folds(static_cast<std::size_t>(width + kStripRoom), 4);
                fold_rows(op, folds.data(), values.data(), rows, width);
                for (std::int64_t c = 0; c < width; ++c) {
                    ASSERT_EQ(folds[static_cast<std::size_t>(c)],
                              fold_naive(op, TypeParam(4), values, c, width))
                        << "op " << static_cast<int>(op) << " " << rows << "x" << width;
                }
            }
        }
    }
}

TYPED_TEST(Fold, OfMaximaKeepsNanWhereverItIs) {
    for (std::int64_t count = 1; count <= 70; ++count) {
        for (std::int64_t at = 0; at < count; ++at) {
            std::vector<TypeParam> values(static_cast<std::size_t>(count), 1);
            values[static_cast<std::size_t>(at)] = std::numeric_limits<TypeParam>::quiet_NaN();
            EXPECT_TRUE(std::isnan(fold_strip(ReduceOp::max, values.data(), count)));
            std::vector<TypeParam> folds(2 + kStripRoom, 0);
            fold_rows(ReduceOp::max, folds.data(), values.data(), count / 2, 2);
            for (std::int64_t c = 0; c < 2; ++c) {
                EXPECT_EQ(std::isnan(folds[static_cast<std::size_t>(c)]),
                          at % 2 == c && at / 2 < count / 2);
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
