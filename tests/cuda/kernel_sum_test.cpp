// Sums over the batch, counts of failures and means on the simulated GPU.

#include <gtest/gtest.h>

#include <cmath>

#include "cuda/kernel_bench.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

class BatchSumKernel : public OnSimulatedGpu {};

struct Sizes {
    std::int64_t m, n;
};
constexpr Sizes kShapes[] = {{0, 3}, {1, 1}, {2, 3}, {15, 17}, {16, 16}, {257, 3}, {9, 200}};

/// Numbers in device memory.
template <typename T>
class Numbers {
public:
    explicit Numbers(std::vector<T> values)
        : host(std::move(values)), memory_(std::as_bytes(std::span(host))) {}
    [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.data()); }
    void download() { memory_.download(std::as_writable_bytes(std::span(host))); }
    std::vector<T> host;

private:
    DeviceBuffer memory_;
};

/// One in five problems failed; one in five is jittered, which is no failure.
std::vector<std::int32_t> some_failures(std::int64_t batch) {
    std::vector<std::int32_t> status(static_cast<std::size_t>(batch));
    for (std::size_t p = 0; p < status.size(); ++p) {
        const auto failed = static_cast<StatusKind>(p % 3 + 1);
        status[p] = p % 5 == 2   ? make_status(failed, static_cast<std::int64_t>(p % 7 + 1))
                    : p % 5 == 3 ? make_status(StatusKind::jittered)
                                 : 0;
    }
    return status;
}

TEST_F(BatchSumKernel, AddsTheProblemsThatSucceededToTheTotals) {
    gpu::KernelSource source;
    std::vector<gpu::KernelId> ids;
    for (const auto& [m, n] : kShapes) {
        for (const ScalarType type : kTypes) {
            ids.push_back(source.add_batch_sum(m, n, type));
        }
    }
    const gpu::Kernels kernels = kernels_of(source);
    auto id = ids.begin();
    for (const auto& [m, n] : kShapes) {
        const std::int64_t count = m * n;
        for (const ScalarType type : kTypes) {
            for (const std::int64_t batch : {0, 1, 17, 300, 1000}) {
                for (const Order order : {Order::rows, Order::columns, Order::reversed_rows}) {
                    for (const bool failures : {false, true}) {
                        SCOPED_TRACE(testing::Message()
                                     << m << "x" << n << " batch " << batch << " order "
                                     << static_cast<int>(order) << " type " << size_of(type)
                                     << " failures " << failures);
                        OnDevice a(type, batch, m, n, order);
                        a.host.fill_random(7);
                        Numbers<std::int32_t> status(some_failures(batch));
                        Naive want(m, n);
                        for (std::int64_t p = 0; p < batch; ++p) {
                            const bool failed =
                                failures && !succeeded(status.host[static_cast<std::size_t>(p)]);
                            if (!failed) {
                                want = plus(want, matrix(a.host, p));
                                continue;
                            }
                            for (std::int64_t i = 0; i < count; ++i) {
                                a.host.set(p, i / n, i % n, std::nan(""));
                            }
                        }
                        Numbers<double> totals(
                            std::vector<double>(static_cast<std::size_t>(count), 2.0));
                        const DeviceBuffer scratch(
                            static_cast<std::size_t>(gpu::Kernels::batch_sum_scratch_bytes(count)));
                        kernels.batch_sum(*id, a.upload(), failures ? status.data() : nullptr,
                                          totals.data(), scratch.data(), batch, stream());
                        const std::vector<simulated::Launch> launches = finish();
                        totals.download();
                        if (batch * count == 0) {
                            EXPECT_TRUE(launches.empty());
                            continue;
                        }
                        // Of the data, once: stage one also reads status, stage two the sums.
                        EXPECT_GE(launches[0].loads, batch * count);
                        EXPECT_LE(launches[0].loads, 2 * batch * count + count);
                        for (std::int64_t i = 0; i < count; ++i) {
                            // Sums in double of at most `batch` numbers of at most 1, and 2.
                            ASSERT_LE(std::abs(totals.host[static_cast<std::size_t>(i)] -
                                               (2 + want(i / n, i % n))),
                                      static_cast<long double>(batch + 2) *
                                          static_cast<long double>(batch + 2) * unit(kDouble))
                                << "entry " << i;
                        }
                    }
                }
            }
            ++id;
        }
    }
}

