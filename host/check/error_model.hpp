#pragma once
/// \file How far rounding may move f and df at given data: a running error analysis by trial.
///
/// Every operation of f is given an error term of its own, in its value and in its differential,
/// as large as the rounding of that operation can be in units of eps: for a product, the product of
/// the norms of its factors; for a sum, the sum of the magnitudes of its terms; for the argument of
/// an inverse or a determinant, the norm of the argument (the backward error of factoring it). The
/// reference then evaluates f and df with these terms drawn at random and scaled by a small h, and
/// what they change, divided by h, is the sensitivity: the condition of what is factored, of every
/// cancellation and of every function enters by itself. Where the rounding to be explained is larger than
/// h, the same is done with it, so that what is zero to first order, as a square near zero, enters too.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "expression/node.hpp"
#include "reference/reference.hpp"

namespace matgrad::detail {

/// Changes of f and df per unit of relative rounding error.
struct Sensitivity {
    double value = 0;
    double differential = 0;
};

class ErrorModel {
public:
    /// `factored_weight` is the rounding unit of whatever is factored over that of all else: below 1
    /// where factors of float data are computed in double.
    ErrorModel(const Expr& f, double factored_weight);

    /// `sizes` holds those of all named dimensions, `unit` is the relative rounding error to be explained.
    /// Errors: those of the reference.
    [[nodiscard]] Sensitivity at(const MatrixMap& values, const MatrixMap& directions,
                                 const std::map<std::string, std::int64_t>& sizes,
                                 double unit) const;
    /// The largest magnitude in any node of f and its differential.
    [[nodiscard]] double peak(const MatrixMap& values, const MatrixMap& directions,
                              const std::map<std::string, std::int64_t>& sizes) const;

private:
    /// One error term: a symbol no text can name, added to `node`.
    struct Site {
        Expr node;
        std::string symbol;
        bool factored = false;  ///< the node is about to be factored
        double weight = 1;
    };
    Expr add_site(const Expr& node, const Expr& noisy, bool factored, double weight);

    Expr f_;
    Expr noisy_;
    double factored_weight_;
    std::vector<Site> sites_;
};

}  // namespace matgrad::detail
