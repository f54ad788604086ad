/// The pieces of the probe on the simulated GPU: what they have to find out, they find out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>

#include "capture.hpp"
#include "lanes.hpp"
#include "options.hpp"
#include "platform.hpp"
#include "pool.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::probe {
namespace {

using ::testing::HasSubstr;

class ProbePieces : public ::testing::Test {
protected:
    void SetUp() override { simulated::reset(); }
    void TearDown() override { simulated::expect_no_complaints(); }
};

template <typename T>
std::vector<T> numbers(const Buffer& buffer) {
    const std::vector<std::byte> bytes = buffer.download();
    std::vector<T> out(bytes.size() / sizeof(T));
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
}

const Value& value(const Fact& fact, const std::string& name) {
    for (const auto& [key, found] : fact.values) {
        if (key == name) {
            return found;
        }
    }
    throw std::runtime_error("no value " + name);
}

TEST_F(ProbePieces, AHeldStreamTellsACallThatWaitsFromOneThatDoesNot) {
    const Stream stream;
    for (int round = 0; round < 20; ++round) {
        HeldStreams held({stream.get()}, 1);
        launch_empty(stream.get());
        EXPECT_TRUE(held.is_held());
        EXPECT_EQ(cudaStreamQuery(stream.get()), cudaErrorNotReady);
    }
    HeldStreams held({stream.get()}, 1);
    launch_empty(stream.get());
    const auto before = HeldStreams::Clock::now();
    stream.wait();
    ASSERT_FALSE(held.is_held());
    EXPECT_GE(*held.let_go_at(), before);
    EXPECT_LE(*held.let_go_at(), HeldStreams::Clock::now());
}

TEST_F(ProbePieces, ThePoolTellsOfMemoryThatACallTookAndGaveBack) {
    const Stream stream;
    void* kept = nullptr;
    MATGRAD_PROBE(cudaMallocAsync(&kept, 300, stream.get()));
    Pool pool;
    pool.reset();
    EXPECT_EQ(pool.most_used(), 0);
    void* data = nullptr;
    MATGRAD_PROBE(cudaMallocAsync(&data, 5000, stream.get()));
    MATGRAD_PROBE(cudaFreeAsync(data, stream.get()));
    stream.wait();
    EXPECT_EQ(pool.most_used(), 5000);
    EXPECT_EQ(pool.most_reserved(), 5000);
    pool.reset();
    EXPECT_EQ(pool.most_used(), 0);
    MATGRAD_PROBE(cudaFreeAsync(kept, stream.get()));
    stream.wait();
}

TEST_F(ProbePieces, CaptureSaysWhatIsInTheGraphAndThatReplaysAreThePlainCall) {
    const Stream stream;
    const Handles handles;
    const CallPointer call = gemm_call(packed_gemm(Type::f64, false, true, 5, 5, 7, 3), stream);
    call->make_call = [work = call->make_call](const Handles& h, Call& self, cudaStream_t on) {
        MATGRAD_PROBE(cudaMemsetAsync(self.written[0].now.data(), 0, 8, on));
        work(h, self, on);
    };
    for (const Mode mode : {Mode::thread_local_, Mode::global}) {
        const Fact fact = ask_capture("name", "function", *call, handles, stream, mode);
        EXPECT_EQ(fact.answer,
                  "yes, 2 nodes (1 kernel, 1 memset), replays give the plain call's bits");
        EXPECT_EQ(std::get<bool>(value(fact, "captured")), true);
        EXPECT_EQ(std::get<std::int64_t>(value(fact, "nodes")), 2);
        EXPECT_EQ(std::get<bool>(value(fact, "same_bits_on_other_stream")), true);
    }
}

TEST_F(ProbePieces, CaptureFindsACallThatWaits) {
    const Stream stream;
    const Handles handles;
    const CallPointer call = thrust_call(10, stream);
    call->make_call = [](const Handles&, Call&, cudaStream_t on) {
        MATGRAD_PROBE(cudaStreamSynchronize(on));
    };
    const Fact fact = ask_capture("name", "function", *call, handles, stream, Mode::global);
    EXPECT_EQ(fact.answer,
              "NO: cudaStreamSynchronize: cudaErrorStreamCaptureUnsupported, then "
              "cudaStreamEndCapture: cudaErrorStreamCaptureInvalidated");
    EXPECT_EQ(std::get<bool>(value(fact, "captured")), false);
    EXPECT_EQ(fact.verdict, Verdict::surprising);
}

TEST_F(ProbePieces, CaptureKeepsWhatItKnowsOfAGraphThatCannotBeReplayedTwice) {
    const Stream stream;
    const Handles handles;
    const CallPointer call = thrust_call(10, stream);
    simulated::fail_call("cudaGraphLaunch", 2, cudaErrorInvalidValue);
    const Fact fact = ask_capture("name", "function", *call, handles, stream, Mode::global);
    EXPECT_EQ(
        fact.answer,
        "yes, 1 nodes (1 kernel), but A REPLAY FAILS: cudaGraphLaunch: cudaErrorInvalidValue");
    EXPECT_EQ(std::get<std::int64_t>(value(fact, "nodes_kernel")), 1);
    EXPECT_EQ(fact.verdict, Verdict::wrong);
}

TEST_F(ProbePieces, ADeviceForOneProcessIsLeftToTheChildren) {
    EXPECT_TRUE(is_shared());
    simulated::Machine machine;
    machine.compute_mode = cudaComputeModeExclusiveProcess;
    simulated::reset(machine);
    EXPECT_FALSE(is_shared());
}

TEST_F(ProbePieces, CaptureFindsReplaysThatDiffer) {
    const Stream stream;
    const Handles handles;
    const CallPointer call = thrust_call(10, stream);
    int made = 0;
    call->make_call = [&made](const Handles&, Call& self, cudaStream_t on) {
        MATGRAD_PROBE(
            cudaMemsetAsync(self.written[0].now.data(), ++made, self.written[0].now.bytes(), on));
    };
    const Fact fact = ask_capture("name", "function", *call, handles, stream, Mode::global);
    EXPECT_THAT(fact.answer, HasSubstr("REPLAYS DIFFER, DIFFER ON ANOTHER STREAM"));
    EXPECT_EQ(fact.verdict, Verdict::wrong);
}

/// A call that keeps something on the device between two steps, in memory that all lanes share.
CallPointer call_with_shared_memory(const Buffer& shared, const Stream& stream, int byte) {
    CallPointer call = thrust_call(4, stream);
    call->make_call = [&shared, byte](const Handles&, Call& self, cudaStream_t on) {
        MATGRAD_PROBE(cudaMemsetAsync(shared.data(), byte, shared.bytes(), on));
        copy(self.written[0].now, shared, on);
    };
    return call;
}

TEST_F(ProbePieces, LanesFindMemoryThatCallsOnTwoStreamsShare) {
    const std::size_t rounds = 20;
    const std::vector<Handles> handles(1);
    const Buffer shared(4 * sizeof(void*));
    for (const bool with_shared : {false, true}) {
        std::vector<Lane> lanes = make_lanes(
            handles[0],
            [&](const Handles&, const Stream& stream, std::uint64_t seed) {
                std::vector<CallPointer> calls;
                calls.push_back(
                    with_shared ? call_with_shared_memory(shared, stream, static_cast<int>(seed))
                                : getrf_batched_call(Type::f32, 6, 3, stream, seed));
                return calls;
            },
            rounds);
        const Rounds at_once = run_rounds(lanes, rounds, handles, true);
        EXPECT_EQ(at_once.differing > 0, with_shared) << at_once.differing;
        EXPECT_EQ(at_once.held, 20);
        EXPECT_EQ(at_once.not_held, 0);
        EXPECT_EQ(run_rounds(lanes, rounds, handles, false).differing, 0);
    }
}

TEST_F(ProbePieces, LanesDoNotHoldCallsThatWaitForLong) {
    const std::vector<Handles> handles(1);
    std::vector<Lane> lanes = make_lanes(
        handles[0],
        [&](const Handles&, const Stream& stream, std::uint64_t) {
            std::vector<CallPointer> calls;
            calls.push_back(thrust_call(4, stream));
            calls[0]->make_call = [](const Handles&, Call&, cudaStream_t on) {
                MATGRAD_PROBE(cudaStreamSynchronize(on));
            };
            return calls;
        },
        10);
    const Rounds rounds = run_rounds(lanes, 10, handles, true);
    EXPECT_EQ(rounds.held, 0);
    EXPECT_EQ(rounds.not_held, 3);
}

TEST_F(ProbePieces, CompareFindsOneOtherBit) {
    const Stream stream;
    const Size n = 6;
    const Buffer a(n * n * 2 * sizeof(float));
    const Buffer b(a.bytes());
    const Buffer flag(sizeof(int));
    fill(Kind::uniform, Type::f32, a.data(), n, n, 2, 1, stream.get());
    const auto differ = [&](Compared what) {
        what.count = n * n * 2;
        MATGRAD_PROBE(cudaMemsetAsync(flag.data(), 0, sizeof(int), stream.get()));
        compare(what, a.data(), b.data(), flag.as<int>(), stream.get());
        stream.wait();
        return numbers<int>(flag)[0] == 1;
    };
    copy(b, a, stream.get());
    EXPECT_FALSE(differ({}));
    stream.wait();
    std::vector<std::byte> bytes = b.download();
    const std::size_t below =
        4 * static_cast<std::size_t>(n * n + 1);  // row 1, column 0 of the second
    bytes[below] ^= std::byte{1};
    upload(b, bytes, stream.get());
    EXPECT_TRUE(differ({}));
    Compared what;
    what.upper_of_order = n;
    EXPECT_FALSE(differ(what));
    what.upper_of_order = 0;
    what.tolerance = 1e-3;
    EXPECT_FALSE(differ(what));
    fill(Kind::nan, Type::f32, a.data(), n, n, 2, 0, stream.get());
    fill(Kind::nan, Type::f32, b.data(), n, n, 2, 0, stream.get());
    EXPECT_FALSE(differ(what));
    what.nan_is_nan = false;
    EXPECT_TRUE(differ(what));
}

TEST_F(ProbePieces, OperandsAreWhatTheirKindsSay) {
    const Stream stream;
    const Size n = 7;
    const Buffer a(n * n * sizeof(double));
    fill(Kind::spd, Type::f64, a.data(), n, n, 1, 3, stream.get());
    stream.wait();
    const auto spd = numbers<double>(a);
    const auto at = [&](const std::vector<double>& m, Size i, Size j) {
        return m[static_cast<std::size_t>(i + j * n)];
    };
    fill(Kind::swapped, Type::f64, a.data(), n, n, 1, 3, stream.get());
    stream.wait();
    const auto swapped = numbers<double>(a);
    for (Size j = 0; j < n; ++j) {
        double others = 0;
        Size largest = 0;
        for (Size i = 0; i < n; ++i) {
            EXPECT_EQ(at(spd, i, j), at(spd, j, i));
            others += i == j ? 0 : std::abs(at(spd, i, j));
            largest = std::abs(at(swapped, i, j)) > std::abs(at(swapped, largest, j)) ? i : largest;
        }
        EXPECT_GT(at(spd, j, j), others);  // positive definite by Gershgorin
        EXPECT_NE(largest, j);
    }
}

TEST_F(ProbePieces, FactsComeThroughALineUnchanged) {
    const Fact fact{"a.b",
                    "cublasX",
                    "yes",
                    {{"us", 1.5}, {"n", std::int64_t{1} << 40}, {"ok", true}},
                    Verdict::surprising};
    const std::optional<Fact> read = read_line(to_line(fact));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, fact.name);
    EXPECT_EQ(read->answer, fact.answer);
    EXPECT_EQ(read->values, fact.values);
    EXPECT_EQ(read->verdict, fact.verdict);
    EXPECT_THAT(to_line({"x", "", "", {{"pivot", std::nan("")}}}), HasSubstr("\"pivot\":\"NaN\""));
    for (const char* line : {"", "{", "[1]", "{\"name\": 1}", "\xff",
                             R"({"name":"","call":"","answer":"","verdict":"so","values":{}})"}) {
        EXPECT_FALSE(read_line(line)) << line;
    }
}

