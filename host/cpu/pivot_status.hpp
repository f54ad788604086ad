#pragma once
/// \file The status that a bad pivot gives its problem.

#include <cmath>
#include <cstdint>

#include "matgrad/status.hpp"

namespace matgrad::detail {

/// Of a pivot of a Cholesky factor that is not finite and positive; `number` counts from 1.
template <typename T>
[[nodiscard]] std::int32_t cholesky_status(T pivot, std::int64_t number) {
    return make_status(std::isfinite(pivot) ? StatusKind::not_positive : StatusKind::not_finite,
                       number);
}

/// Of a pivot of an LU factor that is not finite, or zero.
template <typename T>
[[nodiscard]] std::int32_t lu_status(T pivot, std::int64_t number) {
    return make_status(std::isfinite(pivot) ? StatusKind::singular : StatusKind::not_finite,
                       number);
}

/// Of a matrix, where `status` is that of a block on its diagonal behind `rows` rows.
[[nodiscard]] constexpr std::int32_t status_behind(std::int64_t rows, std::int32_t status) {
    return make_status(status_kind(status), rows + status_pivot(status));
}

/// Of two factorizations of a problem, one after the other: the first failure counts, and of jitters the largest.
[[nodiscard]] constexpr std::int32_t merged_status(std::int32_t first, std::int32_t second) {
    if (!succeeded(first) || second == 0) {
        return first;
    }
    const bool both_jittered = first != 0 && succeeded(second);
    return both_jittered && status_pivot(first) < status_pivot(second) ? first : second;
}

/// That of a problem whose terms of a sum are not finite: it has no part in the sum and keeps its own results.
[[nodiscard]] constexpr bool keeps_numbers(std::int32_t status) {
    return status == make_status(StatusKind::not_finite);
}

}  // namespace matgrad::detail
