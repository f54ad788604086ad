// The peer on a GPU, on the simulated one: its closed forms are right, and its calls only enqueue.

#include <cublas_v2.h>
#include <cusolverDn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/data.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/suite.hpp"
#include "cuda/loader.hpp"
#include "cuda/simulated_support.hpp"

namespace matgrad::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// All four functions with every operand shared and batched, in both types, one problem and several.
/// Sizes that make every choice between forms go both ways.
const char* const kSuite = R"({"name": "peers", "cases": [
    {"function": "frobenius",
     "for": {"sizes": [{"m": 9, "n": 4, "p": 6}, {"m": 3, "n": 8, "p": 2}],
             "type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [[], ["X"], ["A"], ["X", "A"]], "batch": [1, 7]}},
    {"function": "least_squares", "sizes": {"m": 9, "n": 4},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [[], ["x"], ["b"], ["x", "b"], ["A"], ["A", "x", "b"]], "batch": [1, 7]}},
    {"function": "bilinear_trace",
     "for": {"sizes": [{"p": 3, "m": 9, "n": 4}, {"p": 3, "m": 4, "n": 9}, {"p": 7, "m": 2, "n": 3}],
             "type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [[], ["X"], ["A"], ["X", "B"], ["A", "X", "B"]], "batch": [1, 7]}},
    {"function": "log_det_gram", "sizes": {"m": 9, "n": 4},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batch": [1, 7]}},
    {"function": "log_det_gram", "sizes": {"m": 9, "n": 4}, "batched": [], "batch": 7}]})";

Pace short_pace() {
    Pace pace;
    pace.seconds = 1e-4;
    pace.warm_up_of_a_gpu = 0;
    return pace;
}

/// It takes the device for a small one, so that few copies are made to be beyond its cache.
std::unique_ptr<Runner> peer_runner() {
    simulated::Machine machine;
    machine.device_memory = std::size_t{1} << 20;
    simulated::reset(machine);
    const GpuContender peer = cublas_peer(matgrad_cublas_peer);
    auto runner = make_gpu_runner({DeviceKind::cuda, 0}, {peer, as_graphs(peer)});
    simulated::reset();
    return runner;
}

TEST(CublasPeer, GivesRightResultsForAllFourFunctions) {
    const auto runner = peer_runner();
    for (const Case& c : parse_suite(kSuite, "peers").cases) {
        EXPECT_THAT(runner->executors(c), ElementsAre("cublas", "cublas, graph"));
        for (const std::string& executor : runner->executors(c)) {
            const Row row = runner->run(c, executor, short_pace());
            EXPECT_EQ(row.executor, executor);
            if (c.function == "log_det_gram" && executor == "cublas, graph" && !row.ok) {
                // cuSOLVER does not say that its calls may be captured.
                EXPECT_THAT(row.error, HasSubstr("cusolverDn")) << c.name;
                (void)simulated::take_complaints();
                continue;
            }
            EXPECT_TRUE(row.ok) << c.name << ": " << row.error;
            EXPECT_GT(row.copies, 1);
            EXPECT_GT(row.timing.seconds, 0);
            EXPECT_GT(row.timing.enqueue_seconds, 0);
            simulated::expect_no_complaints();
        }
    }
}

/// Two products, recorded for each copy of the operands.
Case graph_case() {
    return parse_suite(R"({"name": "graphs", "cases": [
        {"function": "frobenius", "type": "float32", "sizes": {"m": 9, "n": 4, "p": 6},
         "batched": ["X"], "outputs": "gradient", "batch": 20}]})",
                       "graphs")
        .cases.front();
}

TEST(CublasPeer, ReplaysGraphsOfWhatItEnqueues) {
    const auto runner = peer_runner();
    (void)runner->ceilings(1);  // products too
    const std::int64_t products = simulated::calls("cublasGemm");
    const std::int64_t launches = simulated::calls("cudaGraphLaunch");
    const Row row = runner->run(graph_case(), "cublas, graph", short_pace());
    EXPECT_TRUE(row.ok) << row.error;
    // One run before, one to record each copy, and none that is measured.
    EXPECT_EQ(simulated::calls("cublasGemm") - products, 2 * (1 + row.copies));
    EXPECT_EQ(simulated::calls("cudaGraphInstantiate"), row.copies);
    EXPECT_GT(simulated::calls("cudaGraphLaunch") - launches, row.timing.repeats);
}

