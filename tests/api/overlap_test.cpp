// Overlap of strided views, against listing every address.

#include "api/overlap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace matgrad::detail {
namespace {

std::multiset<std::int64_t> addresses(const Region& r) {
    std::multiset<std::int64_t> all;
    for (std::int64_t i = 0; i < r.rows; ++i) {
        for (std::int64_t j = 0; j < r.cols; ++j) {
            for (std::int64_t k = 0; k < r.batch; ++k) {
                all.insert(r.address + i * r.row_stride + j * r.col_stride + k * r.batch_stride);
            }
        }
    }
    return all;
}

bool meet(const Region& a, const Region& b) {
    const auto left = addresses(a);
    for (const std::int64_t address : addresses(b)) {
        if (left.count(address) != 0) {
            return true;
        }
    }
    return false;
}

bool repeats(const Region& a) {
    const auto all = addresses(a);
    return std::set<std::int64_t>(all.begin(), all.end()).size() != all.size();
}

Region random_region(std::mt19937_64& engine) {
    const auto draw = [&](std::int64_t low, std::int64_t high) {
        return low +
               static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
    };
    return {draw(1000, 1040), draw(0, 4),    draw(0, 4),   draw(0, 4),
            draw(-12, 12),    draw(-12, 12), draw(-30, 30)};
}

TEST(Overlap, OfRandomViewsIsWhatListingEveryAddressFinds) {
    std::mt19937_64 engine(5);
    int shared = 0;
    for (int trial = 0; trial < 20000; ++trial) {
        const Region a = random_region(engine);
        const Region b = random_region(engine);
        ASSERT_EQ(share_an_address(a, b), meet(a, b)) << "trial " << trial;
        shared += meet(a, b) ? 1 : 0;
    }
    EXPECT_GT(shared, 1000);  // both answers occur
    EXPECT_LT(shared, 19000);
}

TEST(Overlap, OfAViewWithItselfIsWhatListingEveryAddressFinds) {
    std::mt19937_64 engine(6);
    int repeated = 0;
    for (int trial = 0; trial < 20000; ++trial) {
        const Region a = random_region(engine);
        ASSERT_EQ(repeats_an_address(a), repeats(a)) << "trial " << trial;
        const std::multiset<std::int64_t> all = addresses(a);
        const Bounds bounds = bounds_of(a).value();
        ASSERT_EQ(bounds.first, all.empty() ? 0 : *all.begin()) << "trial " << trial;
        ASSERT_EQ(bounds.last, all.empty() ? -1 : *all.rbegin()) << "trial " << trial;
        repeated += repeats(a) ? 1 : 0;
    }
    EXPECT_GT(repeated, 1000);
    EXPECT_LT(repeated, 19000);
}

TEST(Overlap, LeftAndRightHalfOfOneArrayShareNothing) {
    // 1000 problems of 64 rows, 32 columns each, in rows of 64.
    const Region left{0, 64, 32, 1000, 64, 1, 64 * 64};
    Region right = left;
    right.address = 32;
    EXPECT_FALSE(share_an_address(left, right));
    right.address = 31;
    EXPECT_TRUE(share_an_address(left, right));
}

TEST(Overlap, OfLongInterleavedBatchesIsExact) {
    // Records of a 5x4 matrix and a 4x3 one; and the halves of rows, in any number of problems.
    for (const std::int64_t batch : {1'000, 100'000, 10'000'000}) {
        const Region matrix{0, 5, 4, batch, 4, 1, 32};
        Region other{20, 4, 3, batch, 3, 1, 32};
        EXPECT_FALSE(share_an_address(matrix, other)) << batch;
        other.address = 19;
        EXPECT_TRUE(share_an_address(matrix, other)) << batch;
        const Region left{0, 64, 32, batch, 64, 1, 64 * 64};
        Region right = left;
        right.address = 32;
        EXPECT_FALSE(share_an_address(left, right)) << batch;
        EXPECT_FALSE(repeats_an_address(left)) << batch;
    }
}

TEST(Overlap, EmptyViewsShareNothing) {
    const Region some{0, 4, 4, 4, 4, 1, 16};
    const Region none{0, 4, 0, 4, 4, 1, 16};
    EXPECT_FALSE(share_an_address(some, none));
    EXPECT_FALSE(repeats_an_address(none));
}

TEST(Overlap, ViewsThatLeaveTheAddressSpaceAreNotAddressable) {
    const std::int64_t huge = std::int64_t{1} << 62;
    EXPECT_TRUE(bounds_of({100, 2, 2, 2, 2, 1, 4}));
    EXPECT_FALSE(bounds_of({100, 3, 2, 2, huge, 1, 4}));
    EXPECT_FALSE(bounds_of({100, 200, 1, 1, -1, 1, 4}));
    EXPECT_TRUE(bounds_of({100, 0, 1, 1, huge, huge, huge}));  // nothing is read
}

}  // namespace
}  // namespace matgrad::detail
