// Rows: right results have times, wrong ones do not.

#include "bench/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bench/differentials.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/host_module.hpp"
#include "bench/inputs.hpp"
#include "bench/suite.hpp"
#include "bench/suite_fields.hpp"
#include "cuda/loader.hpp"

namespace matgrad::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Suite small_suite() {
    return parse_suite(R"({"name": "small", "cases": [
        {"function": "log_det_gram", "sizes": {"m": 6, "n": 3}, "batch": 5,
         "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"]}},
        {"function": "frobenius", "sizes": {"m": 6, "n": 3, "p": 4}, "batch": 5, "batched": ["X"]},
        {"function": "gaussian_nll", "sizes": {"n": 4}, "batch": 3, "type": "float32"},
        {"function": "ridge", "sizes": {"m": 6, "n": 3}, "batch": 2},
        {"function": "procrustes", "sizes": {"m": 6, "n": 3}},
        {"function": "frobenius", "sizes": {"m": 6, "n": 3, "p": 4}, "batch": 6,
         "batched": ["A"], "reduce": "sum", "for": {"type": ["float32", "float64"]}}]})",
                       "small");
}

Pace short_pace() {
    Pace pace;
    pace.seconds = 0.002;
    pace.warm_up_of_a_gpu = 0.002;
    return pace;
}

/// matgrad with few operands: filling the memory beyond the cache takes longer than all else.
Contender on_two_copies() {
    Contender contender = matgrad_on_cpu();
    contender.most_copies = 2;
    return contender;
}

/// matgrad, but for one entry of the last result of one problem.
Contender spoiled(double relative_error, const std::int64_t& problem) {
    Contender contender = on_two_copies();
    contender.prepare = [inner = contender.prepare, relative_error, &problem](
                            const Case& c, int threads) -> Prepared {
        return Call([call = inner(c, threads).call, c, relative_error, &problem](
                        std::span<const ConstStrided> operands, std::span<const Strided> results) {
            call(operands, results);
            const std::int64_t at = problem * results.back().batch_stride;
            if (c.type == ScalarType::float32) {
                static_cast<float*>(results.back().data)[at] *=
                    static_cast<float>(1 + relative_error);
            } else {
                static_cast<double*>(results.back().data)[at] *= 1 + relative_error;
            }
        });
    };
    return contender;
}

TEST(CpuRows, OfRightResultsHaveTimesAndResiduals) {
    const auto runner = make_cpu_runner(on_two_copies(), 2);
    for (const Case& c : small_suite().cases) {
        const Row row = runner->run(c, short_pace());
        EXPECT_TRUE(row.ok) << c.name << ": " << row.error;
        EXPECT_EQ(row.executor, "cpu");
        EXPECT_GT(row.timing.seconds, 0);
        EXPECT_GE(row.timing.repeats, 1);  // five where the machine is not too busy for them
        EXPECT_EQ(row.copies, 2);
        EXPECT_GT(row.plan_seconds, 0);
        EXPECT_TRUE(std::isnan(row.timing.enqueue_seconds));
        EXPECT_GT(row.bound_seconds, 0);
        EXPECT_GT(row.residual.bound, 0);
    }
    const Row row = make_cpu_runner(matgrad_on_cpu(), 2)->run(small_suite().cases[0], short_pace());
    EXPECT_TRUE(row.ok) << row.error;
    EXPECT_GT(row.copies, 2);  // beyond the cache
}

TEST(CpuRows, OfWrongResultsFail) {
    std::int64_t problem = 0;
    const auto runner = make_cpu_runner(spoiled(0.01, problem), 1);
    for (problem = 0; problem < 5; problem += 2) {  // those that are checked
        for (const Case& c : small_suite().cases) {
            if (c.batch != 5) {
                continue;
            }
            const Row row = runner->run(c, short_pace());
            EXPECT_FALSE(row.ok) << c.name;
            EXPECT_THAT(row.error, HasSubstr("exceeds its bound"));
            EXPECT_TRUE(std::isnan(row.timing.seconds));
        }
    }
}

