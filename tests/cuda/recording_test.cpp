// Work of a stream recorded by the stopwatch: nothing runs then, and every replay gives what a run gives.
// On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <vector>

#include "cuda/device_run.hpp"
#include "matgrad/error.hpp"

namespace matgrad::test {
namespace {

class Recorded : public testing::Test {
protected:
    static constexpr std::size_t kBytes = 4096;

    Recorded()
        : stopwatch_(module_under_test().make_stopwatch(0)),
          from_(stopwatch_->allocate(kBytes)),
          to_(stopwatch_->allocate(kBytes)) {
        fill(from_, 1);
        fill(to_, 2);
    }
    void fill(std::byte* device, unsigned char value) {
        const std::vector<unsigned char> content(kBytes, value);
        stopwatch_->copy(device, content.data(), kBytes);
        stopwatch_->wait();
    }
    [[nodiscard]] int first_of(const std::byte* device) {
        std::vector<unsigned char> content(kBytes);
        stopwatch_->copy(content.data(), device, kBytes);
        stopwatch_->wait();
        EXPECT_EQ(content, std::vector<unsigned char>(kBytes, content.front()));
        return content.front();
    }
    [[nodiscard]] std::unique_ptr<const gpu::Recording> record_copy() {
        return stopwatch_->record([this] { stopwatch_->copy(to_, from_, kBytes); });
    }

    std::unique_ptr<gpu::Stopwatch> stopwatch_;
    std::byte *from_, *to_;
};

TEST_F(Recorded, WorkRunsAtEveryReplayAndNotBefore) {
    const auto recording = record_copy();
    EXPECT_EQ(first_of(to_), 2);
    recording->replay();
    EXPECT_EQ(first_of(to_), 1);
    fill(from_, 7);
    recording->replay();
    EXPECT_EQ(first_of(to_), 7);
}

TEST_F(Recorded, WorkIsTimedLikeOther) {
    const auto recording = record_copy();
    stopwatch_->start();
    recording->replay();
    recording->replay();
    EXPECT_GE(stopwatch_->stop(), 0);
    EXPECT_EQ(first_of(to_), 1);
}

TEST_F(Recorded, WorkThatWaitsIsRefusedAndTheStreamGoesOn) {
    EXPECT_THROW((void)stopwatch_->record([this] {
        stopwatch_->copy(to_, from_, kBytes);
        stopwatch_->wait();
    }),
                 MachineError);
    EXPECT_EQ(first_of(to_), 2);
    stopwatch_->copy(to_, from_, kBytes);
    EXPECT_EQ(first_of(to_), 1);
    fill(from_, 5);
    record_copy()->replay();
    EXPECT_EQ(first_of(to_), 5);
}

TEST_F(Recorded, AnErrorOfTheCallerIsPassedOnAndTheStreamGoesOn) {
    EXPECT_THROW((void)stopwatch_->record([] { throw OperandError("no such operand"); }),
                 OperandError);
    record_copy()->replay();
    EXPECT_EQ(first_of(to_), 1);
}

}  // namespace
}  // namespace matgrad::test
