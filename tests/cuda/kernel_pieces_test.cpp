// Grids of more blocks than one launch takes: the same bits in pieces of two blocks as in one.

#include <gtest/gtest.h>

#include <cstring>

#include "cuda/kernel_bench.hpp"

namespace matgrad::test {
namespace {

class KernelPieces : public OnSimulatedGpu {
protected:
    static constexpr std::int64_t kRows = 70, kCols = 90, kBatch = 5;

    KernelPieces() {
        const ScalarType type = kDouble;
        const MapBody body{{{use(0), Broadcast::none}}, {load_of(0), {MapOp::scale, 0, -1, 3}}};
        map_ = source_.add_map(body, kRows, kCols, type, {&type, 1}, type);
        Reduce step;
        step.over = ReduceOver::rows;
        step.rows = {"m", kRows};
        step.cols = {"n", kCols};
        step.body = body;
        reduce_ = source_.add_reduce(step, type, {&type, 1}, type);
        sum_ = source_.add_batch_sum(kRows, kCols, type);
        count_ = source_.add_count_failed();
        divide_ = source_.add_divide(kRows, kCols, type);
        a_.host.fill_random(1);
        by_columns_.host.fill_random(2);
    }

    /// What every kind of kernel writes, one after the other, and the number of launches.
    std::vector<std::byte> run_all(const gpu::Kernels& kernels, std::size_t& launches) {
        std::vector<std::byte> all;
        const auto keep = [&](std::span<const std::byte> bytes) {
            all.insert(all.end(), bytes.begin(), bytes.end());
        };
        const gpu::DeviceView a = a_.upload();
        const gpu::DeviceView b = by_columns_.upload();
        OnDevice mapped(kDouble, kBatch, kRows, kCols), tiled(kDouble, kBatch, kRows, kCols),
            reduced(kDouble, kBatch, kRows, 1);
        kernels.map(map_, {&a, 1}, mapped.upload(), kBatch, stream());
        kernels.map(map_, {&b, 1}, tiled.upload(), kBatch, stream());
        kernels.reduce(reduce_, {&a, 1}, nullptr, reduced.upload(), kBatch, stream());
        const DeviceBuffer totals(std::as_bytes(std::span(ones_)));
        const DeviceBuffer scratch(
            static_cast<std::size_t>(gpu::Kernels::batch_sum_scratch_bytes(kRows * kCols)));
        kernels.batch_sum(sum_, a, nullptr, reinterpret_cast<double*>(totals.data()),
                          scratch.data(), kBatch, stream());
        const DeviceBuffer status(std::as_bytes(std::span(failures_)));
        const DeviceBuffer failed(std::as_bytes(std::span(none_)));
        kernels.count_failed(count_, reinterpret_cast<const std::int32_t*>(status.data()),
                             reinterpret_cast<std::int64_t*>(failed.data()), 9000, stream());
        kernels.divide(divide_, a, 1, reinterpret_cast<const std::int64_t*>(failed.data()), 9003,
                       stream());
        launches = finish().size();
        for (OnDevice* out : {&mapped, &tiled, &reduced}) {
            out->download();
            keep(out->host.memory());
        }
        OnDevice divided(kDouble, kBatch, kRows, kCols);
        std::vector<std::byte> quotients(divided.host.memory().size());
        MATGRAD_MUST(cudaMemcpy(quotients.data(), a.data, kRows * kCols * sizeof(double),
                                cudaMemcpyDeviceToHost));
        keep(quotients);
        keep(totals.content());
        keep(failed.content());
        return all;
    }

    gpu::KernelSource source_;
    gpu::KernelId map_{}, reduce_{}, sum_{}, count_{}, divide_{};

private:
    const std::vector<double> ones_ = std::vector<double>(kRows * kCols, 1.0);
    const std::vector<std::int32_t> failures_ = std::vector<std::int32_t>(9000, 1);
    const std::vector<std::int64_t> none_ = {0};
    OnDevice a_{kDouble, kBatch, kRows, kCols};
    OnDevice by_columns_{kDouble, kBatch, kRows, kCols, Order::columns};
};

TEST_F(KernelPieces, GiveTheSameBitsAsOneLaunch) {
    std::size_t whole = 0;
    std::size_t pieces = 0;
    const std::vector<std::byte> want = run_all(kernels_of(source_), whole);
    const std::vector<std::byte> got = run_all(kernels_of(source_, 2), pieces);
    EXPECT_EQ(whole, 6U);
    EXPECT_GT(pieces, 50U);
    EXPECT_TRUE(got == want);
}

}  // namespace
}  // namespace matgrad::test