TEST(CpuRows, OfResultsThatAreNotANumberFail) {
    const std::int64_t first = 0;
    const auto runner = make_cpu_runner(spoiled(kNone, first), 1);
    EXPECT_FALSE(runner->run(small_suite().cases[0], short_pace()).ok);
}

TEST(CpuRows, OfACaseThatCannotBeRunSayWhy) {
    Contender contender = matgrad_on_cpu();
    contender.prepare = [](const Case&, int) -> Prepared { throw MachineError("no luck today"); };
    const Row row = make_cpu_runner(contender, 1)->run(small_suite().cases[0], short_pace());
    EXPECT_FALSE(row.ok);
    EXPECT_EQ(row.error, "no luck today");
    Case large = small_suite().cases[0];
    large.batch = std::int64_t{1} << 40;
    EXPECT_THAT(make_cpu_runner(matgrad_on_cpu(), 1)->run(large, short_pace()).error,
                HasSubstr("half of the memory"));
}

class OnAGpu : public ::testing::Test {
protected:
    void TearDown() override { gpu::use_linked_module(nullptr); }
};

TEST_F(OnAGpu, RowsHaveTimesOfTheDeviceOfEnqueueingAndOfThePlan) {
    const bench_test::HostModule module(0);
    gpu::use_linked_module(&module);
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0});
    EXPECT_THAT(runner->device(), HasSubstr("Host"));
    EXPECT_GT(runner->ceilings(1).float32.copy_bytes_per_s, 0);
    EXPECT_GT(runner->ceilings(1).float64.multiply_add_flops_per_s, 0);
    for (const Case& c : small_suite().cases) {
        ASSERT_THAT(runner->executors(c),
                    ElementsAre("cuda library", "cuda library, graph", "cuda", "cuda, graph"));
        for (const std::string& executor : runner->executors(c)) {
            const Row row = runner->run(c, executor, short_pace());
            EXPECT_TRUE(row.ok) << c.name << ": " << row.error;
            EXPECT_EQ(row.executor, executor);
            EXPECT_GT(row.timing.seconds, 0);
            EXPECT_GT(row.timing.enqueue_seconds, 0);
            EXPECT_GT(row.plan_seconds, 0);
        }
    }
    EXPECT_THROW((void)make_gpu_runner({DeviceKind::cuda, 1}), OperandError);
}

TEST_F(OnAGpu, IsKeptBusyBeforeARowIsMeasured) {
    const bench_test::HostModule module(0);
    gpu::use_linked_module(&module);
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0});
    const Case c = small_suite().cases[0];
    (void)runner->run(c, short_pace());  // measures the ceilings
    Pace pace = short_pace();
    const auto taken = [&](double warm_up) {
        pace.warm_up_of_a_gpu = warm_up;
        const Clock::time_point start = Clock::now();
        EXPECT_TRUE(runner->run(c, pace).ok);
        return seconds_since(start);
    };
    EXPECT_GE(taken(0.3), 0.3);
    EXPECT_LT(taken(0), 0.3);
    EXPECT_EQ(Pace{}.warm_up_of_a_gpu, 0.1);
}

TEST_F(OnAGpu, RowsOfWrongResultsFail) {
    const bench_test::HostModule module(0.01);
    gpu::use_linked_module(&module);
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0});
    const Case c = small_suite().cases[0];
    for (const std::string& executor : runner->executors(c)) {
        const Row row = runner->run(c, executor, short_pace());
        EXPECT_FALSE(row.ok);
        EXPECT_THAT(row.error, HasSubstr("exceeds its bound"));
        EXPECT_TRUE(std::isnan(row.timing.seconds));
    }
}

TEST_F(OnAGpu, ResultsOfTheContenderBeforeDoNotPassForThoseOfTheNext) {
    const bench_test::HostModule module(0);
    gpu::use_linked_module(&module);
    GpuContender idle;
    idle.executor = "idle";
    idle.prepare = [](const Case&, const GpuPlace&) -> Prepared {
        return Call([](std::span<const ConstStrided>, std::span<const Strided>) {});
    };
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0}, {matgrad_on_gpu(), idle});
    for (const Case& c : small_suite().cases) {
        EXPECT_TRUE(runner->run(c, "cuda library", short_pace()).ok);
        EXPECT_FALSE(runner->run(c, "idle", short_pace()).ok) << c.name;
    }
}