TEST(CublasPeer, HasARowWithTheErrorWhereACaptureIsRefused) {
    const auto runner = peer_runner();
    (void)runner->ceilings(1);
    const Case c = graph_case();
    simulated::fail_call("cublasGemm", 3, CUBLAS_STATUS_NOT_SUPPORTED);  // the first one recorded
    const Row row = runner->run(c, "cublas, graph", short_pace());
    EXPECT_FALSE(row.ok);
    EXPECT_THAT(row.error, HasSubstr("CUBLAS_STATUS_NOT_SUPPORTED"));
    EXPECT_TRUE(runner->run(c, "cublas", short_pace()).ok);
    EXPECT_TRUE(runner->run(c, "cublas, graph", short_pace()).ok);
    simulated::expect_no_complaints();
}

TEST(CublasPeer, TakesFewLargeGramMatricesOneByOneAndManySmallOnesAtOnce) {
    const auto runner = peer_runner();
    const Suite suite = parse_suite(R"({"name": "large", "cases": [
        {"function": "log_det_gram", "type": "float32", "sizes": {"m": 4, "n": 4}, "batch": 20},
        {"function": "log_det_gram", "type": "float32", "sizes": {"m": 512, "n": 512},
         "batch": 2}]})",
                                    "large");
    const Row small = runner->run(suite.cases.front(), short_pace());
    EXPECT_TRUE(small.ok) << small.error;
    const std::int64_t batched = simulated::calls("cusolverDnSpotrfBatched");
    EXPECT_GT(batched, 0);
    EXPECT_EQ(simulated::calls("cusolverDnXpotrf"), 0);
    const Row large = runner->run(suite.cases.back(), short_pace());
    EXPECT_TRUE(large.ok) << large.error;
    EXPECT_EQ(simulated::calls("cusolverDnSpotrfBatched"), batched);
    EXPECT_GE(simulated::calls("cusolverDnXpotrf"), 1 + 2);
}

/// The memory of some copies of a case, and the peer made ready on it.
class Copies {
public:
    Copies(const Case& c, std::int64_t copies)
        : outputs_(results_of(c)),
          layout_(c, outputs_),
          stopwatch_(module().make_stopwatch(0)),
          base_(stopwatch_->allocate(static_cast<std::size_t>(copies) * layout_.bytes)),
          host_(static_cast<std::size_t>(copies) * layout_.bytes) {
        for (std::int64_t copy = 0; copy < copies; ++copy) {
            fill_operands(c, layout_,
                          host_.data() + static_cast<std::size_t>(copy) * layout_.bytes);
        }
        stopwatch_->copy(base_, host_.data(), static_cast<std::size_t>(copies) * layout_.bytes);
        results_ = layout_.results_at(base_, outputs_);
        operands_ = layout_.operands_at(base_, c);
        call_ = cublas_peer(matgrad_cublas_peer)
                    .prepare(c, {module().devices().front(), *stopwatch_, operands_, results_,
                                 copies, layout_.bytes})
                    .call;
        stopwatch_->wait();
    }
    static const gpu::Module& module() {
        std::string why;
        return *gpu::load_module(why);
    }
    void enqueue(std::int64_t copy) {
        std::byte* const base = base_ + static_cast<std::size_t>(copy) * layout_.bytes;
        for (std::size_t i = 0; i < operands_.size(); ++i) {
            operands_[i].data = base + layout_.operands[i];
        }
        for (std::size_t i = 0; i < results_.size(); ++i) {
            results_[i].data = base + layout_.results[i];
        }
        call_(operands_, results_);
    }
    /// What lies behind the operands of a copy.
    [[nodiscard]] std::string results(std::int64_t copy) {
        std::string bytes(layout_.bytes - layout_.operand_bytes, 0);
        stopwatch_->copy(
            bytes.data(),
            base_ + static_cast<std::size_t>(copy) * layout_.bytes + layout_.operand_bytes,
            bytes.size());
        stopwatch_->wait();
        return bytes;
    }

private:
    std::vector<OutputInfo> outputs_;
    Layout layout_;
    std::unique_ptr<gpu::Stopwatch> stopwatch_;
    std::byte* base_;
    HostMemory host_;
    std::vector<ConstStrided> operands_;
    std::vector<Strided> results_;
    Call call_;
};

