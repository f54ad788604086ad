#pragma once
/// \file The status of a problem of a batch: whether it succeeded, and if not, why and where.
///
/// A std::int32_t, so that a batch of them is an array that C, NumPy and a GPU share. The kind is in the
/// high byte, the pivot in the 24 bits below:
///
///     status == 0                        it succeeded
///     make_status(StatusKind::not_positive, 3) == (1 << 24) + 3 == 16777219
///
/// Pivots   of the first factorization that failed, counted from 1; 0 where a kind has none. A pivot
///          above 2^24 - 1 is kept as 2^24 - 1. Of a Cholesky factor, pivot k is row k of the matrix;
///          of an LU factor, step k. Of jittered it is no pivot: the diagonal was multiplied by 1 + 10^-k.
/// Errors   none: a kind that matgrad does not write, as that of a negative number, is a failure.

#include <cstdint>
#include <string>

#include "matgrad/status_kind.hpp"

namespace matgrad {

[[nodiscard]] constexpr StatusKind status_kind(std::int32_t status) noexcept {
    return static_cast<StatusKind>(static_cast<std::uint32_t>(status) >> detail::kStatusKindBits);
}

/// From 1; 0 if the status has none.
[[nodiscard]] constexpr std::int32_t status_pivot(std::int32_t status) noexcept {
    return status & detail::kStatusPivotMask;
}

/// The problem has results: its kind is success or jittered.
[[nodiscard]] constexpr bool succeeded(std::int32_t status) noexcept {
    const auto kind = static_cast<unsigned>(status_kind(status));
    return kind < 32 && (detail::kSucceededKinds >> kind & 1U) != 0;
}

/// `pivot` is at least 0. Of success it is always 0.
[[nodiscard]] constexpr std::int32_t make_status(StatusKind kind, std::int64_t pivot = 0) noexcept {
    if (kind == StatusKind::success) {
        return 0;
    }
    const std::int64_t kept = pivot < detail::kStatusPivotMask ? pivot : detail::kStatusPivotMask;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(kind) << detail::kStatusKindBits |
                                     static_cast<std::uint32_t>(kept));
}

/// `success`, `not positive`, `not finite`, ...
[[nodiscard]] constexpr const char* to_text(StatusKind kind) noexcept {
    switch (kind) {
        case StatusKind::success:
            return "success";
        case StatusKind::not_positive:
            return "not positive";
        case StatusKind::singular:
            return "singular";
        case StatusKind::ill_conditioned:
            return "ill-conditioned";
        case StatusKind::not_finite:
            return "not finite";
        case StatusKind::not_converged:
            return "not converged";
        case StatusKind::jittered:
            return "jittered";
    }
    return "of unknown status";
}

/// What the diagonal of a matrix was multiplied by, less 1, the largest of several; 0 if the status is not jittered.
[[nodiscard]] constexpr double status_jitter(std::int32_t status) noexcept {
    if (status_kind(status) != StatusKind::jittered) {
        return 0;
    }
    double power = 1;
    for (std::int32_t k = status_pivot(status); k > 0; --k) {
        power *= 10;
    }
    return 1 / power;
}

/// `not positive at pivot 3`, `jittered by 1e-6`, `success`. Throws std::bad_alloc alone.
[[nodiscard]] inline std::string to_text(std::int32_t status) {
    const std::int32_t pivot = status_pivot(status);
    std::string text = to_text(status_kind(status));
    if (pivot == 0) {
        return text;
    }
    const bool is_jitter = status_kind(status) == StatusKind::jittered;
    return text + (is_jitter ? " by 1e-" : " at pivot ") + std::to_string(pivot);
}

}  // namespace matgrad
