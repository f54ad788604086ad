// One handle moved between streams whose work still runs: are results those of a serial run?
#include <cstdlib>

#include "lanes.hpp"
#include "part.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

std::string evidence(const Rounds& at_once, const Rounds& serial) {
    std::string text;
    if (at_once.held > 0) {
        text = "; 8 at once " + short_number(at_once.us) + " us a call, one after the other " +
               short_number(serial.us);
    }
    if (at_once.not_held > 0) {
        text += "; CALLS WAIT in " + std::to_string(at_once.not_held) + " rounds that were held";
    }
    return text;
}

void ask(const Recorder& recorder, const std::string& name, const MakeCalls& make) {
    if (!recorder.has_time("streams." + name, recorder.small() ? 0 : 2)) {
        return;
    }
    const std::size_t rounds = recorder.small() ? 4 : 100;
    std::vector<Handles> shared(1);
    std::vector<Lane> lanes = make_lanes(shared[0], make, rounds);
    const auto calls = static_cast<std::int64_t>(rounds * kLanes);
    const Rounds serial = run_rounds(lanes, recorder.small() ? 4 : 20, shared, false);
    const auto add = [&](const char* whose, const Rounds& at_once) {
        const std::int64_t differing = at_once.differing;
        recorder.add(
            {"streams." + name + "." + whose,
             "",
             (differing == 0 ? "same bits as a serial run in " + std::to_string(calls) + " calls"
                             : "DIFFER from a serial run in " + std::to_string(differing) + " of " +
                                   std::to_string(calls) + " calls") +
                 evidence(at_once, serial),
             {{"calls", calls},
              {"differing", differing},
              {"held_rounds", at_once.held},
              {"at_once_us", at_once.us},
              {"serial_us", serial.us}},
             differing > 0          ? Verdict::wrong
             : at_once.not_held > 0 ? Verdict::surprising
                                    : Verdict::ok});
    };
    add("one_handle", run_rounds(lanes, rounds, shared, true));
    // If these differ as well, the handle is not to blame.
    const std::vector<Handles> own(kLanes);
    use_once(lanes, own);
    add("own_handles", run_rounds(lanes, rounds, own, true));
}

/// The 8 queues between host and device that are the default might order calls on other streams.
void ask_for_queues() {
    (void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
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
    ask_for_queues();
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
    ask_for_queues();
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
    parts.push_back({"streams.cusolver", Group::facts, 10, true, ask_solver});
    parts.push_back({"streams.cublas", Group::facts, 10, true, ask_blas});
}

}  // namespace matgrad::probe