TEST(CublasPeer, WritesTheResultsOfTheCopyThatItIsGiven) {
    simulated::reset();
    for (const Case& c : parse_suite(kSuite, "peers").cases) {
        Copies copies(c, 3);
        const std::string untouched = copies.results(0);
        copies.enqueue(2);
        const std::string last = copies.results(2);
        EXPECT_NE(last, untouched) << c.name;
        EXPECT_EQ(copies.results(0), untouched) << c.name;
        EXPECT_EQ(copies.results(1), untouched) << c.name;
        copies.enqueue(0);
        EXPECT_EQ(copies.results(0), last) << c.name;
        simulated::expect_no_complaints();
    }
}

TEST(CublasPeer, MultipliesInTheOrderThatComputesLess) {
    simulated::reset();
    const Suite suite = parse_suite(R"({"name": "orders", "cases": [
        {"function": "frobenius", "outputs": "value", "batched": ["X"], "batch": 7,
         "for": {"sizes": [{"m": 9, "n": 4, "p": 6}, {"m": 3, "n": 8, "p": 2}]}}]})",
                                    "orders");
    const auto products = [](const Case& c) {
        Copies copies(c, 1);
        const std::int64_t before = simulated::calls("cublasGemm");
        copies.enqueue(0);
        (void)copies.results(0);
        return simulated::calls("cublasGemm") - before;
    };
    EXPECT_EQ(products(suite.cases.front()), 2);  // A'A and X (A'A): 6*4*4 + 63*4*4 < 63*4*6
    EXPECT_EQ(products(suite.cases.back()), 1);   // X A': 2*8*8 + 21*8*8 > 21*8*2
}

TEST(CublasPeer, OnlyEnqueues) {
    simulated::reset();
    for (const Case& c : parse_suite(kSuite, "peers").cases) {
        Copies copies(c, 2);
        const char* const forbidden[] = {"cudaMalloc",
                                         "cudaFree",
                                         "cudaHostAlloc",
                                         "cudaStreamSynchronize",
                                         "cudaDeviceSynchronize",
                                         "cudaEventSynchronize",
                                         "cublasCreate",
                                         "cusolverDnCreate",
                                         "cudaMemcpy_"};
        std::vector<std::int64_t> before;
        for (const char* name : forbidden) {
            before.push_back(simulated::calls(name));
        }
        const std::int64_t all = simulated::calls("");
        copies.enqueue(1);
        copies.enqueue(0);
        EXPECT_GT(simulated::calls(""), all);
        for (std::size_t i = 0; i < before.size(); ++i) {
            EXPECT_EQ(simulated::calls(forbidden[i]), before[i]) << c.name << ": " << forbidden[i];
        }
        (void)copies.results(0);
    }
}

TEST(CublasPeer, TellsInOneLineWhichCallFailed) {
    const auto runner = peer_runner();
    (void)runner->ceilings(1);
    const Suite suite = parse_suite(R"({"name": "failures", "cases": [
        {"function": "frobenius", "sizes": {"m": 9, "n": 4, "p": 6}},
        {"function": "least_squares", "sizes": {"m": 9, "n": 4}, "batched": ["x"], "batch": 3}]})",
                                    "failures");
    struct Failure {
        const char* call;
        int code;
        std::size_t in;  ///< the case that begins with it
    };
    const Failure failures[] = {{"cublasCreate", CUBLAS_STATUS_ALLOC_FAILED, 0},
                                {"cusolverDnCreate", CUSOLVER_STATUS_ALLOC_FAILED, 0},
                                {"cublasGemmEx", CUBLAS_STATUS_EXECUTION_FAILED, 0},
                                {"cudaLaunchKernelExC", cudaErrorInvalidConfiguration, 1}};
    for (const Failure& failure : failures) {
        simulated::fail_call(failure.call, 1, failure.code);
        const Row row = runner->run(suite.cases[failure.in], short_pace());
        EXPECT_FALSE(row.ok);
        EXPECT_THAT(row.error, testing::StartsWith(failure.call));
        EXPECT_THAT(row.error, testing::HasSubstr("failed with"));
        EXPECT_THAT(row.error, testing::Not(testing::HasSubstr("\n")));
        EXPECT_TRUE(runner->run(suite.cases[failure.in], short_pace()).ok);
    }
}

TEST(CublasPeer, IsNotOfferedOtherFunctions) {
    Case other = parse_suite(kSuite, "peers").cases.front();
    other.f = "sum(X)";
    EXPECT_FALSE(is_offered(other, "cublas"));
}

}  // namespace
}  // namespace matgrad::bench
