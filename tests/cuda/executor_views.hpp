#pragma once
/// \file Batches of small whole numbers in host memory, viewed as the executor views device memory:
/// products and solves of such numbers are exact.

#include <cstdint>
#include <random>
#include <vector>

#include "cuda/device_view.hpp"

namespace matgrad::test {

enum class ViewOrder { rows, padded_rows, columns, padded_columns };
inline constexpr ViewOrder kViewOrders[] = {ViewOrder::rows, ViewOrder::padded_rows,
                                            ViewOrder::columns, ViewOrder::padded_columns};

enum class BatchOrder { apart, with_gaps, backwards, shared };

class Numbers {
public:
    Numbers(std::int64_t rows, std::int64_t cols, std::int64_t batch, ViewOrder order,
            BatchOrder batch_order = BatchOrder::apart) {
        const bool by_rows = order == ViewOrder::rows || order == ViewOrder::padded_rows;
        const bool padded = order == ViewOrder::padded_rows || order == ViewOrder::padded_columns;
        const std::int64_t line = (by_rows ? cols : rows) + (padded ? 3 : 0);
        const std::int64_t size = line * (by_rows ? rows : cols);
        const std::int64_t stride = size + (batch_order == BatchOrder::with_gaps ? 5 : 0);
        data_.assign(static_cast<std::size_t>(stride * batch + 1), kOutside);
        view_.type = ScalarType::float64;
        view_.rows = rows;
        view_.cols = cols;
        view_.row_stride = by_rows ? line : 1;
        view_.col_stride = by_rows ? 1 : line;
        view_.batch_stride = batch_order == BatchOrder::shared      ? 0
                             : batch_order == BatchOrder::backwards ? -stride
                                                                    : stride;
        const std::int64_t first = batch_order == BatchOrder::backwards ? stride * (batch - 1) : 0;
        view_.data = reinterpret_cast<std::byte*>(data_.data() + first);
        batch_ = batch;
    }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;

    [[nodiscard]] const gpu::DeviceView& view() const { return view_; }
    [[nodiscard]] double& at(std::int64_t p, std::int64_t r, std::int64_t c) {
        return *reinterpret_cast<double*>(view_.at(p, r, c));
    }
    void fill_random(std::uint32_t seed) {
        std::mt19937 random(seed);
        for (std::int64_t p = 0; p < batch_; ++p) {
            for (std::int64_t r = 0; r < view_.rows; ++r) {
                for (std::int64_t c = 0; c < view_.cols; ++c) {
                    at(p, r, c) = static_cast<double>(random() % 7) - 3;
                }
            }
        }
    }
    /// How many numbers do not lie in a matrix and are as they were.
    [[nodiscard]] std::int64_t untouched() const {
        std::int64_t count = 0;
        for (const double x : data_) {
            count += x == kOutside ? 1 : 0;
        }
        return count;
    }

private:
    static constexpr double kOutside = 1e300;
    std::vector<double> data_;
    gpu::DeviceView view_;
    std::int64_t batch_ = 0;
};

/// Entry (row, col) of a matrix stored by columns.
inline double& by_columns(std::byte* data, std::int64_t ld, std::int64_t row, std::int64_t col) {
    return reinterpret_cast<double*>(data)[row + col * ld];
}

}  // namespace matgrad::test
