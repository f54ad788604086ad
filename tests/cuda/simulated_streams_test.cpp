/// Streams and events of the simulated GPU: work runs late, in an order that a seed decides, and what
/// is not waited for shows.

#include <set>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedStream : public SimulatedTest {
protected:
    /// Appends a task that writes down a letter.
    void note(cudaStream_t stream, char letter) {
        ASSERT_EQ(enqueue(stream, "note", [this, letter] { notes_ += letter; }), cudaSuccess);
    }
    std::string notes_;
};

TEST_F(SimulatedStream, RunsNothingUntilItIsWaitedForWhereNothingIsEager) {
    set_schedule({1, 0});
    const TestStream stream;
    note(stream, 'a');
    note(stream, 'b');
    EXPECT_EQ(notes_, "");
    EXPECT_EQ(pending_tasks(), 2u);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(notes_, "ab");
    EXPECT_EQ(pending_tasks(), 0u);
}

TEST_F(SimulatedStream, KeepsItsOwnOrderAndNoOtherOrder) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        set_schedule({seed, 1});
        notes_.clear();
        const TestStream first;
        const TestStream second;
        for (int i = 0; i < 3; ++i) {
            note(first, static_cast<char>('a' + i));
            note(second, static_cast<char>('A' + i));
        }
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        std::string lower;
        std::string upper;
        for (const char letter : notes_) {
            (letter >= 'a' ? lower : upper) += letter;
        }
        EXPECT_EQ(lower, "abc");
        EXPECT_EQ(upper, "ABC");
        seen.insert(notes_);
    }
    EXPECT_GT(seen.size(), 5u);
}

TEST_F(SimulatedStream, RunsTheSameWayForTheSameSeed) {
    std::string before;
    for (int round = 0; round < 2; ++round) {
        set_schedule({7, 0.5});
        notes_.clear();
        const TestStream first;
        const TestStream second;
        for (int i = 0; i < 8; ++i) {
            note(first, 'a');
            note(second, 'b');
        }
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        if (round == 1) {
            EXPECT_EQ(notes_, before);
        }
        before = notes_;
    }
}

TEST_F(SimulatedStream, WaitsForAnEventOfAnotherInEveryOrder) {
    for (const double eagerness : {0.0, 0.5, 1.0}) {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            set_schedule({seed, eagerness});
            notes_.clear();
            const TestStream first;
            const TestStream second;
            const TestEvent event;
            note(first, 'a');
            ASSERT_EQ(cudaEventRecord(event, first), cudaSuccess);
            ASSERT_EQ(cudaStreamWaitEvent(second, event, 0), cudaSuccess);
            note(second, 'b');
            EXPECT_EQ(cudaStreamSynchronize(second), cudaSuccess);
            EXPECT_EQ(notes_, "ab");
        }
    }
}

