/// Functions whose problems are one kernel's, on every team that such a kernel may have, against the oracle.

#include <gtest/gtest.h>

#include <functional>
#include <iostream>

#include "road/road_check.hpp"
#include "support/cookbook.hpp"
#include "support/environment.hpp"

namespace matgrad {
namespace {

using test::Environment;

/// Threads of a team; 0: as the executor chooses. A team that cannot have a problem is the next larger one.
constexpr int kTeams[] = {0, 1, 32, 64, 128, 256};

/// Where steps fuse: false for the one reason why they may not.
bool fuses(const std::function<void()>& run, const std::string& reason) {
    try {
        run();
        return true;
    } catch (const UnsupportedError& error) {
        EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
        return false;
    }
}

int expect_row_of(bool is_double, const Expr& f, const std::string& wrt, const Case& c) {
    return is_double ? expect_row<double>(f, wrt, c, Accuracy::robust)
                     : expect_row<float>(f, wrt, c, Accuracy::robust);
}

struct FourFunction {
    const char* f;
    const char* wrt;
    const char* declarations;
};
constexpr FourFunction kFour[] = {{"logdet(X'*X)", "X", "X=m,n"},
                                  {"0.5*norm2(X*A')^2", "X", "X=m,n A=p,n"},
                                  {"norm2(A*x - b)^2", "x", "A=m,n x=n b=m"},
                                  {"tr(A*X*B)", "X", "A=p,m X=m,n B=n,p"}};

/// Sizes around those at which a primitive takes another way, and tall matrices.
std::vector<Sizes> sizes_of_four() {
    std::vector<Sizes> all;
    for (const std::int64_t n :
         {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 80, 96, 97, 128}) {
        all.push_back({{"m", n + n / 4}, {"n", n}, {"p", n / 2 + 1}});
    }
    for (const auto& [m, n] :
         {std::pair(300, 5), std::pair(1000, 3), std::pair(257, 16), std::pair(128, 1)}) {
        all.push_back({{"m", m}, {"n", n}, {"p", 3}});
    }
    return all;
}

TEST(FusedFunctions, OfTheFourAgreeWithTheOracleAtEverySizeOnEveryTeam) {
    const auto every = static_cast<std::size_t>(test_device().every);
    std::size_t number = 0;
    int tried = 0;
    int fitted = 0;
    int compared = 0;
    for (const Sizes& sizes : sizes_of_four()) {
        for (const FourFunction& function : kFour) {
            for (const int team : kTeams) {
                // A small problem has nothing to do for the threads of large teams.
                if (team > 32 && sizes.at("m") * sizes.at("n") < 2 * team) {
                    continue;
                }
                if (number++ % every != every / 2) {
                    continue;
                }
                SCOPED_TRACE(testing::Message() << "teams of " << team << ", m " << sizes.at("m")
                                                << " n " << sizes.at("n"));
                const Environment environment(
                    {{"MATGRAD_GPU_FUSED_THREADS", std::to_string(team).c_str()}});
                const Expr f = parse(function.f, parse_declarations(function.declarations));
                const Case c{sizes, number % 3 == 0 ? Batched::variable : Batched::all, 3};
                ++tried;
                const auto run = [&] {
                    compared += expect_row_of(number % 2 == 0, f, function.wrt, c);
                };
                fitted += fuses(run, "bytes on chip") ? 1 : 0;
                if (HasFailure()) {
                    return;
                }
            }
        }
    }
    std::cout << tried << " tried, " << fitted << " fit, " << compared << " problems compared\n";
    EXPECT_GE(fitted, tried * 3 / 4);
    EXPECT_GE(compared, 2 * fitted);
}

TEST(FusedRows, AgreeWithTheOracleOnEveryTeam) {
    const Sizes sizes = {{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}};
    const auto every = static_cast<std::size_t>(test_device().every);
    std::size_t number = 0;
    int tried = 0;
    int fused = 0;
    int compared = 0;
    for (const CookbookRow& row : read_cookbook()) {
        const Expr f = parse(row.f, row.declarations);
        for (const int team : kTeams) {
            if (team == 0 || number++ % every != every / 2) {
                continue;
            }
            SCOPED_TRACE(testing::Message() << "teams of " << team);
            const Environment environment(
                {{"MATGRAD_GPU_FUSED_THREADS", std::to_string(team).c_str()}});
            // The operands shared in turn, and sums over the batch.
            constexpr Batched kBatched[] = {Batched::all, Batched::variable, Batched::others};
            const Case c{sizes, kBatched[number % 3], 9};
            ++tried;
            const auto run = [&] {
                if (c.batched == Batched::others) {
                    Case reduced = c;
                    reduced.reduction = number % 2 == 0 ? Reduction::sum : Reduction::mean;
                    compared += number % 4 < 2 ? expect_reduced_row<double>(f, row.wrt, reduced)
                                               : expect_reduced_row<float>(f, row.wrt, reduced);
                } else {
                    compared += expect_row_of(number % 4 < 2, f, row.wrt, c) > 0 ? 1 : 0;
                }
            };
            // A sum of what all problems share, or of products alone.
            fused += fuses(run, "no step is done for each problem") ? 1 : 0;
            if (HasFailure()) {
                return;
            }
        }
    }
    std::cout << tried << " tried, " << fused << " fused, " << compared << " compared\n";
    EXPECT_GE(fused, tried * 9 / 10);
    EXPECT_GE(compared, fused * 3 / 4);
}

}  // namespace
}  // namespace matgrad
