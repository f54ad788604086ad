#pragma once
/// \file What steps are predicted to take, and the rates this is made from.
///
/// The rates were measured on one core with 512-bit vectors. Only their ratios matter, and only where
/// two layouts are close; other machines shift all of them alike.

#include <cstdint>

#include "program/program.hpp"

namespace matgrad::detail {

/// Billions of float operations a second, each with everything in the second-level cache.
inline constexpr double kProductRate = 160;
inline constexpr double kGemvRate = 45;
inline constexpr double kCompactRate = 115;
inline constexpr double kCompactGemvRate = 48;
/// Triangular solves and symmetric products, in float and in double; Cholesky at half of it.
inline constexpr double kCompactSolveRate = 95;
inline constexpr double kCompactSolveRateDouble = 72;
inline constexpr double kCompactFactorRate = 35;  // LU
inline constexpr double kBlasRate = 130;
inline constexpr double kBlasFactorRate = 20;  // LU, and a few right-hand sides
/// Nanoseconds of a product among many of one shape, of each vector of its result and each multiply-add of such a
/// vector; and of each number of an operand that is converted.
inline constexpr double kBatchCall = 10;
inline constexpr double kBatchRow = 0.5;
inline constexpr double kBatchVector = 0.2;
inline constexpr double kConverted = 0.06;
/// Nanoseconds from one problem of a run to the next, where a step does them one by one.
inline constexpr double kNextProblem = 15;
inline constexpr double kPanelRate = 140;  // triangle.hpp and gram.hpp
/// Nanoseconds to gather or scatter one float of one problem.
inline constexpr double kCompactMove = 0.15;
inline constexpr double kPlainMove = 0.1;
/// Nanoseconds to transpose one float of a right operand.
inline constexpr double kTurned = 0.13;
/// Nanoseconds to take one float into a panel or out of it.
inline constexpr double kPanelMove = 0.21;
/// Nanoseconds of one call, whatever its size.
inline constexpr double kProductCall = 80;
inline constexpr double kBlasCall = 800;
inline constexpr double kPanelCall = 250;
inline constexpr double kCompactCall = 6;
/// Nanoseconds of an entrywise step, of each of its instructions, and of each entry of these.
inline constexpr double kMapCall = 50;
inline constexpr double kMapInstruction = 10;
inline constexpr double kMapEntry = 0.04;
inline constexpr std::int64_t kVectorBytes = 64;
/// Nanoseconds that one vector takes beyond that: of a division or a root, of a function such
/// as exp (7 to 20). A power by the C library takes kPowerEntry for each number.
inline constexpr double kRootVector = 1.5;
inline constexpr double kFunctionVector = 9;
inline constexpr double kPowerEntry = 10;
/// Nanoseconds to add one number of a problem to a sum over the batch.
inline constexpr double kCompactSummed = 0.16;
inline constexpr double kPlainSummed = 0.38;
inline constexpr double kRunSummed = 0.1;
/// Nanoseconds to write one float of a compact result that the first-level cache cannot hold.
inline constexpr double kCompactWrite = 0.12;
inline constexpr std::int64_t kFirstCache = 32 << 10;

/// A compact tile beyond this is read from the third-level cache or memory again and again.
inline constexpr std::int64_t kCachedTile = 1 << 20;
inline constexpr double kBeyondCache = 2;
inline constexpr double kBeyondCacheSolve = 1.15;

/// Nanoseconds of a dot product of a row, and of each vector of its operands.
inline constexpr double kDotRow = 0.6;
inline constexpr double kDotVector = 0.4;

/// The work of one problem in units of float: a double counts for two.
struct Work {
    double operations = 0;
    double entries = 0;       ///< of an entrywise domain, not weighed
    double instructions = 0;  ///< of an entrywise expression
    double functions = 0;     ///< nanoseconds of its functions, of an entry in full vectors
};
[[nodiscard]] Work work_of(const Program& program, const Step& step);

/// Floats that one value of the step's type counts for.
[[nodiscard]] inline double weight(ScalarType type) {
    return type == ScalarType::float32 ? 1 : 2;
}
/// Vectors that hold `count` numbers.
[[nodiscard]] inline double vectors_of(std::int64_t count, ScalarType type) {
    const std::int64_t vectors = (count * size_of(type) + kVectorBytes - 1) / kVectorBytes;
    return static_cast<double>(vectors);
}
[[nodiscard]] bool gives_vector(const Program& program, const Step& step);

/// What one problem keeps in a tile: its workspace, operands and results.
[[nodiscard]] std::int64_t tile_bytes_per_problem(const Program& program);
/// Floats of the results of a problem; of its operands too if asked for.
[[nodiscard]] double moved_floats(const Program& program, bool operands_too);

/// Values of problems that the sums over the batch add up, in numbers.
[[nodiscard]] double summed_numbers(const Program& program);

/// To bring a value of one problem into lanes, or back.
[[nodiscard]] double lane_move_nanoseconds(const Program& program, ValueId id);

/// Of a step in the compact layout.
[[nodiscard]] double compact_nanoseconds(const Program& program, const Step& step);
/// Of an entrywise step, a reduction or a copy in the plain layout.
[[nodiscard]] double entrywise_nanoseconds(const Program& program, const Step& step);

/// The scratch that most steps take: a copy of each operand and of each result in double, and two rows
/// of reciprocals or pivots.
[[nodiscard]] std::int64_t copies_bytes(const Program& program, const Step& step, int lanes);
/// The scratch of an entrywise expression that the step evaluates.
[[nodiscard]] std::int64_t body_bytes(const Program& program, const Step& step, const MapBody& body,
                                      int lanes);

}  // namespace matgrad::detail
