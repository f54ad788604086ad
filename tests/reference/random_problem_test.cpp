#include "reference/random_problem.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace matgrad {
namespace {

using Eigen::MatrixXd;

constexpr double kEps = std::numeric_limits<double>::epsilon();
const Shape kSquare{Dim::named("n"), Dim::named("n")};
const std::map<std::string, std::int64_t> kDims{{"m", 9}, {"n", 7}};

MatrixXd value_of(Structure structure, std::uint64_t seed = 3) {
    const std::vector<Declaration> declarations{{"S", kSquare, structure}};
    return random_values(declarations, kDims, seed).at("S");
}

MatrixXd direction_of(Structure structure) {
    const std::vector<Declaration> declarations{{"S", kSquare, structure}};
    return random_directions(declarations, kDims, 3).at("S");
}

double distance_from_normal_moments(const MatrixXd& m) {
    const double mean = m.mean();
    const double variance = (m.array() - mean).square().mean();
    return std::max(std::abs(mean), std::abs(variance - 1) / std::sqrt(2.0)) *
           std::sqrt(static_cast<double>(m.size()));
}

TEST(RandomValues, OfAGeneralMatrixAreStandardNormal) {
    const MatrixXd m = random_value(Structure::general, 300, 200, 1);
    EXPECT_LE(distance_from_normal_moments(m), 5);  // five standard deviations of either moment
    const double share = (m.array().abs() < 1).cast<double>().mean();
    EXPECT_NEAR(share, std::erf(std::sqrt(0.5)), 5 * 0.5 / std::sqrt(60000.0));
    EXPECT_LT(m.cwiseAbs().maxCoeff(), 7);
}

TEST(RandomValues, HonourTheDeclaredStructure) {
    const MatrixXd symmetric = value_of(Structure::symmetric);
    EXPECT_EQ(symmetric, symmetric.transpose());

    const MatrixXd positive = value_of(Structure::positive);
    EXPECT_EQ(positive, positive.transpose());
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(positive, Eigen::EigenvaluesOnly);
    EXPECT_GE(solver.eigenvalues().minCoeff(), 1 - 7 * 4 * kEps * positive.norm());

    const MatrixXd diagonal = value_of(Structure::diagonal);
    EXPECT_TRUE(diagonal.isDiagonal(0));
    const MatrixXd lower = value_of(Structure::lower);
    EXPECT_TRUE(lower.isLowerTriangular(0));
    EXPECT_FALSE(lower.isUpperTriangular(0));
    const MatrixXd upper = value_of(Structure::upper);
    EXPECT_TRUE(upper.isUpperTriangular(0));
    EXPECT_FALSE(upper.isLowerTriangular(0));
    for (const MatrixXd& m : {diagonal, lower, upper}) {
        EXPECT_GE(m.diagonal().cwiseAbs().minCoeff(), 1);
    }

    const MatrixXd q = value_of(Structure::orthogonal);
    EXPECT_LE((q.transpose() * q - MatrixXd::Identity(7, 7)).cwiseAbs().maxCoeff(), 4 * 7 * kEps);
    const MatrixXd tall = random_value(Structure::orthogonal, 9, 4, 2);
    EXPECT_LE((tall.transpose() * tall - MatrixXd::Identity(4, 4)).cwiseAbs().maxCoeff(),
              4 * 9 * kEps);
}

TEST(RandomDirections, AreTangentToTheStructure) {
    for (const Structure structure : {Structure::symmetric, Structure::positive}) {
        const MatrixXd d = direction_of(structure);
        EXPECT_EQ(d, d.transpose());
    }
    EXPECT_TRUE(direction_of(Structure::diagonal).isDiagonal(0));
    EXPECT_TRUE(direction_of(Structure::lower).isLowerTriangular(0));
    EXPECT_TRUE(direction_of(Structure::upper).isUpperTriangular(0));
    for (const Structure structure : {Structure::general, Structure::orthogonal}) {
        EXPECT_TRUE((direction_of(structure).array() != 0).all());
    }
}

TEST(RandomValues, DependOnTheSeedAlone) {
    EXPECT_EQ(value_of(Structure::general, 5), value_of(Structure::general, 5));
    EXPECT_NE(value_of(Structure::general, 5), value_of(Structure::general, 6));
    EXPECT_NE(value_of(Structure::general, 3), direction_of(Structure::general));
}

TEST(RandomValues, OfOneOperandDoNotChangeWhenAnotherFollows) {
    const std::vector<Declaration> one{{"A", kSquare, Structure::general}};
    const std::vector<Declaration> two{{"A", kSquare, Structure::general},
                                       {"B", kSquare, Structure::general}};
    const MatrixMap values = random_values(two, kDims, 11);
    EXPECT_EQ(values.at("A"), random_values(one, kDims, 11).at("A"));
    EXPECT_NE(values.at("A"), values.at("B"));
}

// The 10000th number of a default-seeded mt19937_64 is fixed by the standard ([rand.predef]).
TEST(RandomValues, RestOnAGeneratorTheStandardFixes) {
    std::mt19937_64 engine;
    engine.discard(9999);
    EXPECT_EQ(engine(), 9981545732273789042u);
}

TEST(RandomValues, OfEmptyMatricesAreEmpty) {
    for (const Structure structure :
         {Structure::general, Structure::symmetric, Structure::positive, Structure::diagonal,
          Structure::lower, Structure::upper, Structure::orthogonal}) {
        EXPECT_EQ(random_value(structure, 0, 0, 1).size(), 0);
        EXPECT_EQ(random_direction(structure, 0, 0, 1).size(), 0);
    }
    EXPECT_EQ(random_value(Structure::general, 0, 3, 1).cols(), 3);
}

TEST(RandomValues, RefuseWhatHasNoSizeOrNoStructure) {
    const std::vector<Declaration> unknown{{"A", {Dim::named("k"), Dim::named("n")}}};
    EXPECT_THROW((void)random_values(unknown, kDims, 1), ShapeError);
    const std::vector<Declaration> oblong{
        {"S", {Dim::named("m"), Dim::named("n")}, Structure::positive}};
    EXPECT_THROW((void)random_values(oblong, kDims, 1), ShapeError);
    EXPECT_THROW((void)random_value(Structure::orthogonal, 2, 3, 1), ShapeError);
}

}  // namespace
}  // namespace matgrad
