#include <gtest/gtest.h>

#include "cuda/executor_views.hpp"
#include "cuda/library/gemm_call.hpp"

namespace matgrad::test {
namespace {

using gpu::DeviceView;
using gpu::GemmCall;
using gpu::GemmMatrix;

double entry(const GemmMatrix& m, std::int64_t p, std::int64_t row, std::int64_t col) {
    std::byte* const data = m.data + p * m.batch_stride * 8;
    return m.transposed ? by_columns(data, m.ld, col, row) : by_columns(data, m.ld, row, col);
}

/// What a BLAS does with the call, by the book.
void run(const GemmCall& call) {
    for (std::int64_t p = 0; p < call.batch; ++p) {
        for (std::int64_t i = 0; i < call.m; ++i) {
            for (std::int64_t j = 0; j < call.n; ++j) {
                double sum = 0;
                for (std::int64_t l = 0; l < call.k; ++l) {
                    sum += entry(call.first, p, i, l) * entry(call.second, p, l, j);
                }
                by_columns(call.result.data + p * call.result.batch_stride * 8, call.result.ld, i,
                           j) = sum;
            }
        }
    }
}

/// What a BLAS refuses.
void expect_valid(const GemmCall& call) {
    const auto rows_of = [](const GemmMatrix& m, std::int64_t rows, std::int64_t cols) {
        return std::max<std::int64_t>(1, m.transposed ? cols : rows);
    };
    EXPECT_GE(call.first.ld, rows_of(call.first, call.m, call.k));
    EXPECT_GE(call.second.ld, rows_of(call.second, call.k, call.n));
    EXPECT_GE(call.result.ld, std::max<std::int64_t>(1, call.m));
    EXPECT_FALSE(call.result.transposed);
}

double product(Numbers& a, Numbers& b, std::int64_t p, std::int64_t r, std::int64_t c) {
    double sum = 0;
    for (std::int64_t l = 0; l < a.view().cols; ++l) {
        sum += a.at(p, r, l) * b.at(p, l, c);
    }
    return sum;
}

struct Size {
    std::int64_t m, k, n;
};
constexpr Size kSizes[] = {{3, 4, 5}, {1, 4, 5}, {3, 1, 5}, {3, 4, 1}, {1, 4, 1}, {1, 1, 1}};

GemmCall checked_call(const Size& size, Numbers& a, Numbers& b, Numbers& c, std::int64_t batch) {
    a.fill_random(1);
    b.fill_random(2);
    const std::int64_t outside = c.untouched() - batch * size.m * size.n;
    const GemmCall call = gpu::make_gemm_call(a.view(), b.view(), c.view(), batch);
    expect_valid(call);
    run(call);
    for (std::int64_t p = 0; p < batch; ++p) {
        for (std::int64_t i = 0; i < size.m; ++i) {
            for (std::int64_t j = 0; j < size.n; ++j) {
                EXPECT_EQ(c.at(p, i, j), product(a, b, p, i, j)) << p << ": " << i << "," << j;
            }
        }
    }
    EXPECT_EQ(c.untouched(), outside);
    return call;
}

TEST(GemmCall, IsTheProductForEveryOrderOfMemory) {
    constexpr std::int64_t kBatch = 3;
    for (const Size& size : kSizes) {
        for (const ViewOrder of_a : kViewOrders) {
            for (const ViewOrder of_b : kViewOrders) {
                for (const ViewOrder of_c : kViewOrders) {
                    SCOPED_TRACE(testing::Message()
                                 << size.m << "x" << size.k << "x" << size.n << " orders "
                                 << static_cast<int>(of_a) << static_cast<int>(of_b)
                                 << static_cast<int>(of_c));
                    Numbers a(size.m, size.k, kBatch, of_a);
                    Numbers b(size.k, size.n, kBatch, of_b);
                    Numbers c(size.m, size.n, kBatch, of_c);
                    const GemmCall call = checked_call(size, a, b, c, kBatch);
                    EXPECT_TRUE(call.is_strided());
                    EXPECT_EQ(call.batch, kBatch);
                }
            }
        }
    }
}

TEST(GemmCall, IsTheProductForEveryOrderOfTheBatch) {
    constexpr std::int64_t kBatch = 4;
    constexpr BatchOrder kOrders[] = {BatchOrder::apart, BatchOrder::with_gaps,
                                      BatchOrder::backwards, BatchOrder::shared};
    for (const Size& size : kSizes) {
        for (const BatchOrder of_a : kOrders) {
            for (const BatchOrder of_b : kOrders) {
                for (const ViewOrder order : kViewOrders) {
                    SCOPED_TRACE(testing::Message()
                                 << size.m << "x" << size.k << "x" << size.n << " batch orders "
                                 << static_cast<int>(of_a) << static_cast<int>(of_b) << " order "
                                 << static_cast<int>(order));
                    Numbers a(size.m, size.k, kBatch, order, of_a);
                    Numbers b(size.k, size.n, kBatch, order, of_b);
                    Numbers c(size.m, size.n, kBatch, ViewOrder::rows, BatchOrder::with_gaps);
                    const GemmCall call = checked_call(size, a, b, c, kBatch);
                    const bool backwards =
                        of_a == BatchOrder::backwards || of_b == BatchOrder::backwards;
                    EXPECT_TRUE(call.is_strided() || backwards);
                }
            }
        }
    }
}

TEST(GemmCall, IsOneTallProductWhereTheSecondFactorIsShared) {
    for (const Size& size : kSizes) {
        Numbers a(size.m, size.k, 6, ViewOrder::rows);
        Numbers b(size.k, size.n, 6, ViewOrder::columns, BatchOrder::shared);
        Numbers c(size.m, size.n, 6, ViewOrder::rows);
        const GemmCall call = checked_call(size, a, b, c, 6);
        EXPECT_TRUE(call.stacked_rows);
        EXPECT_EQ(call.batch, 1);
        // Its 6 m rows are columns to the BLAS, or rows where the result is one column.
        EXPECT_EQ(call.m * call.n, 6 * size.m * size.n);
    }
}

TEST(GemmCall, IsOneTallProductOfPaddedRowsToo) {
    const Size size{3, 4, 5};
    Numbers a(3, 4, 6, ViewOrder::padded_rows);
    Numbers b(4, 5, 6, ViewOrder::rows, BatchOrder::shared);
    Numbers c(3, 5, 6, ViewOrder::padded_rows);
    EXPECT_TRUE(checked_call(size, a, b, c, 6).stacked_rows);
}

TEST(GemmCall, IsAStridedBatchWhereRowsDoNotLieEvenly) {
    const Size size{3, 4, 5};
    Numbers a(3, 4, 6, ViewOrder::rows, BatchOrder::with_gaps);
    Numbers b(4, 5, 6, ViewOrder::rows, BatchOrder::shared);
    Numbers c(3, 5, 6, ViewOrder::rows);
    const GemmCall call = checked_call(size, a, b, c, 6);
    EXPECT_FALSE(call.stacked_rows);
    EXPECT_EQ(call.batch, 6);
}

TEST(GemmCall, OfASharedMatrixWithVectorsIsOneProductOverTheirColumns) {
    const Size size{5, 4, 1};
    Numbers a(5, 4, 6, ViewOrder::rows, BatchOrder::shared);
    Numbers b(4, 1, 6, ViewOrder::rows);
    Numbers c(5, 1, 6, ViewOrder::rows);
    const GemmCall call = checked_call(size, a, b, c, 6);
    EXPECT_TRUE(call.stacked_columns);
    EXPECT_EQ(call.batch, 1);
}

TEST(BlasLayout, RefusesStridesThatABlasCannotRead) {
    DeviceView v = gpu::row_major(nullptr, ScalarType::float64, 3, 4);
    EXPECT_TRUE(gpu::blas_layout(v));
    const auto refused = [&v](std::int64_t rows, std::int64_t cols) {
        v.row_stride = rows;
        v.col_stride = cols;
        return !gpu::blas_layout(v);
    };
    EXPECT_TRUE(refused(3, 1));  // rows that overlap
    EXPECT_TRUE(refused(0, 1));
    EXPECT_TRUE(refused(-4, 1));
    EXPECT_TRUE(refused(8, 2));
    EXPECT_TRUE(refused(4, -1));
    EXPECT_TRUE(refused(1, 2));
    EXPECT_FALSE(refused(1, 3));
    EXPECT_FALSE(refused(4, 1));
}

TEST(BlasLayout, TakesAnyStrideOfASingleRowOrColumn) {
    for (const std::int64_t stride : {-7, 0, 1, 2, 100}) {
        DeviceView row = gpu::row_major(nullptr, ScalarType::float64, 1, 4);
        row.row_stride = stride;
        ASSERT_TRUE(gpu::blas_layout(row));
        EXPECT_GE(gpu::blas_layout(row)->ld, gpu::blas_layout(row)->by_columns ? 1 : 4);
        DeviceView column = gpu::row_major(nullptr, ScalarType::float64, 4, 1);
        column.col_stride = stride;
        ASSERT_TRUE(gpu::blas_layout(column));
        EXPECT_GE(gpu::blas_layout(column)->ld, gpu::blas_layout(column)->by_columns ? 4 : 1);
    }
}

/// The sum over the batch of a_p b_p through the fold equals that of each problem; false: no fold.
bool folds(std::int64_t batch, const Size& size, Numbers& a, Numbers& b) {
    a.fill_random(3);
    b.fill_random(4);
    const auto fold = gpu::fold_inner(a.view(), b.view(), batch);
    if (!fold) {
        return false;
    }
    EXPECT_EQ(fold->segments * fold->problems + fold->left, batch);
    EXPECT_LE(fold->segments, gpu::kMostSegments);
    const std::int64_t parts = fold->segments + (fold->left > 0 ? 1 : 0);
    EXPECT_LE(2 * parts, batch);  // doubles take the place of as many floats
    Numbers sums(size.m, size.n, parts, ViewOrder::rows);
    run(gpu::make_gemm_call(fold->a, fold->b, sums.view(), fold->segments));
    if (fold->left > 0) {
        const gpu::InnerFold last = gpu::last_segment(*fold);
        run(gpu::make_gemm_call(last.a, last.b, gpu::from_problem(sums.view(), fold->segments), 1));
    }
    for (std::int64_t i = 0; i < size.m; ++i) {
        for (std::int64_t j = 0; j < size.n; ++j) {
            double got = 0;
            for (std::int64_t s = 0; s < parts; ++s) {
                got += sums.at(s, i, j);
            }
            double want = 0;
            for (std::int64_t p = 0; p < batch; ++p) {
                want += product(a, b, p, i, j);
            }
            EXPECT_EQ(got, want) << i << "," << j;
        }
    }
    return true;
}

TEST(InnerFold, IsTheSumOverTheBatchWhateverItsLength) {
    const Size size{3, 4, 5};
    for (const std::int64_t batch : {16, 17, 23, 24, 31, 2047, 2048, 2049, 2304, 5000}) {
        SCOPED_TRACE(batch);
        Numbers a(3, 4, batch, ViewOrder::columns);
        Numbers b(4, 5, batch, ViewOrder::rows);
        EXPECT_TRUE(folds(batch, size, a, b));
    }
}

TEST(InnerFold, TakesVectorsAndPaddedMatrices) {
    for (const Size& size : kSizes) {
        SCOPED_TRACE(testing::Message() << size.m << "x" << size.k << "x" << size.n);
        Numbers a(size.m, size.k, 50, ViewOrder::padded_columns);
        Numbers b(size.k, size.n, 50, ViewOrder::padded_rows);
        EXPECT_TRUE(folds(50, size, a, b));
    }
}

TEST(InnerFold, TakesVectorsAndScalarsWithGapsBetweenProblems) {
    for (const Size& size : {Size{3, 1, 5}, Size{3, 1, 1}, Size{1, 1, 5}, Size{1, 1, 1}}) {
        SCOPED_TRACE(testing::Message() << size.m << "x" << size.n);
        for (const ViewOrder order : {ViewOrder::rows, ViewOrder::columns}) {
            Numbers a(size.m, 1, 50, order, BatchOrder::with_gaps);
            Numbers b(1, size.n, 50, order, BatchOrder::with_gaps);
            const bool is_a_vector = size.m == 1 || order == ViewOrder::columns;
            const bool is_b_vector = size.n == 1 || order == ViewOrder::rows;
            if (is_a_vector && is_b_vector) {
                EXPECT_TRUE(folds(50, size, a, b));
            } else {
                (void)folds(50, size, a, b);
            }
        }
    }
}

TEST(InnerFold, IsNotTakenWhereTheInnerDimensionsDoNotLieEvenly) {
    const Size size{3, 4, 5};
    Numbers by_rows(3, 4, 50, ViewOrder::rows);
    Numbers a(3, 4, 50, ViewOrder::columns);
    Numbers gaps(4, 5, 50, ViewOrder::rows, BatchOrder::with_gaps);
    Numbers shared(4, 5, 50, ViewOrder::rows, BatchOrder::shared);
    Numbers backwards(4, 5, 50, ViewOrder::rows, BatchOrder::backwards);
    Numbers b(4, 5, 50, ViewOrder::rows);
    EXPECT_TRUE(folds(50, size, a, b));
    EXPECT_FALSE(folds(50, size, by_rows, b));
    EXPECT_FALSE(folds(50, size, a, gaps));
    EXPECT_FALSE(folds(50, size, a, shared));
    EXPECT_FALSE(folds(50, size, a, backwards));
    EXPECT_FALSE(folds(15, size, a, b));
}

}  // namespace
}  // namespace matgrad::test
