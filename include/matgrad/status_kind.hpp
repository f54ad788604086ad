#pragma once
/// \file How a status is encoded. Device code reads this file too, so it includes nothing.

namespace matgrad {

/// What became of a problem. A number never changes its meaning.
enum class StatusKind : unsigned char {
    success = 0,
    not_positive = 1,  ///< a pivot of a Cholesky factor is finite and not positive
    singular = 2,      ///< a pivot of an LU factor is zero, or the shape of a Gram matrix says so
    ill_conditioned = 3,  ///< so near to singular that no digit of a result would be right
    not_finite =
        4,  ///< a pivot is infinite or not a number; without a pivot a result is, and is kept
    not_converged = 5,  ///< reserved
    jittered =
        6,  ///< PlanOptions::jitter changed a matrix; the only one beside success that is no failure
};

namespace detail {

inline constexpr int kStatusKindBits = 24;  ///< the kind stands above them, the pivot in them
inline constexpr int kStatusPivotMask = (1 << kStatusKindBits) - 1;
/// A bit for each kind that is no failure. All kinds are below 32.
inline constexpr unsigned kSucceededKinds = 1U << static_cast<unsigned>(StatusKind::success) |
                                            1U << static_cast<unsigned>(StatusKind::jittered);

}  // namespace detail
}  // namespace matgrad
