#include "cpu/plain/gemm.hpp"

#include <algorithm>

#include "cpu/plain/gemm_kernels.hpp"

namespace matgrad::detail {
namespace {

/// A stretch of a panel stays in the first-level cache, that of a block of rows in the second.
constexpr std::int64_t kInner = 256;
constexpr std::int64_t kRows = 256;
constexpr std::int64_t kCols = 512;
/// Larger operands are packed. Where its rows lie apart, a left one is found sooner in too few sets of
/// the caches.
constexpr std::int64_t kLeftBytes = 256 << 10;
constexpr std::int64_t kRightBytes = 512 << 10;
/// Rows for which it pays to bring a larger right operand into panels.
constexpr std::int64_t kManyRows = 48;

std::int64_t bytes_of(const View& v) {
    return v.count() * size_of(v.type);
}

}  // namespace

Product::Product(double alpha, const View& a, const View& b, double beta, const View& c,
                 Scratch& scratch)
    : alpha_(alpha), beta_(beta), a_(a), b_(b), c_(c) {
    const GemmShape shape = gemm_shape(c.type);
    rows_ = Parts::at_most(c.rows, kRows, shape.rows);
    cols_ = Parts::at_most(c.cols, kCols, shape.cols);
    inner_ = Parts::at_most(a.cols, kInner, 8);
    if (a.col_stride != 1 && bytes_of(a) > kLeftBytes && c.cols > shape.cols) {
        packed_a_ = scratch.take(bytes_of(a));
    }
    if (b.col_stride != 1 || (bytes_of(b) > kRightBytes && c.rows >= kManyRows)) {
        packed_b_ = scratch.take(bytes_of(b));
    }
}

std::int64_t Product::packing_parts() const {
    return (packed_a_ != nullptr ? rows_.count : 0) + (packed_b_ != nullptr ? cols_.count : 0);
}

void Product::pack(std::int64_t part) const {
    const std::int64_t parts_of_a = packed_a_ != nullptr ? rows_.count : 0;
    const bool of_a = part < parts_of_a;
    const std::int64_t size = size_of(c_.type);
    for (std::int64_t k = 0; k < inner_.count; ++k) {
        const std::int64_t k0 = inner_.first(k);
        const std::int64_t depth = inner_.length(k);
        if (of_a) {
            const std::int64_t row = rows_.first(part);
            const std::int64_t count = rows_.length(part);
            pack_strips(block(a_, row, k0, count, depth),
                        packed_a_ + (row * a_.cols + k0 * count) * size);
        } else {
            const std::int64_t col = cols_.first(part - parts_of_a);
            const std::int64_t count = cols_.length(part - parts_of_a);
            pack_panels(block(b_, k0, col, depth, count),
                        packed_b_ + (col * b_.rows + k0 * count) * size);
        }
    }
}

void Product::compute(std::int64_t index) const {
    const std::int64_t row_part = cols_.count == 1 ? index : index / cols_.count;
    const std::int64_t col_part = index - row_part * cols_.count;
    const std::int64_t row = rows_.first(row_part);
    const std::int64_t rows = rows_.length(row_part);
    const std::int64_t col = cols_.first(col_part);
    const std::int64_t cols = cols_.length(col_part);
    const std::int64_t size = size_of(c_.type);
    for (std::int64_t k = 0; k < inner_.count; ++k) {
        const std::int64_t k0 = inner_.first(k);
        GemmOperand left{block(a_, row, k0, rows, inner_.length(k)), packed_a_ != nullptr};
        if (left.packed) {
            left.view.data = packed_a_ + (row * a_.cols + k0 * rows) * size;
        }
        GemmOperand right{block(b_, k0, col, inner_.length(k), cols), packed_b_ != nullptr};
        if (right.packed) {
            right.view.data = packed_b_ + (col * b_.rows + k0 * cols) * size;
        }
        gemm_block(alpha_, left, right, k == 0 ? beta_ : 1, block(c_, row, col, rows, cols));
    }
}

void Product::run() const {
    for (std::int64_t part = 0; part < packing_parts(); ++part) {
        pack(part);
    }
    for (std::int64_t block = 0; block < blocks(); ++block) {
        compute(block);
    }
}

}  // namespace matgrad::detail
