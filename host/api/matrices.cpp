#include "matgrad/matrices.hpp"

#include <fmt/format.h>

#include "expression/guarded.hpp"
#include "matgrad/error.hpp"

namespace matgrad {

Matrices::Matrices(ScalarType type, std::int64_t rows, std::int64_t cols, std::int64_t batch) try
    : rows_(rows), cols_(cols), batch_(batch) {
    if (rows < 0 || cols < 0 || count() < 0) {
        throw OperandError(fmt::format("{} matrices of {}-by-{} are asked for: expected at least 0",
                                       count(), rows, cols));
    }
    std::int64_t entries = 0;
    if (__builtin_mul_overflow(rows, cols, &entries) ||
        __builtin_mul_overflow(entries, count(), &entries)) {
        throw MachineError(
            fmt::format("no memory for {} matrices of {}-by-{}", count(), rows, cols));
    }
    const auto size = static_cast<std::size_t>(entries);
    if (type == ScalarType::float32) {
        entries_ = std::vector<float>(size);
    } else {
        entries_ = std::vector<double>(size);
    }
} catch (...) {
    detail::throw_as_matgrad();
}

ScalarType Matrices::type() const noexcept {
    return std::holds_alternative<std::vector<float>>(entries_) ? ScalarType::float32
                                                                : ScalarType::float64;
}

double Matrices::operator()(std::int64_t problem, std::int64_t row, std::int64_t col) const try {
    if (problem < 0 || problem >= count() || row < 0 || row >= rows_ || col < 0 || col >= cols_) {
        throw OperandError(
            fmt::format("entry {},{} of problem {} is not there: found {} matrices of {}-by-{}",
                        row, col, problem, count(), rows_, cols_));
    }
    const auto at = static_cast<std::size_t>((problem * rows_ + row) * cols_ + col);
    return std::visit([at](const auto& all) { return static_cast<double>(all[at]); }, entries_);
} catch (...) {
    detail::throw_as_matgrad();
}

View Matrices::view() noexcept {
    void* const data =
        std::visit([](auto& all) { return static_cast<void*>(all.data()); }, entries_);
    const View one = View(data, type(), rows_, cols_, cols_, 1).within(rows_ * cols_ * count());
    return is_one() ? one : one.batched(batch_);
}

ConstView Matrices::view() const noexcept {
    const void* const data =
        std::visit([](const auto& all) { return static_cast<const void*>(all.data()); }, entries_);
    const ConstView one =
        ConstView(data, type(), rows_, cols_, cols_, 1).within(rows_ * cols_ * count());
    return is_one() ? one : one.batched(batch_);
}

void Matrices::check_type(ScalarType asked) const try {
    if (asked != type()) {
        throw OperandError(fmt::format("the entries are of type {0}: expected entries<{0}>()",
                                       type() == ScalarType::float32 ? "float" : "double"));
    }
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
