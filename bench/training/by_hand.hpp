#pragma once
/// \file The functions of three training loops, value and gradients, as a good user of Eigen writes them by hand.
/// Plain data, since they are compiled for this very machine, in a library of their own.
///
/// Arrays are contiguous, one problem after the other, matrices row-major. Nothing is allocated after a first call.

#include <cstdint>

#define MATGRAD_BY_HAND extern "C" __attribute__((visibility("default")))

/// -logdet(P) + tr(S*P) of `batch` 8-by-8 problems, its gradient with respect to P; fixed sizes, a loop over problems.
MATGRAD_BY_HAND void by_hand_gaussians(int threads, std::int64_t batch, const double* p,
                                       const double* s, double* value, double* gradient);

/// sum(c.*softplus(-s.*(X*w))) with X m-by-n and s shared, its gradient with respect to w: two products for all problems
/// of a thread, one exp for value and gradient.
///
/// with_log1p   log(1 + e) is log1p(e), which keeps the digits of small ones; else log(1 + e) as it stands
MATGRAD_BY_HAND void by_hand_logistic(int threads, bool with_log1p, std::int64_t batch,
                                      std::int64_t m, std::int64_t n, const double* c,
                                      const double* s, const double* x, const double* w,
                                      double* value, double* gradient);

/// The sum of 0.5*norm2(x - W*W'*x)^2 with W d-by-r shared, its gradient with respect to W: the batch as one matrix.
MATGRAD_BY_HAND void by_hand_components(int threads, std::int64_t batch, std::int64_t d,
                                        std::int64_t r, const float* x, const float* w,
                                        float* value, float* gradient);

/// The sum of 0.5*norm2(x - V*u)^2 with V d-by-r shared, its gradients with respect to V and each u.
MATGRAD_BY_HAND void by_hand_factorisation(int threads, std::int64_t batch, std::int64_t d,
                                           std::int64_t r, const float* x, const float* v,
                                           const float* u, float* value, float* gradient_v,
                                           float* gradient_u);
