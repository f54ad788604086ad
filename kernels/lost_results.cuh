#pragma once
/// \file Which problems have results that become NaN, where some keep what is not finite.

#include "failure_kind.cuh"

namespace matgrad::block {

/// Of a problem that has no part in sums, since its own part is not finite; its results stay as they are.
inline constexpr int kNotFiniteStatus = static_cast<int>(StatusKind::not_finite)
                                        << detail::kStatusKindBits;
/// It has a bit of its own in masks, that of a kind that there is not.
inline constexpr int kKeptKind = 30;
inline constexpr unsigned kLosingResults = kLosing & ~(1U << static_cast<unsigned>(kKeptKind));

MATGRAD_EITHER_SIDE inline bool loses_results(int status, unsigned losing) {
    return loses_numbers(status == kNotFiniteStatus ? kKeptKind << detail::kStatusKindBits : status,
                         losing);
}

/// A factorization may still fail it: nothing has, or a sum alone has left it out.
MATGRAD_EITHER_SIDE inline bool may_fail(int status) {
    return status == 0 || status == kNotFiniteStatus;
}

}  // namespace matgrad::block