TEST_F(ProbePieces, RowsThatWouldTakeTooLongAreLeftOut) {
    const Recorder recorder(false, 2);
    Rows rows(recorder);
    EXPECT_TRUE(rows.next("first", 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_FALSE(rows.next("eight times as much", 8));
    EXPECT_TRUE(rows.next("as much", 1));
    const Recorder late(false, 0.3);
    EXPECT_FALSE(Rows(late).next("first", 1));
}

void expect_refused(const std::vector<std::string>& arguments, const std::string& message) {
    try {
        (void)chosen_parts(parse_options(arguments), all_parts());
        FAIL() << "expected: " << message;
    } catch (const std::invalid_argument& error) {
        EXPECT_THAT(error.what(), HasSubstr(message));
    }
}

TEST_F(ProbePieces, OptionsNameWhatIsWrong) {
    expect_refused({"--seconds", "soon"}, "--seconds: found soon, expected a positive number");
    expect_refused({"--seconds", "-1"}, "--seconds: found -1, expected a positive number");
    expect_refused({"--json"}, "--json: found nothing after it, expected a value");
    expect_refused({"--part", "call"}, "--part: found call, expected a name that --list prints");
    expect_refused({"--verbose"}, "--verbose: no such option");
    expect_refused({"--break", "x=melt"}, "--break: found x=melt, expected PART=crash");
}

TEST_F(ProbePieces, NamesStandForPartsAndGroups) {
    const auto names = [](const std::vector<std::string>& arguments) {
        std::vector<std::string> all;
        for (const Part& part : chosen_parts(parse_options(arguments), all_parts())) {
            all.push_back(part.name);
        }
        return all;
    };
    EXPECT_THAT(names({"--part", "streams", "--part", "device"}),
                ::testing::ElementsAre("device", "streams.cusolver", "streams.cublas"));
    const std::size_t facts = names({"--part", "facts"}).size();
    const std::size_t sweeps = names({"--part", "sweeps"}).size();
    EXPECT_GT(facts, sweeps);
    EXPECT_GT(sweeps, 5u);
    EXPECT_EQ(names({}).size(), facts + sweeps);
}

}  // namespace
}  // namespace matgrad::probe