TEST_F(BatchSumKernel, AddsInAnOrderThatTheMemoryOrderAndTheScheduleDoNotChange) {
    gpu::KernelSource source;
    const gpu::KernelId id = source.add_batch_sum(5, 40, kFloat);
    const gpu::Kernels kernels = kernels_of(source);
    constexpr std::int64_t kBatch = 700;
    std::vector<std::vector<double>> results;
    for (const Order order : kOrders) {
        for (const std::uint64_t seed : {1U, 2U}) {
            simulated::set_schedule({seed});
            OnDevice a(kFloat, kBatch, 5, 40, order);
            a.host.fill_random(9);
            Numbers<double> totals(std::vector<double>(200, 0.0));
            const DeviceBuffer scratch(
                static_cast<std::size_t>(gpu::Kernels::batch_sum_scratch_bytes(200)));
            kernels.batch_sum(id, a.upload(), nullptr, totals.data(), scratch.data(), kBatch,
                              stream());
            EXPECT_EQ(finish().size(), 2U);  // segments, then their sums
            totals.download();
            results.push_back(totals.host);
        }
    }
    for (const std::vector<double>& result : results) {
        EXPECT_EQ(result, results[0]);
    }
}

TEST_F(BatchSumKernel, CountsFailuresOnTopOfWhatIsThere) {
    gpu::KernelSource source;
    const gpu::KernelId id = source.add_count_failed();
    const gpu::Kernels kernels = kernels_of(source);
    for (const std::int64_t batch : {0, 1, 3, 255, 2048, 2049, 10000}) {
        SCOPED_TRACE(batch);
        const Numbers<std::int32_t> status(some_failures(batch));
        std::int64_t want = 40;
        for (const std::int32_t one : status.host) {
            want += succeeded(one) ? 0 : 1;
        }
        Numbers<std::int64_t> failed({40});
        kernels.count_failed(id, status.data(), failed.data(), batch, stream());
        (void)finish();
        failed.download();
        EXPECT_EQ(failed.host[0], want);
    }
}

TEST_F(BatchSumKernel, DividesByTheNumberThatSucceeded) {
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        const gpu::KernelId id = source.add_divide(33, 9, type);
        const gpu::Kernels kernels = kernels_of(source);
        OnDevice a(type, 1, 33, 9, Order::columns);
        a.host.fill_random(3);
        const Naive before = matrix(a.host, 0);
        const Numbers<std::int64_t> failed({4});
        const gpu::DeviceView view = a.upload();
        kernels.divide(id, view, 1, failed.data(), 0, stream());  // an empty batch has no mean
        EXPECT_TRUE(finish().empty());
        kernels.divide(id, view, 1, failed.data(), 7, stream());
        (void)finish();
        a.download();
        const Naive want = scaled(1 / 3.0L, before);
        expect_within(matrix(a.host, 0), want, entrywise(want, [&](long double x, auto, auto) {
                          return 1.001L * unit(type) * std::abs(x);
                      }));
        OnDevice several(type, 5, 33, 9, Order::padded_rows);
        several.host.fill_random(4);
        const Naive last = matrix(several.host, 4);
        kernels.divide(id, several.upload(), 5, failed.data(), 7, stream());
        (void)finish();
        several.download();
        const Naive third = scaled(1 / 3.0L, last);
        expect_within(matrix(several.host, 4), third,
                      entrywise(third, [&](long double x, auto, auto) {
                          return 1.001L * unit(type) * std::abs(x);
                      }));
        kernels.divide(id, a.upload(), 1, failed.data(), 4, stream());  // none succeeded
        (void)finish();
        a.download();
        EXPECT_FALSE(std::isfinite(a.host.get(0, 0, 0)));
    }
}

}  // namespace
}  // namespace matgrad::test
