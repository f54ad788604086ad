/// "Only enqueues", as far as it can be seen on hardware too: the call returns while its stream is busy,
/// and leaves the device's memory as it was.
///
/// It is shown of a stream's second call: at the first one, a library may still load its kernels, and a
/// handle be made for the stream.

#include "cuda/busy_stream.hpp"

#include <gtest/gtest.h>

#include "cuda/flavour.hpp"
#include "cuda/pipeline_run.hpp"

namespace matgrad::test {
namespace {

struct Shape {
    std::int64_t n, m, batch;
};

class SecondCall : public testing::TestWithParam<std::tuple<ScalarType, Shape>> {
protected:
    SecondCall()
        : pipeline_(std::get<0>(GetParam()), shape().n, shape().m),
          executor_(module_under_test().make_executor(pipeline_.program, {})),
          data_(pipeline_, shape().batch),
          got_(pipeline_, shape().batch),
          run_(*executor_, shape().batch, data_.all(), got_.all()) {
        run_.poison(stream_.get());
        run_.enqueue(stream_.get());
        stream_.wait();
        EXPECT_EQ(run_.finish().summary.failed, 0);
    }
    [[nodiscard]] static const Shape& shape() { return std::get<1>(GetParam()); }

    Pipeline pipeline_;
    std::unique_ptr<const Executor> executor_;
    PipelineData data_;
    PipelineHost got_;
    DeviceRun run_;
    TestStream stream_;
};
INSTANTIATE_TEST_SUITE_P(
    Shapes, SecondCall,
    testing::Combine(testing::ValuesIn(kTypes),
                     testing::Values(Shape{6, 5, 33}, Shape{40, 3, 5}, Shape{100, 8, 9},
                                     Shape{150, 140, 1}, Shape{520, 4, 2})),
    [](const auto& test) {
        return std::string(std::get<0>(test.param) == ScalarType::float32 ? "Float" : "Double") +
               "_n" + std::to_string(std::get<1>(test.param).n);
    });

TEST_P(SecondCall, ReturnsWhileItsStreamIsBusy) {
    const PipelineHost want = got_;
    run_.poison(stream_.get());
    stream_.wait();
    BusyStream busy(stream_.get());
    run_.enqueue(stream_.get());
    busy.release();
    stream_.wait();
    EXPECT_FALSE(busy.gave_up()) << "the call waited for its stream or its device";
    EXPECT_EQ(run_.finish().summary.failed, 0);
    got_.expect_same_bits(want);
}

TEST_P(SecondCall, LeavesTheMemoryOfTheDeviceAsItWas) {
    const auto free_bytes = [] {
        std::size_t free = 0;
        std::size_t total = 0;
        MATGRAD_MUST(cudaMemGetInfo(&free, &total));
        return free;
    };
    // Another process of the machine may take or return memory just then.
    std::size_t before = 0;
    std::size_t after = 1;
    for (int attempt = 0; attempt < 10 && before != after; ++attempt) {
        run_.poison(stream_.get());
        stream_.wait();
        before = free_bytes();
        run_.enqueue(stream_.get());
        stream_.wait();
        after = free_bytes();
    }
    EXPECT_EQ(before, after);
    EXPECT_EQ(run_.finish().summary.failed, 0);
}

TEST(BusyStream, NoticesACallThatWaits) {
    const TestStream stream;
    {
        BusyStream warm(stream.get());
        warm.release();
        stream.wait();
        EXPECT_FALSE(warm.gave_up());
    }
    BusyStream busy(stream.get());
    stream.wait();
    EXPECT_TRUE(busy.gave_up());
}

}  // namespace
}  // namespace matgrad::test
