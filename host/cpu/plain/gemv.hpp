#pragma once
/// \file Products of a matrix and a vector in plain memory, which read the matrix once.

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// y = alpha * a * x + beta * y; beta 0 does not read y. All of one type and none empty; x and y are
/// columns of any stride, a has unit row or unit column stride.
///
/// The parts are decided by the shape alone, and what they give is combined in order: so the bits of
/// y do not depend on who runs them.
class VectorProduct {
public:
    /// `scratch` has room for a copy of x, of y and, where a has not unit column stride, of a.
    /// `rows_per_part`, a multiple of 16, if it is not to be chosen here.
    VectorProduct(double alpha, const View& a, const View& x, double beta, const View& y,
                  Scratch& scratch, std::int64_t rows_per_part = 0);

    [[nodiscard]] std::int64_t parts() const { return parts_; }
    /// Of the matrix as it lies in memory.
    [[nodiscard]] std::int64_t rows_per_part() const { return rows_per_part_; }
    /// In any order and on any thread; then `finish`.
    void compute(std::int64_t part) const;
    void finish() const;
    /// Where a has unit column stride, instead of `finish`: the rows of y of one part.
    void finish_rows(std::int64_t part) const;

private:
    double alpha_, beta_;
    View a_, x_, y_;
    bool by_rows_;
    std::int64_t parts_ = 1, rows_per_part_ = 0;  ///< rows as they lie in memory
    std::byte* sums_ = nullptr;                   ///< of each part: for by_rows of its rows
};

}  // namespace matgrad::detail
