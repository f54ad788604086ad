#pragma once
/// \file What `Plan::check` reports: results of a run beside an independent evaluation.
///
/// Real entries. Every result is compared in one number. The value is f itself. A gradient G is compared
/// through <G, D> for a random direction D, which has to be the differential df(X; D); a
/// Hessian-vector product likewise, as the gradient of <grad f, V>. Residual and bound have the unit of
/// that number. A NaN is a failure where the evaluation is a finite number.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "matgrad/export.hpp"

namespace matgrad {

/// A residual beside what rounding can explain.
struct MATGRAD_API Comparison {
    double residual = 0;
    double bound = 0;
    /// NaN on either side is a failure.
    [[nodiscard]] bool passes() const noexcept { return residual <= bound; }
    /// residual / bound; 0 if the residual is 0 and the bound a number.
    [[nodiscard]] double ratio() const noexcept {
        return residual == 0 && !std::isnan(bound) ? 0 : residual / bound;
    }
    /// Closer to its bound, or further beyond; NaN is the worst of all.
    [[nodiscard]] bool is_worse_than(const Comparison& other) const noexcept {
        const double own = ratio();
        const double its = other.ratio();
        return own > its || (std::isnan(own) && !std::isnan(its));
    }
};

/// One output of a plan over the problems that were compared.
struct MATGRAD_API OutputCheck {
    static constexpr std::int64_t kNoProblem = -1;

    std::string output;                 ///< `value`, `gradient X`, `hvp X`
    std::int64_t problem = kNoProblem;  ///< where `worst` was found; kNoProblem for a sum or a mean
    Comparison worst = {};
    bool compared = false;  ///< something was

    /// Keeps the worse of both.
    void add(const Comparison& comparison, std::int64_t at);
};

struct MATGRAD_API CheckReport {
    std::vector<OutputCheck> outputs;  ///< one per output of the plan, in order
    std::int64_t problems = 0;         ///< compared; of a sum or a mean, the problems in it
    std::int64_t failed = 0;           ///< left out, as their status says

    /// True also where there was nothing to compare.
    [[nodiscard]] bool passed() const noexcept;
    /// Takes in the report of another piece of the batch, one that begins with problem `first`.
    void add(const CheckReport& piece, std::int64_t first);
    /// `16 problems, worst residual 1.2e-15 (gradient X of problem 3), bound 3.4e-13: ok`.
    [[nodiscard]] std::string text() const;
};

}  // namespace matgrad
