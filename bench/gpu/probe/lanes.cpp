#include "lanes.hpp"

#include <mutex>
#include <thread>

namespace matgrad::probe {
namespace {

void enqueue_round(Lane& lane, std::size_t index, std::size_t round, const Handles& handles,
                   std::mutex& turn) {
    const std::size_t which = (round + index) % lane.calls.size();
    Call& call = *lane.calls[which];
    call.reset(lane.stream.get());
    {
        // A handle may serve one thread at a time; nobody waits for the device.
        const std::lock_guard lock(turn);
        call.make(handles, lane.stream.get(), &lane.workspace);
    }
    for (std::size_t i = 0; i < call.written.size(); ++i) {
        const Written& w = call.written[i];
        const auto count = static_cast<Size>(w.now.bytes() / size_of(w.type));
        compare({w.type, count, w.upper_of_order, -1}, w.now.data(), lane.expected[which][i].data(),
                lane.differs.as<int>() + round, lane.stream.get());
    }
}

}  // namespace

std::vector<Lane> make_lanes(const Handles& handles, const MakeCalls& make, std::size_t rounds) {
    std::vector<Lane> lanes(kLanes);
    for (std::size_t i = 0; i < kLanes; ++i) {
        Lane& lane = lanes[i];
        lane.calls = make(handles, lane.stream, 10 * (i + 1));
        for (const CallPointer& call : lane.calls) {
            call->make(handles, lane.stream.get(), &lane.workspace);
            std::vector<Buffer>& expected = lane.expected.emplace_back();
            for (const Written& w : call->written) {
                copy(expected.emplace_back(w.now.bytes()), w.now, lane.stream.get());
            }
        }
        lane.differs = Buffer(rounds * sizeof(int));
        MATGRAD_PROBE(
            cudaMemsetAsync(lane.differs.data(), 0, lane.differs.bytes(), lane.stream.get()));
        lane.stream.wait();
    }
    return lanes;
}

std::int64_t count_differing(std::vector<Lane>& lanes, std::size_t rounds,
                             const std::vector<Handles>& handles) {
    std::mutex turn;
    std::vector<std::string> failures(kThreads);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                try {
                    for (std::size_t round = 0; round < rounds; ++round) {
                        for (std::size_t i = t; i < lanes.size(); i += kThreads) {
                            enqueue_round(lanes[i], i, round, handles[i % handles.size()], turn);
                        }
                    }
                } catch (const CallFailed& error) {
                    failures[t] = error.what();
                }
            });
        }
    }
    std::int64_t differing = 0;
    for (const Lane& lane : lanes) {
        lane.stream.wait();
        const std::vector<std::byte> bytes = lane.differs.download();
        for (std::size_t at = 0; at < bytes.size(); at += sizeof(int)) {
            differing += bytes[at] != std::byte{0} ? 1 : 0;
        }
        MATGRAD_PROBE(
            cudaMemsetAsync(lane.differs.data(), 0, lane.differs.bytes(), lane.stream.get()));
        lane.stream.wait();
    }
    for (const std::string& failure : failures) {
        if (!failure.empty()) {
            throw std::runtime_error(failure);
        }
    }
    return differing;
}

}  // namespace matgrad::probe