TEST_F(OnAGpu, GraphsAreForSmallBatchesAndAFewCopies) {
    const bench_test::HostModule module(0);
    gpu::use_linked_module(&module);
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0});
    Case c = parse_suite(R"({"name": "s", "cases": [
        {"function": "least_squares", "sizes": {"m": 2, "n": 1}, "type": "float32"}]})",
                         "s")
                 .cases[0];
    const Row plain = runner->run(c, "cuda library", short_pace());
    const Row graph = runner->run(c, "cuda library, graph", short_pace());
    EXPECT_GT(plain.copies, kMostGraphs);
    EXPECT_EQ(graph.copies, kMostGraphs);
    c.batch = kMostProblemsOfAGraph;
    EXPECT_EQ(runner->executors(c).size(), 4);
    ++c.batch;
    EXPECT_THAT(runner->executors(c), ElementsAre("cuda library", "cuda"));
}

TEST_F(OnAGpu, ARowWhoseWorkCannotBeRecordedSaysWhy) {
    const bench_test::HostModule module(0, false);
    gpu::use_linked_module(&module);
    const auto runner = make_gpu_runner({DeviceKind::cuda, 0});
    const Case c = small_suite().cases[0];
    EXPECT_TRUE(runner->run(c, "cuda library", short_pace()).ok);
    const Row row = runner->run(c, "cuda library, graph", short_pace());
    EXPECT_FALSE(row.ok);
    EXPECT_EQ(row.error, "there are no graphs here");
}

TEST(CheckedProblems, AreTheFirstTheMiddleAndTheLast) {
    Case c = small_suite().cases[0];
    for (const auto& [batch, expected] :
         std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>{
             {1, {0}}, {2, {0, 1}}, {3, {0, 1, 2}}, {1000, {0, 500, 999}}}) {
        c.batch = batch;
        EXPECT_EQ(checked_problems(c), expected);
    }
    c.batched.clear();
    EXPECT_EQ(checked_problems(c), std::vector<std::int64_t>{0});
}

TEST(Differentials, AreThoseOfTheReferenceAlongTheDirectionsOfTheInputs) {
    // df(X; D) = 2 tr(inv(X'X) X'D), by hand.
    Suite suite = small_suite();
    AnswerBook book;
    std::size_t told = 0;
    const Json json =
        Json::parse(differentials_text(suite, book, [&](std::size_t done) { told = done; }));
    EXPECT_EQ(told, suite.cases.size());
    EXPECT_EQ(json["seed"], kInputSeed);
    EXPECT_EQ(json["cases"].size(), suite.cases.size());
    const Case& c = suite.cases[5];
    ASSERT_EQ(c.type, ScalarType::float64);
    const Json& answers = json["cases"][c.name];
    EXPECT_EQ(answers["case"], to_json(c));
    ASSERT_EQ(answers["problems"].size(), 3);
    for (const Json& problem : answers["problems"]) {
        const auto p = problem["problem"].get<std::int64_t>();
        const Eigen::MatrixXd x = input(c.declare[0], 6, 3, p);
        const Eigen::MatrixXd d = direction(c.declare[0], 6, 3, p);
        const Eigen::MatrixXd gram = x.transpose() * x;
        const double value = std::log(gram.determinant());
        const double slope = 2 * (gram.inverse() * x.transpose() * d).trace();
        EXPECT_NEAR(problem["f"].get<double>(), value, problem["value_bound"].get<double>());
        EXPECT_NEAR(problem["df"].get<double>(), slope, problem["bound"].get<double>());
        EXPECT_GT(problem["bound"].get<double>(), 0);
        EXPECT_LT(problem["bound"].get<double>(), 1e-9 * (1 + std::abs(slope)));
    }
}

}  // namespace
}  // namespace matgrad::bench
