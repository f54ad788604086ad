/// Eight streams, fed by four threads, with factorizations that need scratch memory of the libraries:
/// what one call leaves on the device must not be another's.

#include <gtest/gtest.h>

#include <thread>

#include "cuda/flavour.hpp"
#include "cuda/pipeline_run.hpp"

namespace matgrad::test {
namespace {

constexpr std::size_t kStreams = 8;
constexpr std::size_t kThreads = 4;

struct Size {
    std::int64_t n, batch;
};

class ManyStreams : public testing::TestWithParam<std::tuple<ScalarType, Size>> {};
INSTANTIATE_TEST_SUITE_P(
    Sizes, ManyStreams,
    testing::Combine(testing::ValuesIn(kTypes),
                     testing::Values(Size{40, 20}, Size{100, 8}, Size{200, 4})),
    [](const auto& test) {
        return std::string(std::get<0>(test.param) == ScalarType::float32 ? "Float" : "Double") +
               "_n" + std::to_string(std::get<1>(test.param).n);
    });

/// One stream with what runs on it.
struct Lane {
    Lane(const Executor& executor, const Pipeline& pipeline, std::int64_t batch, std::uint32_t seed)
        : data(data_of_seed(pipeline, batch, seed)),
          want(pipeline, batch),
          got(pipeline, batch),
          run(executor, batch, data.all(), got.all()) {
        // Alone: nothing else is under way.
        run_on_device(executor, batch, data.all(), want.all());
    }
    PipelineData data;
    PipelineHost want, got;
    DeviceRun run;
    TestStream stream;
};

TEST_P(ManyStreams, GiveTheBitsOfARunAlone) {
    const auto& [type, size] = GetParam();
    const Pipeline pipeline(type, size.n, 3);
    // The simulated libraries are slow, and their matrices of any size go the same way.
    const std::int64_t batch = is_simulated() ? 2 : size.batch;
    const int rounds = is_simulated() ? 2 : 25;
    const auto executor = module_under_test().make_executor(pipeline.program, {});
    std::vector<std::unique_ptr<Lane>> lanes;
    for (std::size_t i = 0; i < kStreams; ++i) {
        // Batches differ in length: calls of one size must not meet by chance.
        lanes.push_back(std::make_unique<Lane>(*executor, pipeline,
                                               batch + static_cast<std::int64_t>(i % 3),
                                               static_cast<std::uint32_t>(100 * i)));
    }
    for (int round = 0; round < rounds; ++round) {
        SCOPED_TRACE(testing::Message() << "round " << round);
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                // In another order in every round, so that streams and what they borrow change partners.
                for (std::size_t i = 0; i < kStreams; ++i) {
                    const std::size_t lane = (i + static_cast<std::size_t>(round)) % kStreams;
                    if (lane % kThreads == t) {
                        lanes[lane]->run.poison(lanes[lane]->stream.get());
                        lanes[lane]->run.enqueue(lanes[lane]->stream.get());
                        lanes[lane]->run.enqueue(lanes[lane]->stream.get());
                    }
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (const auto& lane : lanes) {
            lane->stream.wait();
            EXPECT_EQ(lane->run.finish().summary.failed, 0);
            lane->got.expect_same_bits(lane->want);
        }
        if (HasFailure()) {
            return;  // the rounds that follow say no more
        }
    }
}

}  // namespace
}  // namespace matgrad::test
