// copy kernels on the simulated GPU: every pair of types and memory orders.

#include <gtest/gtest.h>

#include "cuda/kernel_bench.hpp"

namespace matgrad::test {
namespace {

class CopyKernel : public OnSimulatedGpu {};

struct Sizes {
    std::int64_t m, n;
};
constexpr Sizes kShapes[] = {{0, 3},   {3, 0},   {1, 1},   {1, 257}, {256, 1}, {4, 5},
                             {31, 33}, {32, 32}, {33, 64}, {3, 400}, {65, 100}};

double rounded(double x, ScalarType type) {
    return type == kFloat ? static_cast<double>(static_cast<float>(x)) : x;
}

TEST_F(CopyKernel, ReadsAndWritesEveryEntryOnceInAnyMemoryOrder) {
    gpu::KernelSource source;
    std::vector<gpu::KernelId> ids;
    for (const Sizes& size : kShapes) {
        for (const ScalarType from : kTypes) {
            for (const ScalarType to : kTypes) {
                ids.push_back(source.add_copy(size.m, size.n, from, to));
            }
        }
    }
    const gpu::Kernels kernels = kernels_of(source);
    auto id = ids.begin();
    for (const Sizes& size : kShapes) {
        const auto [m, n] = size;
        for (const ScalarType from : kTypes) {
            for (const ScalarType to : kTypes) {
                for (const Order in_order : kOrders) {
                    for (const Order out_order : {Order::rows, Order::columns, Order::strided}) {
                        for (const std::int64_t batch : {0, 1, 3}) {
                            SCOPED_TRACE(testing::Message()
                                         << m << "x" << n << " batch " << batch << " from "
                                         << static_cast<int>(in_order) << " to "
                                         << static_cast<int>(out_order) << " types "
                                         << size_of(from) << size_of(to));
                            OnDevice in(from, batch, m, n, in_order, batch == 3);
                            OnDevice out(to, batch, m, n, out_order);
                            in.host.fill_random(3);
                            kernels.copy(*id, in.upload(), out.upload(), batch, stream());
                            const std::vector<simulated::Launch> launches = finish();
                            out.download();
                            const std::int64_t total = batch * m * n;
                            ASSERT_EQ(launches.size(), total > 0 ? 1U : 0U);
                            if (total > 0) {
                                EXPECT_EQ(launches[0].loads, total);
                                EXPECT_EQ(launches[0].stores, total);
                            }
                            for (std::int64_t p = 0; p < batch; ++p) {
                                for (std::int64_t r = 0; r < m; ++r) {
                                    for (std::int64_t c = 0; c < n; ++c) {
                                        ASSERT_EQ(out.host.get(p, r, c),
                                                  rounded(in.host.get(p, r, c), to))
                                            << p << " " << r << " " << c;
                                    }
                                }
                            }
                        }
                    }
                }
                ++id;
            }
        }
    }
}

TEST_F(CopyKernel, GoesThroughATileWhereTheSidesDisagree) {
    gpu::KernelSource source;
    const gpu::KernelId id = source.add_copy(65, 100, kDouble, kDouble);
    const gpu::Kernels kernels = kernels_of(source);
    const auto barriers = [&](Order from, Order to) {
        OnDevice in(kDouble, 2, 65, 100, from);
        OnDevice out(kDouble, 2, 65, 100, to);
        kernels.copy(id, in.upload(), out.upload(), 2, stream());
        return finish().at(0).barriers;
    };
    EXPECT_EQ(barriers(Order::rows, Order::padded_rows), 0);
    EXPECT_EQ(barriers(Order::columns, Order::columns), 0);
    constexpr std::int64_t kTiles = 2 * 3 * 4;  // of 32 x 32, of two problems
    EXPECT_EQ(barriers(Order::rows, Order::columns), kTiles);
    EXPECT_EQ(barriers(Order::columns, Order::rows), kTiles);
}

TEST_F(CopyKernel, SpreadsAScalarAndASharedMatrix) {
    gpu::KernelSource source;
    const gpu::KernelId id = source.add_copy(33, 34, kFloat, kDouble);
    const gpu::Kernels kernels = kernels_of(source);
    OnDevice scalar(kFloat, 1, 1, 1);
    scalar.host.set(0, 0, 0, 0.125);
    gpu::DeviceView view = scalar.upload_shared();
    view.rows = 33;
    view.cols = 34;
    view.row_stride = view.col_stride = 0;
    OnDevice out(kDouble, 3, 33, 34);
    kernels.copy(id, view, out.upload(), 3, stream());
    OnDevice shared(kFloat, 1, 33, 34, Order::columns);
    shared.host.fill_random(4);
    OnDevice each(kDouble, 3, 33, 34);
    kernels.copy(id, shared.upload_shared(), each.upload(), 3, stream());
    (void)finish();
    out.download();
    each.download();
    for (std::int64_t p = 0; p < 3; ++p) {
        for (std::int64_t r = 0; r < 33; ++r) {
            for (std::int64_t c = 0; c < 34; ++c) {
                ASSERT_EQ(out.host.get(p, r, c), 0.125);
                ASSERT_EQ(each.host.get(p, r, c), shared.host.get(0, r, c));
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