TEST_F(SimulatedStream, ThatWaitsForNoEventReadsWhatIsNotYetWritten) {
    const std::vector<double> numbers = {1, 2, 3, 4};
    for (const bool waits : {true, false}) {
        set_schedule({1, 0});
        const TestStream compute;
        const TestStream download;
        const TestEvent computed;
        const DeviceArray<double> from(numbers);
        const DeviceArray<double> to(4);
        const PinnedArray<double> result(4);
        ASSERT_EQ(cudaMemcpyAsync(to.data(), from.data(), 32, cudaMemcpyDefault, compute),
                  cudaSuccess);
        ASSERT_EQ(cudaEventRecord(computed, compute), cudaSuccess);
        if (waits) {
            ASSERT_EQ(cudaStreamWaitEvent(download, computed, 0), cudaSuccess);
        }
        ASSERT_EQ(cudaMemcpyAsync(result.data(), to.data(), 32, cudaMemcpyDefault, download),
                  cudaSuccess);
        ASSERT_EQ(cudaStreamSynchronize(download), cudaSuccess);
        EXPECT_EQ(std::vector<double>(result.data(), result.data() + 4) == numbers, waits);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
}

TEST_F(SimulatedStream, ReadsPinnedMemoryLateAndPageableMemoryAtOnce) {
    set_schedule({1, 0});
    const TestStream stream;
    const PinnedArray<double> pinned(1);
    const DeviceArray<double> first(1);
    const DeviceArray<double> second(1);
    pinned[0] = 1;
    double pageable = 1;
    ASSERT_EQ(cudaMemcpyAsync(first.data(), pinned.data(), 8, cudaMemcpyHostToDevice, stream),
              cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(second.data(), &pageable, 8, cudaMemcpyHostToDevice, stream),
              cudaSuccess);
    pinned[0] = 2;
    pageable = 2;
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(first.download()[0], 2);
    EXPECT_EQ(second.download()[0], 1);
}

TEST_F(SimulatedStream, WritesPinnedMemoryLateAndPageableMemoryBeforeItReturns) {
    set_schedule({1, 0});
    const TestStream stream;
    const DeviceArray<double> from(std::vector<double>{5});
    const PinnedArray<double> pinned(1);
    double pageable = 0;
    pinned[0] = 0;
    ASSERT_EQ(cudaMemcpyAsync(pinned.data(), from.data(), 8, cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
    EXPECT_EQ(pinned[0], 0);
    ASSERT_EQ(cudaMemcpyAsync(&pageable, from.data(), 8, cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
    EXPECT_EQ(pageable, 5);
    EXPECT_EQ(pinned[0], 5);  // the same stream, so before it
}

TEST_F(SimulatedStream, OfNoNameRunsToItsEndInABlockingCopyAndWaitsForNoOther) {
    set_schedule({1, 0});
    const TestStream other;
    note(other, 'o');
    note(nullptr, 'n');
    const DeviceArray<double> array(std::vector<double>{1});
    EXPECT_EQ(notes_, "n");
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(notes_, "no");
}

TEST_F(SimulatedStream, GetsOnWhenItIsPolled) {
    set_schedule({1, 0});
    const TestStream stream;
    const TestEvent event;
    note(stream, 'a');
    note(stream, 'b');
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    note(stream, 'c');
    EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    int polls = 0;
    while (cudaEventQuery(event) == cudaErrorNotReady) {
        ASSERT_LT(++polls, 10);
    }
    EXPECT_EQ(notes_, "ab");
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
    EXPECT_EQ(notes_, "abc");
}

TEST_F(SimulatedStream, StillRunsWhatItHoldsWhenItIsDestroyed) {
    set_schedule({1, 0});
    {
        const TestStream stream;
        note(stream, 'a');
    }
    EXPECT_EQ(notes_, "");
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(notes_, "a");
}

TEST_F(SimulatedStream, ThatWasDestroyedTakesNoWork) {
    cudaStream_t stream = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaStreamDestroy(stream), cudaSuccess);
    EXPECT_FALSE(is_stream(stream));
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
    expect_complaint("destroyed");
    EXPECT_EQ(enqueue(stream, "note", [] {}), cudaErrorInvalidResourceHandle);
    expect_complaint("destroyed");
    EXPECT_EQ(cudaStreamDestroy(nullptr), cudaErrorInvalidResourceHandle);
}

TEST_F(SimulatedStream, BelongsToTheDeviceItWasMadeOn) {
    reset({2});
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    const TestStream stream;
    const TestEvent event;
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    const TestStream here;
    int device = -1;
    EXPECT_EQ(cudaStreamGetDevice(stream, &device), cudaSuccess);
    EXPECT_EQ(device, 1);
    EXPECT_EQ(device_of(stream), 1);
    EXPECT_EQ(device_of(nullptr), 0);
    const TestKernel kernel("MATGRAD_KERNEL(none, int, 1) {}", "none");
    EXPECT_EQ(kernel.launch(1, 1, 0, stream), cudaErrorInvalidResourceHandle);
    EXPECT_EQ(cudaEventRecord(event, here), cudaErrorInvalidResourceHandle);
    // Waiting goes from device to device.
    EXPECT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(here, event, 0), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(here), cudaSuccess);
}

TEST_F(SimulatedStream, IsTimedByEventsThatKeepTime) {
    const TestStream stream;
    const TestEvent first(cudaEventDefault);
    const TestEvent last(cudaEventDefault);
    const TestEvent timeless;
    float ms = -1;
    EXPECT_EQ(cudaEventElapsedTime(&ms, first, last), cudaErrorInvalidResourceHandle);
    set_schedule({1, 0});
    ASSERT_EQ(cudaEventRecord(first, stream), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(last, stream), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(timeless, stream), cudaSuccess);
    EXPECT_EQ(cudaEventElapsedTime(&ms, first, last), cudaErrorNotReady);
    ASSERT_EQ(cudaEventSynchronize(last), cudaSuccess);
    EXPECT_EQ(cudaEventElapsedTime(&ms, first, last), cudaSuccess);
    EXPECT_GE(ms, 0);
    EXPECT_EQ(cudaEventElapsedTime(&ms, first, timeless), cudaErrorInvalidResourceHandle);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

TEST_F(SimulatedStream, ReportsATaskThatThrows) {
    ASSERT_EQ(enqueue(nullptr, "task", [] { throw std::runtime_error("no good"); }), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    expect_complaint("task: the task threw: no good");
}

}  // namespace
}  // namespace matgrad::simulated
