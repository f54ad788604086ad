#pragma once
/// \file What is right: value and differential of the reference for some problems of a case, each
/// with what rounding may explain.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/case.hpp"
#include "bench/data.hpp"
#include "check/differential_check.hpp"

namespace matgrad::bench {

/// Of one problem, or of the sum over all, from inputs rounded to the type of the case.
struct Answer {
    std::int64_t problem = 0;
    Expected expected;          ///< f and df(X; D), with bounds
    Eigen::MatrixXd direction;  ///< D
};

/// The first, the middle and the last problem; one if the problems have nothing of their own.
[[nodiscard]] std::vector<std::int64_t> checked_problems(const Case& c);

/// Answers are kept: cases that differ in their outputs alone share them.
class AnswerBook {
public:
    /// Errors: those of the reference.
    const std::vector<Answer>& of(const Case& c);
    /// Answers that somebody else computed.
    void keep(const Case& c, std::vector<Answer> answers);

private:
    std::map<std::string, std::vector<Answer>> answers_;
};

/// The result of a problem that somebody found, by the index of its output.
using Found = std::function<Eigen::MatrixXd(std::size_t output, std::int64_t problem)>;

/// The comparison that comes closest to its bound, or breaks it.
[[nodiscard]] Comparison compare(const std::vector<Answer>& answers,
                                 std::span<const OutputInfo> outputs, const Found& found);

}  // namespace matgrad::bench
