// reduce kernels on the simulated GPU, against loops in long double.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cuda/kernel_bench.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

class ReduceKernel : public OnSimulatedGpu {};

struct Sizes {
    std::int64_t m, n;
};
constexpr Sizes kShapes[] = {{0, 3},   {3, 0},   {1, 1},    {1, 8},    {9, 1},
                             {31, 33}, {40, 12}, {12, 257}, {1, 5000}, {300, 9}};
constexpr ReduceOver kOvers[] = {ReduceOver::all, ReduceOver::rows, ReduceOver::cols,
                                 ReduceOver::diagonal};

/// An entry, or the product of the entries of two matrices.
MapBody product_of(int operands) {
    MapBody body{{{use(0), Broadcast::none}}, {load_of(0)}};
    if (operands == 2) {
        body.operands.push_back({use(1), Broadcast::none});
        body.code.push_back(load_of(1));
        body.code.push_back({MapOp::mul, 0, 1, 0});
    }
    return body;
}

Reduce reduction(ReduceOp op, ReduceOver over, std::int64_t m, std::int64_t n, MapBody body) {
    Reduce step;
    step.op = op;
    step.over = over;
    step.rows = {"m", m};
    step.cols = {"n", n};
    step.body = std::move(body);
    return step;
}

struct ResultShape {
    std::int64_t rows = 1, cols = 1;
};

ResultShape result_shape(ReduceOver over, std::int64_t m, std::int64_t n) {
    return over == ReduceOver::rows   ? ResultShape{m, 1}
           : over == ReduceOver::cols ? ResultShape{1, n}
                                      : ResultShape{};
}

/// The entries that result i is made of.
template <typename Function>
void for_each_entry(ReduceOver over, std::int64_t m, std::int64_t n, std::int64_t i,
                    Function function) {
    for (std::int64_t r = 0; r < m; ++r) {
        for (std::int64_t c = 0; c < n; ++c) {
            if (over == ReduceOver::all || (over == ReduceOver::rows && r == i) ||
                (over == ReduceOver::cols && c == i) || (over == ReduceOver::diagonal && r == c)) {
                function(r, c);
            }
        }
    }
}

TEST_F(ReduceKernel, SumsAllRowsColumnsAndDiagonalsInAnyMemoryOrder) {
    constexpr double kScale = -0.5;
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        std::vector<gpu::KernelId> ids;
        const ScalarType types[] = {type, type};
        for (const Sizes& size : kShapes) {
            for (const ReduceOver over : kOvers) {
                Reduce step = reduction(ReduceOp::sum, over, size.m, size.n, product_of(2));
                step.scale = kScale;
                ids.push_back(source.add_reduce(step, type, types, type));
            }
        }
        const gpu::Kernels kernels = kernels_of(source);
        auto id = ids.begin();
        for (const auto& [m, n] : kShapes) {
            for (const ReduceOver over : kOvers) {
                const ResultShape shape = result_shape(over, m, n);
                for (const Order order : kOrders) {
                    for (const std::int64_t batch : {0, 3}) {
                        SCOPED_TRACE(testing::Message()
                                     << m << "x" << n << " over " << static_cast<int>(over)
                                     << " batch " << batch << " order " << static_cast<int>(order)
                                     << " type " << size_of(type));
                        OnDevice a(type, batch, m, n, order);
                        OnDevice b(type, batch, m, n, order, true);
                        OnDevice out(type, batch, shape.rows, shape.cols, order);
                        a.host.fill_random(1);
                        b.host.fill_random(2);
                        const gpu::DeviceView in[] = {a.upload(), b.upload()};
                        kernels.reduce(*id, in, nullptr, out.upload(), batch, stream());
                        const std::vector<simulated::Launch> launches = finish();
                        out.download();
                        const std::int64_t results = shape.rows * shape.cols;
                        const std::int64_t length = over == ReduceOver::all    ? m * n
                                                    : over == ReduceOver::rows ? n
                                                    : over == ReduceOver::cols ? m
                                                                               : std::min(m, n);
                        ASSERT_EQ(launches.size(), batch * results > 0 ? 1U : 0U);
                        if (!launches.empty()) {
                            EXPECT_EQ(launches[0].loads, 2 * batch * results * length);
                            EXPECT_EQ(launches[0].stores, batch * results);
                        }
                        for (std::int64_t p = 0; p < batch; ++p) {
                            for (std::int64_t i = 0; i < results; ++i) {
                                long double sum = 0;
                                long double size = 0;
                                for_each_entry(over, m, n, i, [&](auto r, auto c) {
                                    const long double term =
                                        static_cast<long double>(a.host.get(p, r, c)) *
                                        b.host.get(p, r, c);
                                    sum += term;
                                    size += std::abs(term);
                                });
                                // A term meets at most eight sums of a thread in a row, or one in
                                // 1024 of its terms where there are more, then the joining by halves.
                                const long double roundings =
                                    8 + static_cast<long double>(length) / 1024 + 8 + 4;
                                const double got =
                                    shape.cols == 1 ? out.host.get(p, i, 0) : out.host.get(p, 0, i);
                                ASSERT_LE(std::abs(got - kScale * sum),
                                          std::abs(kScale) * roundings * unit(type) * size)
                                    << "result " << i;
                            }
                        }
                    }
                }
                ++id;
            }
        }
    }
}

