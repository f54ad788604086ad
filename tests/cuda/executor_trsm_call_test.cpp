#include <gtest/gtest.h>

#include "cuda/executor_views.hpp"
#include "cuda/library/trsm_call.hpp"

namespace matgrad::test {
namespace {

using gpu::DeviceView;
using gpu::TrsmCall;

double& at(const DeviceView& v, std::int64_t p, std::int64_t r, std::int64_t c) {
    return *reinterpret_cast<double*>(v.at(p, r, c));
}

/// What a BLAS does with the call, by the book: op(T) X = B or X op(T) = B, with T stored by columns.
void run(const TrsmCall& call) {
    const std::int64_t order = call.left ? call.m : call.n;
    const std::int64_t others = call.left ? call.n : call.m;
    for (std::int64_t p = 0; p < call.batch; ++p) {
        std::byte* const t = call.triangle + p * call.triangle_stride * 8;
        std::byte* const x = call.x + p * call.x_stride * 8;
        // op(T), and its transpose where it stands on the right.
        const bool flips = call.transposed != !call.left;
        const bool lower = call.lower != flips;
        const auto entry = [&](std::int64_t r, std::int64_t c) {
            return flips ? by_columns(t, call.triangle_ld, c, r)
                         : by_columns(t, call.triangle_ld, r, c);
        };
        for (std::int64_t s = 0; s < others; ++s) {
            const auto unknown = [&](std::int64_t i) -> double& {
                return call.left ? by_columns(x, call.x_ld, i, s) : by_columns(x, call.x_ld, s, i);
            };
            for (std::int64_t step = 0; step < order; ++step) {
                const std::int64_t i = lower ? step : order - 1 - step;
                for (std::int64_t done = 0; done < step; ++done) {
                    const std::int64_t j = lower ? done : order - 1 - done;
                    unknown(i) -= entry(i, j) * unknown(j);
                }
                unknown(i) /= entry(i, i);
            }
        }
    }
}

struct Case {
    Side side = Side::left;
    bool lower = true, transposed = false;
    ViewOrder of_t = ViewOrder::rows, of_x = ViewOrder::rows;
    BatchOrder batch_of_t = BatchOrder::apart;
    std::int64_t order = 3, others = 2;
};

/// Puts op(T) X into memory, solves, and expects X.
TrsmCall checked_call(const Case& c, std::int64_t batch) {
    const bool left = c.side == Side::left;
    Numbers t(c.order, c.order, batch, c.of_t, c.batch_of_t);
    t.fill_random(5);
    for (std::int64_t p = 0; p < batch; ++p) {
        for (std::int64_t i = 0; i < c.order; ++i) {
            t.at(p, i, i) = p % 2 == 0 ? 2 : -1;
        }
    }
    const std::int64_t rows = left ? c.order : c.others;
    const std::int64_t cols = left ? c.others : c.order;
    Numbers want(rows, cols, batch, ViewOrder::rows);
    want.fill_random(6);
    Numbers x(rows, cols, batch, c.of_x);
    // op(T) with zeros in the triangle that is not read.
    const auto op = [&](std::int64_t p, std::int64_t r, std::int64_t col) {
        const std::int64_t i = c.transposed ? col : r;
        const std::int64_t j = c.transposed ? r : col;
        return (c.lower ? i >= j : i <= j) ? t.at(p, i, j) : 0.0;
    };
    for (std::int64_t p = 0; p < batch; ++p) {
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t col = 0; col < cols; ++col) {
                double sum = 0;
                for (std::int64_t l = 0; l < c.order; ++l) {
                    sum +=
                        left ? op(p, r, l) * want.at(p, l, col) : want.at(p, r, l) * op(p, l, col);
                }
                x.at(p, r, col) = sum;
            }
        }
    }
    const TrsmCall call =
        gpu::make_trsm_call(c.side, c.lower, c.transposed, t.view(), x.view(), batch);
    EXPECT_GE(call.triangle_ld, std::max<std::int64_t>(1, c.order));
    EXPECT_GE(call.x_ld, std::max<std::int64_t>(1, call.m));
    run(call);
    for (std::int64_t p = 0; p < batch; ++p) {
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t col = 0; col < cols; ++col) {
                EXPECT_EQ(at(x.view(), p, r, col), want.at(p, r, col))
                    << p << ": " << r << "," << col;
            }
        }
    }
    return call;
}

TEST(TrsmCall, SolvesForEverySideTriangleAndOrderOfMemory) {
    for (const Side side : {Side::left, Side::right}) {
        for (const bool lower : {true, false}) {
            for (const bool transposed : {false, true}) {
                for (const ViewOrder of_t : kViewOrders) {
                    for (const ViewOrder of_x : kViewOrders) {
                        for (const std::int64_t order : {1, 4}) {
                            for (const std::int64_t others : {1, 3}) {
                                SCOPED_TRACE(testing::Message()
                                             << "side " << static_cast<int>(side) << " lower "
                                             << lower << " transposed " << transposed << " orders "
                                             << static_cast<int>(of_t) << static_cast<int>(of_x)
                                             << " " << order << "x" << others);
                                const TrsmCall call =
                                    checked_call({side, lower, transposed, of_t, of_x,
                                                  BatchOrder::apart, order, others},
                                                 3);
                                EXPECT_EQ(call.batch, 3);
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST(TrsmCall, WithASharedTriangleIsOneSolveWhereRowsStack) {
    for (const bool transposed : {false, true}) {
        for (const ViewOrder of_t : kViewOrders) {
            const TrsmCall call = checked_call(
                {Side::right, true, transposed, of_t, ViewOrder::rows, BatchOrder::shared, 4, 3},
                5);
            EXPECT_TRUE(call.stacked);
            EXPECT_EQ(call.batch, 1);
        }
    }
}

TEST(TrsmCall, WithASharedTriangleIsOneSolveForVectors) {
    const TrsmCall call = checked_call(
        {Side::left, true, false, ViewOrder::rows, ViewOrder::rows, BatchOrder::shared, 4, 1}, 5);
    EXPECT_TRUE(call.stacked);
    EXPECT_EQ(call.batch, 1);
}

TEST(TrsmCall, WithASharedTriangleIsABatchWhereNothingStacks) {
    const TrsmCall call = checked_call(
        {Side::left, true, false, ViewOrder::rows, ViewOrder::rows, BatchOrder::shared, 4, 3}, 5);
    EXPECT_FALSE(call.stacked);
    EXPECT_EQ(call.batch, 5);
    EXPECT_EQ(call.triangle_stride, 0);
}

}  // namespace
}  // namespace matgrad::test
