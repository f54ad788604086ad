// One handle moved between streams whose work still runs: are results those of a serial run?
#include "lanes.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

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
                      {{"calls", calls}, {"differing", differing}},
                      differing == 0 ? Verdict::ok : Verdict::wrong});
    };
    add("one_handle", count_differing(lanes, rounds, shared));
    // If these differ as well, the handle is not to blame.
    const std::vector<Handles> own(kLanes);
    add("own_handles", count_differing(lanes, rounds, own));
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
