#pragma once
/// \file The values of many problems as one matrix.
///
/// In a tile of problems a value of problem scope is row-major, and that of the next problem follows
/// without a gap. So the rows of matrices lie under each other, and vectors are the rows of a matrix.

#include <vector>

#include "cpu/interpreter.hpp"
#include "cpu/view.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// What a use shows of each problem, one under the other.
struct Stacked {
    Use use;
    std::int64_t count = 0;  ///< entries of the value of one problem

    /// `values`: by value id, of the first problem.
    [[nodiscard]] View rows(const View* values, std::int64_t problems) const {
        View v = use_of(use, values[use.value]);
        if (v.rows == 1) {
            v.row_stride = count;
        }
        v.rows *= problems;
        return v;
    }
};

/// Do the rows of the use lie under each other with one stride? Of problem scope alone.
[[nodiscard]] bool rows_stack(const Program& program, const Use& use);
/// Are the entries of each of its rows neighbours?
[[nodiscard]] bool has_unit_rows(const Program& program, const Use& use);
[[nodiscard]] Stacked stacked(const Program& program, const Use& use);

/// An entrywise expression over a domain with a row for each problem, or for each group of kLanes problems in lanes:
/// the entries of its own domain, in order.
class StackedBody {
public:
    /// rows, cols: the domain of one problem.
    /// diagonal: of a square domain its diagonal alone
    StackedBody(const Program& program, const MapBody& body, std::int64_t rows, std::int64_t cols,
                bool diagonal = false);

    /// Can each operand be read so?
    [[nodiscard]] bool exists() const { return exists_; }
    /// The views are taken from scratch.
    [[nodiscard]] Domain domain(const View* values, std::int64_t problems, Scratch& scratch,
                                int lanes = 1) const;
    [[nodiscard]] const MapBody& body() const { return body_; }
    [[nodiscard]] std::int64_t entries() const { return diagonal_ ? rows_ : rows_ * cols_; }
    /// Operands that have one number for each problem.
    [[nodiscard]] int scalars() const;

private:
    struct Operand {
        Use use;
        std::int64_t step;  ///< entries from one problem to the next; 0 if shared
        bool scalar;        ///< one number for each problem
        bool by_rows;       ///< the domain of one problem is a column
    };

    const MapBody& body_;
    std::int64_t rows_, cols_;
    bool diagonal_;
    bool exists_ = true;
    std::vector<Operand> operands_;
};

}  // namespace matgrad::detail
