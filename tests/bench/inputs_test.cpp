#include "bench/inputs.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/test_data.hpp"

namespace matgrad::bench {
namespace {

using Eigen::MatrixXd;

Declaration declared(const std::string& text) {
    return parse_declaration(text);
}

TEST(Inputs, AreTheNumbersThatEveryImplementationGives) {
    std::ifstream file(source_file("tests/bench/inputs.tsv"));
    std::string line;
    std::getline(file, line);
    int rows = 0;
    for (; std::getline(file, line); ++rows) {
        std::istringstream cells(line);
        std::string name;
        std::uint64_t k = 0;
        double expected = 0;
        ASSERT_TRUE(cells >> name >> k >> expected) << line;
        EXPECT_EQ(Stream(name).at(k), expected) << line;
    }
    EXPECT_EQ(rows, 10);
}

TEST(Inputs, LieInTheirRangeAndDifferByNameProblemAndSeed) {
    const MatrixXd m = input(declared("X=m,n"), 30, 40, 0);
    EXPECT_GE(m.minCoeff(), -1);
    EXPECT_LT(m.maxCoeff(), 1);
    EXPECT_NE(m, input(declared("X=m,n"), 30, 40, 1));
    EXPECT_NE(m, input(declared("Y=m,n"), 30, 40, 0));
    EXPECT_NE(Stream("X", 1).at(0), Stream("X", 2).at(0));
    // The mean of 1200 uniform numbers has a deviation of 1/sqrt(3*1200).
    EXPECT_LT(std::abs(m.mean()), 4 / std::sqrt(3.0 * 1200));
}

TEST(Inputs, OfAProblemFollowThoseOfTheOneBefore) {
    const MatrixXd second = input(declared("X=m,n"), 2, 3, 1);
    EXPECT_EQ(second(0, 0), Stream("X").at(6));
    EXPECT_EQ(second(1, 2), Stream("X").at(11));
}

TEST(Inputs, HaveTheStructureThatIsDeclared) {
    const MatrixXd m = input(declared("A=n,n"), 5, 5, 3);
    const MatrixXd unit = MatrixXd::Identity(5, 5);
    EXPECT_EQ(input(declared("A=n,n:sym"), 5, 5, 3), (m + m.transpose()) / 2);
    EXPECT_TRUE(
        input(declared("A=n,n:spd"), 5, 5, 3).isApprox(m * m.transpose() / 5 + unit, 1e-15));
    EXPECT_EQ(input(declared("A=n,n:diag"), 5, 5, 3),
              MatrixXd((m.diagonal().array() + 2).matrix().asDiagonal()));
    EXPECT_EQ(input(declared("A=n,n:lower"), 5, 5, 3),
              MatrixXd((m + 2 * unit).triangularView<Eigen::Lower>()));
    EXPECT_EQ(input(declared("A=n,n:upper"), 5, 5, 3),
              MatrixXd((m + 2 * unit).triangularView<Eigen::Upper>()));
    const MatrixXd q = input(declared("A=n,n:orth"), 5, 5, 3);
    EXPECT_TRUE((q.transpose() * q).isApprox(unit, 1e-14));
    EXPECT_EQ(input(declared("t=1"), 1, 1, 4)(0, 0), Stream("t").at(4) + 2);
}

TEST(Inputs, FilledInAreTheSameRoundedToTheType) {
    for (const char* text : {"X=m,n", "X=n,n:spd", "X=1"}) {
        const Declaration declaration = declared(text);
        const std::int64_t n = declaration.shape.is_scalar() ? 1 : 4;
        std::vector<float> filled(static_cast<std::size_t>(3 * n * n));
        fill_inputs(declaration, n, n, 3, ScalarType::float32, filled.data());
        for (std::int64_t p = 0; p < 3; ++p) {
            const MatrixXd expected = input(declaration, n, n, p);
            for (std::int64_t e = 0; e < n * n; ++e) {
                EXPECT_EQ(filled[static_cast<std::size_t>(p * n * n + e)],
                          static_cast<float>(expected(e / n, e % n)))
                    << text;
            }
        }
    }
}

TEST(Inputs, OfMoreEntriesThanOneThreadFillsAreTheSame) {
    constexpr std::int64_t kCount = 20000;
    std::vector<double> filled(kCount);
    fill_inputs(declared("x=n"), 10, 1, kCount / 10, ScalarType::float64, filled.data());
    for (std::int64_t k = 0; k < kCount; ++k) {
        ASSERT_EQ(filled[static_cast<std::size_t>(k)],
                  Stream("x").at(static_cast<std::uint64_t>(k)));
    }
}

TEST(Directions, StayWithinTheStructure) {
    const MatrixXd m = direction(declared("A=n,n"), 5, 5, 2);
    EXPECT_EQ(m(1, 3), Stream("dA").at(2 * 25 + 8));
    EXPECT_EQ(direction(declared("A=n,n:spd"), 5, 5, 2), (m + m.transpose()) / 2);
    EXPECT_EQ(direction(declared("A=n,n:lower"), 5, 5, 2),
              MatrixXd(m.triangularView<Eigen::Lower>()));
    EXPECT_EQ(direction(declared("A=n,n:diag"), 5, 5, 2), MatrixXd(m.diagonal().asDiagonal()));
    EXPECT_EQ(direction(declared("A=n,n:orth"), 5, 5, 2), m);
    EXPECT_EQ(direction(declared("t=1"), 1, 1, 0)(0, 0), Stream("dt").at(0));
}

}  // namespace
}  // namespace matgrad::bench
