#pragma once
/// \file Matrix products in plain memory.
///
///     b packed by columns      |---- block of columns ----|
///       panel: all its columns in registers; a stretch of its rows in the first-level cache
///     a by rows                block of rows: that stretch of its columns in the second-level cache
///       strip: as many rows as registers hold
///
/// An entry is summed over the inner dimension in order, a stretch at a time, whatever the block and
/// the strip that it lies in: results depend neither on which blocks there are nor on who runs them.

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Rows, columns or inner indices cut into parts of almost equal length, each but the last a multiple
/// of some unit.
struct Parts {
    std::int64_t size = 0, step = 0, count = 0;

    /// In parts of at most `most`, a multiple of `unit`.
    static Parts at_most(std::int64_t size, std::int64_t most, std::int64_t unit) {
        if (size <= most) {
            return {size, size, 1};
        }
        const std::int64_t parts = (size + most - 1) / most;
        const std::int64_t step = ((size + parts - 1) / parts + unit - 1) / unit * unit;
        return {size, step, (size + step - 1) / step};
    }
    [[nodiscard]] std::int64_t first(std::int64_t i) const { return i * step; }
    [[nodiscard]] std::int64_t length(std::int64_t i) const {
        return i + 1 < count ? step : size - i * step;
    }
};

/// c = alpha * a * b + beta * c; beta 0 does not read c. All of one type and none empty; c has unit
/// column stride, a and b any strides.
///
/// Packing parts may run in any order and on any thread; then blocks may.
class Product {
public:
    /// `scratch` has room for a copy of a and one of b.
    Product(double alpha, const View& a, const View& b, double beta, const View& c,
            Scratch& scratch);

    [[nodiscard]] std::int64_t packing_parts() const;
    void pack(std::int64_t part) const;
    [[nodiscard]] std::int64_t blocks() const { return rows_.count * cols_.count; }
    void compute(std::int64_t block) const;
    /// All of it, on this thread.
    void run() const;

private:
    double alpha_, beta_;
    View a_, b_, c_;
    Parts rows_, cols_, inner_;
    std::byte* packed_a_ = nullptr;  ///< or null: read where it is
    std::byte* packed_b_ = nullptr;
};

/// Is a a' of order n over k terms done sooner as any other product, although half of it is known?
[[nodiscard]] constexpr bool is_small_gram(std::int64_t n, std::int64_t k) {
    return n <= 64 && k <= 64;
}

}  // namespace matgrad::detail