TEST_F(ReduceKernel, FindsTheLargestAndNaNWhereThereIsOne) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        std::vector<gpu::KernelId> ids;
        for (const auto& [m, n] : kShapes) {
            ids.push_back(
                source.add_reduce(reduction(ReduceOp::max, ReduceOver::all, m, n, product_of(1)),
                                  type, {&type, 1}, type));
        }
        const gpu::Kernels kernels = kernels_of(source);
        for (std::size_t s = 0; s < std::size(kShapes); ++s) {
            const auto [m, n] = kShapes[s];
            SCOPED_TRACE(testing::Message() << m << "x" << n);
            // Three problems: below zero; the largest in each place in turn; a NaN in each place.
            const std::int64_t count = m * n;
            for (std::int64_t place = 0; place < std::max<std::int64_t>(count, 1);
                 place += 1 + count / 7) {
                OnDevice a(type, 3, m, n), out(type, 3, 1, 1);
                a.host.fill_random(5, -2, -1);
                double largest = -infinity;
                for (std::int64_t i = 0; i < count; ++i) {
                    largest = std::max(largest, a.host.get(0, i / n, i % n));
                }
                if (count > 0) {
                    a.host.set(1, place / n, place % n, 3);
                    a.host.set(2, place / n, place % n, std::nan(""));
                }
                const gpu::DeviceView in = a.upload();
                kernels.reduce(ids[s], {&in, 1}, nullptr, out.upload(), 3, stream());
                (void)finish();
                out.download();
                EXPECT_EQ(out.host.get(0, 0, 0), largest);
                EXPECT_EQ(out.host.get(1, 0, 0), count > 0 ? 3 : -infinity);
                EXPECT_EQ(std::isnan(out.host.get(2, 0, 0)), count > 0);
            }
        }
    }
}

