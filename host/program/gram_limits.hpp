#pragma once
/// \file Which conditions of its root the Cholesky factor of a Gram matrix bears: one table for all executors.
///
/// With u the unit roundoff of the data and k the condition of the root, a change of the root by u changes what
/// is made of the factor by about k*u, and the roundings of the Gram matrix change it by about k^2 times that of
/// its own type. A better factor is needed where the latter is much larger. A condition beyond 1/(20*u) leaves
/// nothing to trust: the problem is ill-conditioned.

#include <limits>

#include "program/uses.hpp"

namespace matgrad::detail {

struct GramLimits {
    double bound = 0;     ///< conditions below it need no estimate
    double estimate = 0;  ///< estimates below it need no better factor
    double far = 0;       ///< estimates below it are far from ill
    double worst = 0;     ///< the largest condition that is not ill

    explicit GramLimits(ScalarType data) {
        const bool is_double = data == ScalarType::float64;
        // Of float data the Gram matrix in double loses nothing.
        bound = is_double ? 40 : 2e5;
        estimate = is_double ? 10 : 1e5;
        far = is_double ? 1e6 : 0;
        worst = is_double
                    ? 1 / (20 * std::numeric_limits<double>::epsilon() / 2)
                    : 1 / (20 * static_cast<double>(std::numeric_limits<float>::epsilon()) / 2);
    }
};

/// Has the factor a root whose condition is to be looked at? (One with fewer rows than columns fails by its shape.)
[[nodiscard]] inline bool is_with_care(const Program& program, const Step& step,
                                       const Potrf& potrf) {
    return is_present(potrf.root) && step.type == ScalarType::float64 &&
           program.value(step.out).type == ScalarType::float64 &&
           program.value(step.out).rows.size > 1 &&
           rows_of(program, potrf.root).size >= program.value(step.out).rows.size;
}

}  // namespace matgrad::detail
