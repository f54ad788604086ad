/// What an enqueue may be asked for beside its batch: mistakes are named before anything is enqueued, and a
/// graph does the same as a plain call. On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <vector>

#include "cuda/device_run.hpp"
#include "executors/every_result.hpp"
#include "matgrad/error.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 9;

class DeviceWishes : public testing::Test {
protected:
    static CallWishes reversed_rows() {
        CallWishes wishes;
        wishes.beta.assign(kOutputs, 1);
        for (std::int64_t p = kBatch; p-- > 0;) {
            wishes.rows.push_back(p);
        }
        return wishes;
    }
    static std::unique_ptr<const Executor> executor(bool gathers, bool capturable = false) {
        gpu::ExecutorOptions options;
        options.gathers = gathers;
        options.capturable = capturable;
        return module_under_test().make_executor(EveryResult(ScalarType::float64).program, options);
    }
    EveryResultData data_{ScalarType::float64, kBatch, Order::rows, false};
    std::vector<double> ones_ = std::vector<double>(kOutputs, 1);
    EveryResultResults results_{ScalarType::float64, kBatch, Order::rows, false, ones_};
};

/// What is wrong with the call.
template <typename Error>
std::string error_of(const Executor& executor, const DeviceCall& call) {
    const TestStream stream;
    DeviceCall streamed = call;
    streamed.stream = stream.get();
    std::string message = "none";
    try {
        executor.enqueue(streamed);
    } catch (const Error& error) {
        message = error.what();
    }
    stream.wait();
    return message;
}

TEST_F(DeviceWishes, RowsWithoutRoomForOperandsAreUnsupported) {
    const auto plain = executor(false);
    const EveryResultResults before = results_;
    DeviceRun run(*plain, kBatch, data_.all(), results_.all(), reversed_rows());
    const std::string message = error_of<UnsupportedError>(*plain, run.call());
    EXPECT_NE(message.find("rows are given"), std::string::npos) << message;
    for (std::size_t i = 0; i < kOutputs; ++i) {
        EXPECT_TRUE(run.results[i].is_unchanged(before.each[i]));
    }
    EXPECT_GT(executor(true)->workspace_bytes(), plain->workspace_bytes());
}

TEST_F(DeviceWishes, MistakesAreNamed) {
    const auto plans = executor(true);
    DeviceRun run(*plans, kBatch, data_.all(), results_.all(), reversed_rows());
    const std::vector<std::int64_t> on_the_host(kBatch);
    DeviceCall call = run.call();
    call.rows = on_the_host.data();
    std::string message = error_of<OperandError>(*plans, call);
    EXPECT_NE(message.find("the index of rows is host memory"), std::string::npos) << message;
    call = run.call();
    call.beta = call.beta.first(2);
    message = error_of<OperandError>(*plans, call);
    EXPECT_NE(message.find("beta has 2 entries: expected 9"), std::string::npos) << message;
}

TEST_F(DeviceWishes, AGraphDoesTheSameAtEachReplay) {
    const auto plans = executor(true, true);
    EveryResultResults graph = results_;
    DeviceRun plain(*plans, kBatch, data_.all(), results_.all(), reversed_rows());
    DeviceRun recorded(*plans, kBatch, data_.all(), graph.all(), reversed_rows());
    const TestStream stream;
    plain.poison(stream.get());
    plain.enqueue(stream.get());
    plain.enqueue(stream.get());
    stream.wait();
    (void)plain.finish();
    recorded.poison(stream.get());
    stream.wait();
    const auto stopwatch = module_under_test().make_stopwatch(0);
    const auto recording = stopwatch->record(
        [&] { recorded.enqueue(static_cast<cudaStream_t>(stopwatch->stream())); });
    recording->replay();
    recording->replay();
    stopwatch->wait();
    (void)recorded.finish();
    for (std::size_t i = 0; i < kOutputs; ++i) {
        for (std::int64_t p = 0; p < graph.each[i].batch(); ++p) {
            EXPECT_TRUE(graph.each[i].same_bits(p, results_.each[i], p)) << "output " << i;
        }
    }
}

}  // namespace
}  // namespace matgrad::test
