// One handle moved between streams whose work still runs: are results those of a serial run?
#include <mutex>
#include <thread>

#include "call.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kThreads = 4;

/// A stream with its workspace and calls, and what a serial run of them gives.
struct Lane {
    Stream stream;
    Buffer workspace{Handles::kWorkspaceBytes};
    std::vector<CallPointer> calls;
    std::vector<std::vector<Buffer>> expected;
    Buffer differs;  ///< an int for each round
};

/// Makes the calls of a lane; other seeds, other operands.
using MakeCalls =
    std::function<std::vector<CallPointer>(const Handles&, const Stream&, std::uint64_t seed)>;

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

/// Rounds of all lanes whose results differ. With one handle for all, or one for each lane.
std::int64_t run_rounds(std::vector<Lane>& lanes, std::size_t rounds,
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
    }
    for (const std::string& failure : failures) {
        if (!failure.empty()) {
            throw std::runtime_error(failure);
        }
    }
    return differing;
}

void ask(const Recorder& recorder, const std::string& name, const MakeCalls& make) {
    const std::size_t rounds = recorder.small() ? 4 : 200;
    std::vector<Handles> shared(1);
    std::vector<Lane> lanes = make_lanes(shared[0], make, rounds);
    const auto calls = static_cast<std::int64_t>(rounds * kLanes);
    const auto add = [&](const char* whose, std::int64_t differing) {
        recorder.add({"streams." + name + "." + whose,
                      "",
                      differing == 0
                          ? "same bits as a serial run in " + std::to_string(calls) + " calls"
                          : "DIFFER from a serial run in " + std::to_string(differing) + " of " +
                                std::to_string(calls) + " calls",
                      {{"calls", calls}, {"differing", differing}}});
    };
    add("one_handle", run_rounds(lanes, rounds, shared));
    // If these differ as well, the handle is not to blame.
    const std::vector<Handles> own(kLanes);
    add("own_handles", run_rounds(lanes, rounds, own));
    for (const Lane& lane : lanes) {
        lane.stream.wait();
    }
}

std::vector<Size> orders(const Recorder& recorder) {
    return recorder.small() ? std::vector<Size>{5, 33} : std::vector<Size>{33, 64, 100, 128, 256};
}

Size batch_for(const Recorder& recorder, Size n) {
    return recorder.small() ? 2
                            : 4096 / n;  // 16 to 124 blocks of threads: several calls fit at once
}

template <typename MakeOne>
MakeCalls of_orders(const Recorder& recorder, MakeOne one) {
    return [=, all = orders(recorder), &recorder](const Handles& handles, const Stream& stream,
                                                  std::uint64_t seed) {
        std::vector<CallPointer> calls;
        for (const Size n : all) {
            calls.push_back(one(handles, stream, n, batch_for(recorder, n), seed));
        }
        return calls;
    };
}

void ask_solver(const Recorder& recorder) {
    for (const Type type : {Type::f32, Type::f64}) {
        ask(recorder, std::string("potrf_batched.") + name_of(type),
            of_orders(recorder, [=](const Handles&, const Stream& stream, Size n, Size batch,
                                    std::uint64_t seed) {
                return potrf_batched_call(type, n, batch, stream, seed);
            }));
    }
    ask(recorder, "xpotrf.f32",
        of_orders(recorder, [](const Handles& handles, const Stream& stream, Size n, Size,
                               std::uint64_t seed) {
            return potrf_call(handles, Type::f32, 2 * n, stream, seed);
        }));
}

void ask_blas(const Recorder& recorder) {
    constexpr Type type = Type::f32;
    ask(recorder, "getrf_batched.f32",
        of_orders(recorder,
                  [](const Handles&, const Stream& stream, Size n, Size batch, std::uint64_t seed) {
                      return getrf_batched_call(type, n, batch, stream, seed);
                  }));
    ask(recorder, "trsm_batched.f32",
        of_orders(recorder, [](const Handles&, const Stream& stream, Size n, Size batch,
                               std::uint64_t seed) {
            const TrsmShape shape{
                type, CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N, 32, n, batch, 0};
            return trsm_batched_call(shape, stream, seed);
        }));
    ask(recorder, "gemm.f32",
        of_orders(recorder,
                  [](const Handles&, const Stream& stream, Size n, Size batch, std::uint64_t seed) {
                      // Few problems of many terms: split sums want the workspace.
                      return gemm_call(packed_gemm(type, false, true, n, n, 2048, batch / 16 + 1),
                                       stream, seed);
                  }));
}

}  // namespace

void add_stream_parts(std::vector<Part>& parts) {
    parts.push_back({"streams.cusolver", Group::facts, 20, true, ask_solver});
    parts.push_back({"streams.cublas", Group::facts, 20, true, ask_blas});
}

}  // namespace matgrad::probe
