#pragma once
/// \file When the Cholesky factor of a Gram matrix is too rough, and what is singular by its numbers.
///
/// With u the unit roundoff of the data and k the condition of the root, a change of the root by u changes what
/// is made of the factor by about k*u, and the roundings of the Gram matrix change it by about k^2 times that of
/// its own type. The factor is made anew from the root where the latter is much larger. A condition beyond
/// 1/(20*u) leaves nothing to trust: the problem is ill-conditioned.

#include <cstdint>
#include <limits>

#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {

struct GramCare {
    bool wanted = false;
    std::int64_t rows = 0;  ///< of the root
    double scale = 1;       ///< of the root
    double bound = 0;       ///< conditions below it need no estimate
    double estimate = 0;    ///< estimates below it need no better factor
    double far = 0;         ///< estimates below it are far from ill
    double worst = 0;       ///< the largest condition that is not ill

    GramCare(const Program& program, const Step& step, const Potrf& potrf) {
        wanted = is_present(potrf.root) && step.type == ScalarType::float64 &&
                 program.value(step.out).type == ScalarType::float64 &&
                 program.value(step.out).rows.size > 1 &&
                 rows_of(program, potrf.root).size >= program.value(step.out).rows.size;
        if (!wanted) {
            return;
        }
        rows = rows_of(program, potrf.root).size;
        scale = potrf.root_scale;
        const bool is_double = program.type == ScalarType::float64;
        // Of float data the Gram matrix in double loses nothing.
        bound = is_double ? 40 : 2e5;
        estimate = is_double ? 10 : 1e5;
        far = is_double ? 1e6 : 0;
        worst = is_double
                    ? 1 / (20 * std::numeric_limits<double>::epsilon() / 2)
                    : 1 / (20 * static_cast<double>(std::numeric_limits<float>::epsilon()) / 2);
    }

    /// The bound of a larger triangle is hardly ever small.
    static constexpr std::int64_t kMostRowsBounded = 32;
    /// May the root give a better factor than one with this status, or is it better than none?
    [[nodiscard]] static bool can_be_mended(std::int32_t status) {
        return succeeded(status) || status_kind(status) == StatusKind::not_positive;
    }
    /// What becomes of a problem, by the condition of its factor from the root.
    [[nodiscard]] std::int32_t status_of(double condition) const {
        return condition <= worst ? 0 : make_status(StatusKind::ill_conditioned);
    }
};

}  // namespace matgrad::detail
