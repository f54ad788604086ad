#pragma once
/// \file The proof of a gradient: df(X; D) = <G, D> on random data, by the oracle alone.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "matgrad/calculus.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"

namespace matgrad {

using Sizes = std::map<std::string, std::int64_t>;

/// Sizes for every dimension of some declarations: distinct, so that no mix-up goes unseen.
inline Sizes distinct_sizes(std::span<const Declaration> declarations) {
    static const std::map<std::string, std::int64_t> kKnown{{"m", 6}, {"n", 4}, {"p", 5},
                                                            {"q", 3}, {"r", 7}, {"s", 2}};
    Sizes sizes;
    for (const Declaration& d : declarations) {
        for (const Dim& dim : {d.shape.rows, d.shape.cols}) {
            if (dim.name.empty()) {
                continue;
            }
            const auto known = kKnown.find(dim.name);
            sizes[dim.name] = known != kKnown.end() ? known->second : 8;
        }
    }
    return sizes;
}

/// Moves `variable` of the problem in a random direction of its structure.
inline MatrixMap random_move(const std::vector<Declaration>& declarations, const Sizes& sizes,
                             const std::string& variable, std::uint64_t seed) {
    MatrixMap all = random_directions(declarations, sizes, seed);
    MatrixMap one;
    one[variable] = all.at(variable);
    return one;
}

/// Expects <G, D> to be the reference differential of f to `relative`, against the size of the terms.
inline void expect_gradient(const Expr& f, const std::string& variable, const Expr& gradient,
                            double relative, std::uint64_t seed = 7) {
    std::vector<Declaration> declarations = symbols(f);
    const Sizes sizes = distinct_sizes(declarations);
    const MatrixMap values = random_values(declarations, sizes, seed);
    for (std::uint64_t k = 0; k < 3; ++k) {
        const MatrixMap move = random_move(declarations, sizes, variable, seed + 100 + k);
        const Dual dual = evaluate_differential(f, values, move, sizes);
        const Eigen::MatrixXd g = evaluate_reference(gradient, values, sizes);
        const Eigen::MatrixXd& d = move.at(variable);
        ASSERT_EQ(g.rows(), d.rows()) << to_text(gradient);
        ASSERT_EQ(g.cols(), d.cols()) << to_text(gradient);
        const double inner = g.cwiseProduct(d).sum();
        const double scale = g.norm() * d.norm() + std::abs(dual.differential(0, 0));
        EXPECT_NEAR(inner, dual.differential(0, 0), relative * scale + 1e-300)
            << "f = " << to_text(f) << ", gradient = " << to_text(gradient);
    }
}

}  // namespace matgrad
