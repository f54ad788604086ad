#pragma once
/// \file What steps cost: operations (multiplications and additions), bytes, predicted time.

#include <cstdint>

#include "program/program.hpp"

namespace matgrad {

[[nodiscard]] double gemm_operations(std::int64_t m, std::int64_t k, std::int64_t n);  ///< 2 m k n
[[nodiscard]] double syrk_operations(std::int64_t n, std::int64_t k);  ///< n (n + 1) k
[[nodiscard]] double potrf_operations(std::int64_t n);                 ///< n^3 / 3
[[nodiscard]] double getrf_operations(std::int64_t n);                 ///< 2 n^3 / 3
[[nodiscard]] double trsm_operations(std::int64_t n, std::int64_t k);  ///< n^2 k
[[nodiscard]] double trsm_inverse_operations(std::int64_t n);          ///< n^3 / 3
/// inv(A) times n-by-k from the LU factors of A: two triangular solves.
[[nodiscard]] double solve_operations(std::int64_t n, std::int64_t k);

/// Fills Step::operations and Step::bytes of every step.
void count_costs(Program& program);

/// Operations of a whole run: steps of shared scope once, all others once for each problem.
struct OperationCount {
    double matrix = 0;     ///< gemm, syrk, potrf, trsm, getrf, solve, and outer products in maps
    double entrywise = 0;  ///< map, reduce, copy, batch_reduce: entrywise and scalar work
};
[[nodiscard]] OperationCount count_operations(const Program& program);
/// Both together.
[[nodiscard]] double total_operations(const Program& program);
[[nodiscard]] double total_bytes(const Program& program);

/// What a device does per second, in float64; twice that in float32.
struct DeviceRates {
    double matrix = 2e10;    ///< operations of matrix steps
    double entrywise = 2e9;  ///< operations of all others
    double bytes = 1e10;     ///< read and written
    double per_step = 2e-8;  ///< seconds that a step of one problem takes beside its work
};

/// Seconds for the whole batch: per step the larger of arithmetic and traffic.
[[nodiscard]] double predicted_seconds(const Program& program, const DeviceRates& rates = {});

}  // namespace matgrad
