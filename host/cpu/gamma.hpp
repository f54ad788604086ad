#pragma once
/// \file What vector code of the gamma functions leaves to one number at a time: negative numbers, the edges,
/// derivatives of higher order.

namespace matgrad::detail {

/// log|gamma(x)|, of any x.
[[nodiscard]] double log_gamma(double x);
/// digamma(x) - digamma(1 - x) for x <= 0: -pi*cot(pi*x). At 0 infinite, at the other poles NaN.
[[nodiscard]] double digamma_reflection(double x);
/// trigamma(x) + trigamma(1 - x) for x <= 0: (pi/sin(pi*x))^2, infinite at the poles.
[[nodiscard]] double trigamma_reflection(double x);
/// The k-th derivative of digamma, k >= 2. At a pole infinite for an odd k, NaN for an even one.
[[nodiscard]] double polygamma(int k, double x);

}  // namespace matgrad::detail