TEST_F(ReduceKernel, MultipliesADiagonalAndCountsTheSwaps) {
    constexpr std::int64_t kBatch = 4;
    constexpr std::int64_t kOrders[] = {0, 1, 2, 9, 33, 300};
    gpu::KernelSource source;
    std::vector<gpu::KernelId> plain, with_sign;
    const ScalarType type = kDouble;
    for (const std::int64_t n : kOrders) {
        Reduce step = reduction(ReduceOp::product, ReduceOver::diagonal, n, n, product_of(1));
        plain.push_back(source.add_reduce(step, type, {&type, 1}, type));
        step.op = ReduceOp::signed_product;
        with_sign.push_back(source.add_reduce(step, type, {&type, 1}, type));
    }
    const gpu::Kernels kernels = kernels_of(source);
    std::mt19937 engine(11);
    for (std::size_t s = 0; s < std::size(kOrders); ++s) {
        const std::int64_t n = kOrders[s];
        SCOPED_TRACE(n);
        OnDevice a(type, kBatch, n, n), product(type, kBatch, 1, 1), det(type, kBatch, 1, 1);
        a.host.fill_random(12, -1.2, 1.2);
        std::vector<std::int32_t> pivots;
        std::vector<int> swaps(kBatch, 0);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            for (std::int64_t k = 0; k < n; ++k) {
                const std::int64_t row =
                    k + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(n - k));
                pivots.push_back(static_cast<std::int32_t>(row + 1));
                swaps[static_cast<std::size_t>(p)] += row != k ? 1 : 0;
            }
        }
        const DeviceBuffer device_pivots(std::as_bytes(std::span(pivots)));
        const gpu::DeviceView in = a.upload();
        kernels.reduce(plain[s], {&in, 1}, nullptr, product.upload(), kBatch, stream());
        kernels.reduce(with_sign[s], {&in, 1},
                       reinterpret_cast<const std::int32_t*>(device_pivots.data()), det.upload(),
                       kBatch, stream());
        const std::vector<simulated::Launch> launches = finish();
        ASSERT_EQ(launches.size(), 2U);
        EXPECT_EQ(launches[1].loads, 2 * kBatch * n);
        product.download();
        det.download();
        for (std::int64_t p = 0; p < kBatch; ++p) {
            long double want = 1;
            for (std::int64_t k = 0; k < n; ++k) {
                want *= a.host.get(p, k, k);
            }
            const double got = product.host.get(p, 0, 0);
            EXPECT_LE(std::abs(got - want),
                      static_cast<long double>(n) * unit(type) * std::abs(want));
            const bool odd = swaps[static_cast<std::size_t>(p)] % 2 != 0;
            EXPECT_EQ(det.host.get(p, 0, 0), odd ? -got : got);
        }
    }
}

TEST_F(ReduceKernel, ComputesInItsOwnTypeAndRoundsOnce) {
    // In float, 1 + 2^-30 is 1; in double it is not, and float keeps the difference.
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        MapBody body = product_of(1);
        body.code.push_back({MapOp::offset, 0, -1, -1});
        const ScalarType from = kDouble;
        const gpu::KernelId id = source.add_reduce(
            reduction(ReduceOp::sum, ReduceOver::all, 3, 5, body), type, {&from, 1}, kFloat);
        const gpu::Kernels kernels = kernels_of(source);
        OnDevice a(kDouble, 1, 3, 5), out(kFloat, 1, 1, 1);
        for (std::int64_t i = 0; i < 15; ++i) {
            a.host.set(0, i / 5, i % 5, 1 + 0x1p-30);
        }
        const gpu::DeviceView in = a.upload();
        kernels.reduce(id, {&in, 1}, nullptr, out.upload(), 1, stream());
        (void)finish();
        out.download();
        EXPECT_EQ(out.host.get(0, 0, 0), type == kFloat ? 0 : 15 * 0x1p-30);
    }
}

TEST_F(ReduceKernel, GivesAProblemTheSameBitsInAnyBatch) {
    gpu::KernelSource source;
    const ScalarType type = kFloat;
    const gpu::KernelId id = source.add_reduce(
        reduction(ReduceOp::sum, ReduceOver::all, 9, 7, product_of(1)), type, {&type, 1}, type);
    const gpu::Kernels kernels = kernels_of(source);
    constexpr std::int64_t kBatch = 40;
    OnDevice a(type, kBatch, 9, 7), together(type, kBatch, 1, 1), alone(type, 1, 1, 1);
    a.host.fill_random(6);
    const gpu::DeviceView in = a.upload();
    kernels.reduce(id, {&in, 1}, nullptr, together.upload(), kBatch, stream());
    (void)finish();
    together.download();
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const gpu::DeviceView one = gpu::from_problem(in, p);
        kernels.reduce(id, {&one, 1}, nullptr, alone.upload(), 1, stream());
        (void)finish();
        alone.download();
        EXPECT_TRUE(alone.host.same_bits(0, together.host, p)) << p;
    }
}

}  // namespace
}  // namespace matgrad::test
