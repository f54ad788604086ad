#pragma once
/// \file Matrices in memory of their own: what a call returns.

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "matgrad/export.hpp"
#include "matgrad/types.hpp"
#include "matgrad/views.hpp"

namespace matgrad {

/// One matrix, or a batch of them one behind the other, each row-major. A view of it can be an operand.
class MATGRAD_API Matrices {
public:
    /// None.
    Matrices() = default;
    /// Zeros; `batch` as in a view: a count, or ConstView::kOneMatrix.
    Matrices(ScalarType type, std::int64_t rows, std::int64_t cols,
             std::int64_t batch = ConstView::kOneMatrix);

    [[nodiscard]] ScalarType type() const noexcept;
    [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
    /// How many there are; 1 for one matrix.
    [[nodiscard]] std::int64_t count() const noexcept { return is_one() ? 1 : batch_; }
    [[nodiscard]] bool is_one() const noexcept { return batch_ == ConstView::kOneMatrix; }

    /// All entries. Errors: OperandError if they are of another type.
    template <typename T>
    requires detail::kIsScalar<T>
    [[nodiscard]] std::span<const T> entries() const {
        check_type(detail::kScalarTypeOf<T>);
        return std::get<std::vector<T>>(entries_);
    }
    /// Entry (row, col) of a problem, in double. Errors: OperandError for one that is not there.
    [[nodiscard]] double operator()(std::int64_t problem, std::int64_t row, std::int64_t col) const;
    /// Of the only problem, or of the one matrix of all.
    [[nodiscard]] double operator()(std::int64_t row, std::int64_t col) const {
        return (*this)(0, row, col);
    }
    /// Of a scalar.
    [[nodiscard]] double operator[](std::int64_t problem) const { return (*this)(problem, 0, 0); }

    [[nodiscard]] View view() noexcept;
    [[nodiscard]] ConstView view() const noexcept;
    operator View() noexcept { return view(); }             // a result goes here
    operator ConstView() const noexcept { return view(); }  // an operand is this

private:
    void check_type(ScalarType asked) const;

    std::int64_t rows_ = 0;
    std::int64_t cols_ = 0;
    std::int64_t batch_ = ConstView::kOneMatrix;
    std::variant<std::vector<double>, std::vector<float>> entries_;
};

}  // namespace matgrad
