#pragma once
/// \file The inputs of a case from a seed, the same in every language: bench/README.md has the
/// formula. Entries are real, row-major; a matrix of a problem depends on its number alone.

#include <Eigen/Core>
#include <cstdint>
#include <string_view>

#include "matgrad/expression.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::bench {

inline constexpr std::uint64_t kInputSeed = 1;

/// The numbers u of one name, in [-1, 1).
class Stream {
public:
    explicit Stream(std::string_view name, std::uint64_t seed = kInputSeed);
    [[nodiscard]] double at(std::uint64_t k) const noexcept {
        std::uint64_t s = seed_ + 0x9E3779B97F4A7C15U * (hash_ ^ (k * 0xD1342543DE82EF95U));
        s = (s ^ (s >> 30)) * 0xBF58476D1CE4E5B9U;
        s = (s ^ (s >> 27)) * 0x94D049BB133111EBU;
        s ^= s >> 31;
        return static_cast<double>(s >> 11) * 0x1p-52 - 1;
    }

private:
    std::uint64_t seed_, hash_;
};

/// The operand of problem `problem` (0 for a shared one), in double and not rounded.
[[nodiscard]] Eigen::MatrixXd input(const Declaration& declaration, std::int64_t rows,
                                    std::int64_t cols, std::int64_t problem);

/// The direction in which the variable moves in the check of that problem.
[[nodiscard]] Eigen::MatrixXd direction(const Declaration& variable, std::int64_t rows,
                                        std::int64_t cols, std::int64_t problem);

/// Fills `count` matrices, problems 0 .. count, contiguous, rounded to the type.
void fill_inputs(const Declaration& declaration, std::int64_t rows, std::int64_t cols,
                 std::int64_t count, ScalarType type, void* to);

}  // namespace matgrad::bench
