#include "planner/chain_order.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "program/cost.hpp"

namespace matgrad::testing {
namespace {

ChainLink dense(std::int64_t rows, std::int64_t cols, std::uint64_t key,
                std::uint64_t transposed_key, bool shared = false) {
    return {LinkKind::dense, rows, cols, shared, key, transposed_key};
}

/// The cheapest bracketing by trying all of them.
double exhaustive(const std::vector<ChainLink>& links, int i, int j) {
    if (i == j) {
        return 0;
    }
    const auto at = [&](int k) { return links[static_cast<std::size_t>(k)]; };
    double best = std::numeric_limits<double>::infinity();
    for (int k = i; k < j; ++k) {
        best = std::min(best, exhaustive(links, i, k) + exhaustive(links, k + 1, j) +
                                  gemm_operations(at(i).rows, at(k).cols, at(j).cols));
    }
    return best;
}

TEST(ChainOrder, CostsWhatTheBestOfAllBracketsCosts) {
    const std::vector<std::vector<std::int64_t>> chains = {{30, 35, 15, 5, 10, 20, 25},
                                                           {1, 9, 9, 1},
                                                           {7, 7, 7, 7, 7},
                                                           {4, 0, 4, 2},
                                                           {100, 1, 100, 3, 8}};
    for (const auto& sizes : chains) {
        std::vector<ChainLink> links;
        for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
            links.push_back(dense(sizes[k], sizes[k + 1], 2 * k, 2 * k + 1));
        }
        const int last = static_cast<int>(links.size()) - 1;
        EXPECT_EQ(order_chain(links, 1).at(0, last).operations, exhaustive(links, 0, last));
    }
}

TEST(ChainOrder, OfTheTextbookChainIsKnown) {
    // Cormen et al., Introduction to Algorithms: 15,125 multiplications, split after the third.
    const std::int64_t sizes[] = {30, 35, 15, 5, 10, 20, 25};
    std::vector<ChainLink> links;
    for (std::size_t k = 0; k < 6; ++k) {
        links.push_back(dense(sizes[k], sizes[k + 1], 2 * k, 2 * k + 1));
    }
    const ChainOrder order = order_chain(links, 1);
    EXPECT_EQ(order.at(0, 5).operations, 2 * 15125);
    EXPECT_EQ(order.at(0, 5).split, 2);
}

TEST(ChainOrder, PrefersLeftToRightWhereCostsAreEqual) {
    const std::vector<ChainLink> links = {dense(6, 6, 1, 2), dense(6, 6, 3, 4), dense(6, 6, 5, 6)};
    EXPECT_EQ(order_chain(links, 1).at(0, 2).split, 1);
}

TEST(ChainOrder, SharedFactorsWeighOneOverTheBatch) {
    // X*A'*A with X 64x16 batched, A 32x16 shared.
    const std::vector<ChainLink> links = {dense(64, 16, 1, 2), dense(16, 32, 3, 4, true),
                                          dense(32, 16, 4, 3, true)};
    const ChainOrder order = order_chain(links, 1000);
    EXPECT_EQ(order.at(0, 2).join, Join::multiply);
    EXPECT_EQ(order.at(0, 2).split, 0);
    EXPECT_EQ(order.at(1, 2).join, Join::syrk);
    EXPECT_EQ(order.at(0, 2).operations, 2 * 64 * 16 * 16 + 16 * 17 * 32 / 1000.0);
}

TEST(ChainOrder, APalindromeCostsHalf) {
    const std::vector<ChainLink> links = {dense(16, 64, 1, 2), dense(64, 16, 2, 1)};
    EXPECT_EQ(order_chain(links, 1).at(0, 1).join, Join::syrk);
    EXPECT_EQ(order_chain(links, 1).at(0, 1).operations, 16 * 17 * 64);
}

TEST(ChainOrder, AnInverseIsASolveAndNotFormed) {
    std::vector<ChainLink> links = {dense(64, 16, 1, 2), {LinkKind::cholesky, 16, 16, false, 3, 3}};
    EXPECT_EQ(order_chain(links, 1).at(0, 1).join, Join::solve_right);
    EXPECT_EQ(order_chain(links, 1).at(0, 1).operations, 2 * 16 * 16 * 64);
    links = {{LinkKind::lu, 16, 16, false, 3, 4}, dense(16, 5, 1, 2)};
    EXPECT_EQ(order_chain(links, 1).at(0, 1).join, Join::solve_left);
}

TEST(ChainOrder, PowersAreTakenBySquaring) {
    const std::pair<int, int> products[] = {{2, 1}, {3, 2},  {4, 2}, {7, 4},
                                            {8, 3}, {15, 6}, {64, 6}};
    for (const auto& [power, count] : products) {
        const std::vector<ChainLink> links(static_cast<std::size_t>(power), dense(10, 10, 1, 2));
        EXPECT_EQ(order_chain(links, 1).at(0, power - 1).operations, 2000 * count) << power;
    }
}

TEST(ChainOrder, WhatIsThereAlreadyCostsNothing) {
    const std::vector<ChainLink> links = {dense(5, 50, 1, 2), dense(50, 50, 3, 4),
                                          dense(50, 50, 5, 6)};
    EXPECT_EQ(order_chain(links, 1).at(0, 2).split, 1);
    const ChainOrder known =
        order_chain(links, 1, [](int i, int j) { return i == 1 && j == 2 ? 0.0 : 1.0; });
    EXPECT_EQ(known.at(0, 2).split, 0);
}

}  // namespace
}  // namespace matgrad::testing
