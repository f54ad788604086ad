#include "lanes.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

#include "platform.hpp"

namespace matgrad::probe {
namespace {

/// A held stream is let go after this time: a call that waits for it would never return.
constexpr double kHeldSeconds = 0.25;
constexpr std::int64_t kMostNotHeld = 3;

void compare_with(const Buffer& expected, const Written& w, const Lane& lane, std::size_t round,
                  cudaStream_t stream) {
    const auto count = static_cast<Size>(w.now.bytes() / size_of(w.type));
    compare({w.type, count, w.upper_of_order, -1}, w.now.data(), expected.data(),
            lane.differs.as<int>() + round, stream);
}

void enqueue_call(Lane& lane, std::size_t index, std::size_t round, const Handles& handles,
                  std::mutex& turn, cudaStream_t stream) {
    const std::size_t which = (round + index) % lane.calls.size();
    Call& call = *lane.calls[which];
    call.reset(stream);
    {
        // A handle may serve one thread at a time; nobody waits for the device.
        const std::lock_guard lock(turn);
        call.make(handles, stream, &lane.workspace);
    }
    for (std::size_t i = 0; i < call.written.size(); ++i) {
        compare_with(lane.expected[which][i], call.written[i], lane, round, stream);
    }
}

/// A call on each lane, by threads, each on its own streams; by one thread if there is one stream.
void enqueue_round(std::vector<Lane>& lanes, std::size_t round, const std::vector<Handles>& handles,
                   const std::vector<cudaStream_t>& streams) {
    std::mutex turn;
    const std::size_t count = streams.size() == 1 ? 1 : kThreads;
    std::vector<std::string> failures(count);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < count; ++t) {
            threads.emplace_back([&, t] {
                try {
                    for (std::size_t i = t; i < lanes.size(); i += count) {
                        enqueue_call(lanes[i], i, round, handles[i % handles.size()], turn,
                                     streams[i % streams.size()]);
                    }
                } catch (const CallFailed& error) {
                    failures[t] = error.what();
                }
            });
        }
    }
    for (const std::string& failure : failures) {
        if (!failure.empty()) {
            throw std::runtime_error(failure);
        }
    }
}

/// Reads the flags of all rounds, and clears them.
std::int64_t take_differing(std::vector<Lane>& lanes) {
    std::int64_t differing = 0;
    for (const Lane& lane : lanes) {
        const std::vector<std::byte> bytes = lane.differs.download();
        for (std::size_t at = 0; at < bytes.size(); at += sizeof(int)) {
            differing += bytes[at] != std::byte{0} ? 1 : 0;
        }
        MATGRAD_PROBE(
            cudaMemsetAsync(lane.differs.data(), 0, lane.differs.bytes(), lane.stream.get()));
        lane.stream.wait();
    }
    return differing;
}

}  // namespace

std::vector<Lane> make_lanes(const Handles& handles, const MakeCalls& make, std::size_t rounds) {
    std::vector<Lane> lanes(kLanes);
    for (std::size_t i = 0; i < kLanes; ++i) {
        Lane& lane = lanes[i];
        lane.differs = Buffer(rounds * sizeof(int));
        lane.calls = make(handles, lane.stream, 10 * (i + 1));
        for (const CallPointer& call : lane.calls) {
            call->make(handles, lane.stream.get(), &lane.workspace);
            std::vector<Buffer>& expected = lane.expected.emplace_back();
            for (const Written& w : call->written) {
                copy(expected.emplace_back(w.now.bytes()), w.now, lane.stream.get());
                // Its kernel is loaded now: that might wait for a stream that is held.
                compare_with(expected.back(), w, lane, 0, lane.stream.get());
            }
        }
        MATGRAD_PROBE(
            cudaMemsetAsync(lane.differs.data(), 0, lane.differs.bytes(), lane.stream.get()));
        lane.stream.wait();
    }
    return lanes;
}

void use_once(const std::vector<Lane>& lanes, const std::vector<Handles>& handles) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        const Lane& lane = lanes[i];
        for (const CallPointer& call : lane.calls) {
            call->reset(lane.stream.get());
            call->make(handles[i % handles.size()], lane.stream.get(), &lane.workspace);
        }
        lane.stream.wait();
    }
}

Rounds run_rounds(std::vector<Lane>& lanes, std::size_t rounds, const std::vector<Handles>& handles,
                  bool at_once) {
    std::vector<cudaStream_t> streams;
    for (const Lane& lane : lanes) {
        if (at_once || streams.empty()) {
            streams.push_back(lane.stream.get());
        }
    }
    Rounds result;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::optional<HeldStreams> held;
        if (result.not_held < kMostNotHeld) {
            held.emplace(streams, kHeldSeconds);
        }
        enqueue_round(lanes, round, handles, streams);
        const bool was_held = held && held->is_held();
        result.held += was_held ? 1 : 0;
        result.not_held += held && !was_held ? 1 : 0;
        const auto begin = std::chrono::steady_clock::now();
        if (held) {
            held->release();
        }
        for (const Lane& lane : lanes) {
            lane.stream.wait();
        }
        if (was_held) {
            result.us +=
                std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
                    .count();
        }
    }
    result.us /= static_cast<double>(std::max<std::int64_t>(result.held, 1)) *
                 static_cast<double>(lanes.size());
    result.differing = take_differing(lanes);
    return result;
}

}  // namespace matgrad::probe
