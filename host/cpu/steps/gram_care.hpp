#pragma once
/// \file When the Cholesky factor of a Gram matrix is too rough and is made anew from the root, and what is
/// singular by its numbers (program/gram_limits.hpp).

#include <cmath>
#include <cstdint>

#include "matgrad/status.hpp"
#include "program/gram_limits.hpp"

namespace matgrad::detail {

struct GramCare : GramLimits {
    bool wanted = false;
    std::int64_t rows = 0;  ///< of the root
    double scale = 1;       ///< of the root

    GramCare(const Program& program, const Step& step, const Potrf& potrf)
        : GramLimits(program.type), wanted(is_with_care(program, step, potrf)) {
        if (wanted) {
            rows = rows_of(program, potrf.root).size;
            scale = potrf.root_scale;
        }
    }

    /// The bound of a larger triangle is hardly ever small.
    static constexpr std::int64_t kMostRowsBounded = 32;
    /// May the root give a better factor than one with this status, or is it better than none?
    [[nodiscard]] static bool can_be_mended(std::int32_t status) {
        return succeeded(status) || status_kind(status) == StatusKind::not_positive;
    }
    /// What becomes of a problem, by the condition of its factor from the root. `status` is that of the Cholesky
    /// factorization; its pivot is kept, and all of it where the root is singular to the last bit.
    [[nodiscard]] std::int32_t status_of(double condition, std::int32_t status) const {
        if (condition <= worst) {
            return 0;
        }
        if (!succeeded(status) && !std::isfinite(condition)) {
            return status;
        }
        return make_status(StatusKind::ill_conditioned, status_pivot(status));
    }
};

}  // namespace matgrad::detail
