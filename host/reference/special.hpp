#pragma once
/// \file Functions of statistics in plain double, by roads that the executors do not take.
///
/// A NaN gives NaN, infinity the limit.

namespace matgrad::detail {

/// The distribution function of the standard normal distribution, and its logarithm.
[[nodiscard]] double normcdf(double x);
[[nodiscard]] double lognormcdf(double x);
/// density(x)/normcdf(-x)
[[nodiscard]] double normhazard(double x);
/// normhazard(x) - x
[[nodiscard]] double normexcess(double x);
/// The k-th derivative of digamma, k >= 0.
[[nodiscard]] double digamma_derivative(int k, double x);

}  // namespace matgrad::detail
