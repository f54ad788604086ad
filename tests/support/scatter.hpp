#pragma once
/// \file How far roundings on the way move what an expression is.

#include <string>
#include <vector>

#include "expression/build.hpp"
#include "expression/rebuild.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"

namespace matgrad {

/// The most that the expression moves when every entry of every node of it moves by a relative `step` or less,
/// one way or another. Where terms cancel that is more than what is left of them.
inline double scatter(const Expr& e, const MatrixMap& values,
                      const std::map<std::string, std::int64_t>& sizes, double step) {
    std::vector<Declaration> noise;
    const Expr noisy = rebuilt(e, [&](const Expr& node, std::span<const Expr> children) {
        const Expr image = with_images(node, children);
        if (node->children.empty() || symbols(node).empty()) {
            return image;  // of constants some must be whole, as the order of polygamma
        }
        // A name that no text has.
        noise.push_back({"#" + std::to_string(noise.size()), image.shape(), Structure::general});
        return hadamard(image, hidden_symbol(noise.back()));
    });
    const Eigen::MatrixXd at = evaluate_reference(e, values, sizes);
    double worst = 0;
    for (std::uint64_t way = 0; way < 3; ++way) {
        MatrixMap moved = values;
        for (auto& [name, factor] : random_directions(noise, sizes, 177 + way)) {
            moved[name] = 1 + step * factor.cwiseMax(-1).cwiseMin(1).array();
        }
        worst = std::max(worst, (evaluate_reference(noisy, moved, sizes) - at).stableNorm());
    }
    return worst;
}

}  // namespace matgrad
