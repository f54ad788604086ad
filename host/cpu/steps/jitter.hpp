#pragma once
/// \file Cholesky factorizations that are tried again with a growing multiple of the diagonal: Potrf::jitter.

#include <cstdint>

#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {

/// t = 10^-k for k = first, first - 1, ..., 1.
struct Jitter {
    bool wanted = false;
    int first = 0;
    std::int32_t by_shape =
        0;  ///< of a Gram matrix whose shape says that it is singular, however it is rounded

    Jitter(const Program& program, const Potrf& potrf)
        : wanted(potrf.jitter), first(program.type == ScalarType::float32 ? 6 : 12) {
        const bool has_root = wanted && is_present(potrf.root);
        const std::int64_t rank = has_root ? rows_of(program, potrf.root).size : 0;
        if (has_root && rank < rows_of(program, potrf.a).size) {
            by_shape = make_status(StatusKind::not_positive, rank + 1);
        }
    }

    [[nodiscard]] static double factor(int k) {
        return 1 + status_jitter(make_status(StatusKind::jittered, k));
    }
    /// Is the matrix finite and no more than not positive?
    [[nodiscard]] static bool can_help(std::int32_t status) {
        const StatusKind kind = status_kind(status);
        return kind == StatusKind::not_positive || kind == StatusKind::ill_conditioned;
    }
};

}  // namespace matgrad::detail
