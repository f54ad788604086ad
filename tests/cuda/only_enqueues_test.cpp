/// What only the simulated GPU can see of `enqueue`: that it does nothing but enqueue.

#include <gtest/gtest.h>

#include "cuda/device_run.hpp"
#include "executors/pipeline.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

struct Shape {
    std::int64_t n, m, batch;
    bool wishes = false;  ///< results added to what is there, problems in another order
};

class OnlyEnqueues : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(Shapes, OnlyEnqueues,
                         testing::Values(Shape{6, 5, 33}, Shape{1, 1, 1}, Shape{6, 5, 0},
                                         Shape{0, 3, 4}, Shape{150, 140, 1}, Shape{40, 3, 5},
                                         Shape{6, 5, 34, true}),
                         [](const auto& test) {
                             return "n" + std::to_string(test.param.n) + "_batch" +
                                    std::to_string(test.param.batch);
                         });

TEST_P(OnlyEnqueues, AllocatesNothingWaitsForNothingAndCompilesNothing) {
    const Pipeline pipeline(ScalarType::float32, GetParam().n, GetParam().m, true);
    gpu::ExecutorOptions options;
    CallWishes wishes;
    if (GetParam().wishes) {
        options.gathers = true;
        wishes.beta = {1, 0.5, 0, 1, 0, -1};
        for (std::int64_t p = GetParam().batch; p-- > 0;) {
            wishes.rows.push_back(p);
        }
    }
    const auto executor = module_under_test().make_executor(pipeline.program, options);
    const PipelineData data(pipeline, GetParam().batch);
    Matrices sum(ScalarType::float32, 1, pipeline.n, pipeline.m);
    Matrices flipped(ScalarType::float32, 1, pipeline.m, pipeline.n);
    Matrices total(ScalarType::float32, 1, 1, 1);
    Matrices HC(ScalarType::float32, GetParam().batch, pipeline.n, pipeline.m);
    Matrices V(ScalarType::float32, GetParam().batch, 1, 1);
    Matrices G(ScalarType::float32, GetParam().batch, pipeline.m, pipeline.n);
    DeviceRun run(*executor, GetParam().batch, data.all(), {&sum, &flipped, &total, &HC, &V, &G},
                  wishes);
    const TestStream stream;
    run.poison(stream.get());
    stream.wait();
    simulated::expect_no_complaints();
    simulated::reset({}, {1, 0});  // every task as late as it can
    const std::size_t device_bytes = simulated::allocated_bytes(0);
    const std::size_t pinned_bytes = simulated::pinned_bytes();
    run.enqueue(stream.get());
    EXPECT_GT(simulated::calls(""), 0);
    for (const char* forbidden :
         {"cudaMalloc", "cudaFree", "cudaHostAlloc", "cudaStreamCreate", "cudaStreamDestroy",
          "cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventCreate", "cudaEventDestroy",
          "cudaEventSynchronize", "cudaStreamQuery", "cudaMemcpy2", "cudaLibrary", "nvrtc",
          "cublasCreate", "cusolverDnCreate", "cudaMemGetInfo"}) {
        EXPECT_EQ(simulated::calls(forbidden), 0) << forbidden;
    }
    EXPECT_EQ(simulated::allocated_bytes(0), device_bytes);
    EXPECT_EQ(simulated::pinned_bytes(), pinned_bytes);
    EXPECT_TRUE(simulated::launches().empty()) << "something ran before it was waited for";
    EXPECT_GT(simulated::pending_tasks(), 0U);
    stream.wait();
    EXPECT_EQ(run.finish().summary.failed, 0);
}

TEST(AnyOrder, OfWhatRunsWhenGivesTheSameBits) {
    // Eager and late, with other orders of threads in a block: nothing leans on luck.
    const Pipeline pipeline(ScalarType::float64, 7, 5, true);
    const auto executor = module_under_test().make_executor(pipeline.program, {});
    const PipelineData data(pipeline, 19);
    std::vector<std::vector<std::byte>> all;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        simulated::set_schedule({seed, static_cast<double>(seed % 3) / 2});
        std::vector<Matrices> results;
        for (const auto& [batch, rows, cols] : {std::array<std::int64_t, 3>{1, 7, 5},
                                                {1, 5, 7},
                                                {1, 1, 1},
                                                {19, 7, 5},
                                                {19, 1, 1},
                                                {19, 5, 7}}) {
            results.emplace_back(ScalarType::float64, batch, rows, cols);
        }
        std::vector<Matrices*> pointers;
        for (Matrices& matrices : results) {
            pointers.push_back(&matrices);
        }
        DeviceRun run(*executor, 19, data.all(), pointers);
        const TestStream stream;
        run.poison(stream.get());
        run.enqueue(stream.get());
        stream.wait();
        run.finish();
        std::vector<std::byte>& bytes = all.emplace_back();
        for (const Matrices& matrices : results) {
            bytes.insert(bytes.end(), matrices.memory().begin(), matrices.memory().end());
        }
    }
    simulated::set_schedule({});
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_EQ(all[i], all[0]) << "schedule " << i;
    }
}

}  // namespace
}  // namespace matgrad::test
