/// The first call of a process is captured: no library has loaded a kernel or made a handle before.
///
/// Each test runs its body in a process of its own, which it starts.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "cuda/captured_graph.hpp"
#include "cuda/pipeline_run.hpp"
#include "matgrad/error.hpp"

namespace matgrad::test {
namespace {

constexpr const char* kAlone = "MATGRAD_TEST_ALONE";

/// Runs this test in a new process: there `body`, here its verdict.
void in_a_new_process(const std::function<void()>& body) {
    if (std::getenv(kAlone) != nullptr) {
        body();
        return;
    }
    std::array<char, 4096> program{};
    ASSERT_GT(::readlink("/proc/self/exe", program.data(), program.size() - 1), 0);
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    const std::string command =
        std::string("env -u GTEST_TOTAL_SHARDS -u GTEST_SHARD_INDEX -u GTEST_OUTPUT ") + kAlone +
        "=1 '" + program.data() + "' '--gtest_filter=" + test.test_suite_name() + "." +
        test.name() + "' 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    std::array<char, 4096> part{};
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
        output.append(part.data(), got);
    }
    EXPECT_EQ(::pclose(pipe), 0) << output;
    EXPECT_NE(output.find("[  PASSED  ] 1 test.\n"), std::string::npos) << output;
}

/// A capture, a replay, then a call without: the same bits.
void check_first_call(const Program& program, GpuExecutor way, bool capturable,
                      const std::vector<const Matrices*>& operands,
                      const std::vector<Matrices*>& results, std::int64_t batch) {
    gpu::ExecutorOptions options;
    options.executor = way;
    options.capturable = capturable;
    const auto executor = module_under_test().make_executor(program, options);
    DeviceRun run(*executor, batch, operands, results);
    const TestStream stream;
    run.poison(stream.get());
    stream.wait();
    const CapturedGraph graph(run, stream.get());
    graph.launch(stream.get());
    stream.wait();
    EXPECT_EQ(run.finish().summary.failed, 0);
    std::vector<Matrices> captured;
    for (const Matrices* result : results) {
        captured.push_back(*result);
    }
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    EXPECT_EQ(run.finish().summary.failed, 0);
    for (std::size_t i = 0; i < results.size(); ++i) {
        for (std::int64_t p = 0; p < results[i]->batch(); ++p) {
            EXPECT_TRUE(captured[i].same_bits(p, *results[i], p))
                << "result " << i << ", problem " << p;
            EXPECT_FALSE(std::isnan(captured[i].get(p, 0, 0)));
        }
    }
}

struct Size {
    std::int64_t n, batch;
};

class FirstCall : public testing::TestWithParam<std::tuple<ScalarType, Size>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<0>(GetParam()); }
    [[nodiscard]] static const Size& size() { return std::get<1>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(
    Sizes, FirstCall,
    testing::Combine(testing::ValuesIn(kTypes),
                     testing::Values(Size{6, 21}, Size{40, 5}, Size{100, 3}, Size{520, 1})),
    [](const auto& test) {
        return std::string(std::get<0>(test.param) == ScalarType::float32 ? "Float" : "Double") +
               "_n" + std::to_string(std::get<1>(test.param).n);
    });

TEST_P(FirstCall, OfACapturablePlanIsCaptured) {
    in_a_new_process([] {
        const Pipeline pipeline(type(), size().n, 3);
        const PipelineData data(pipeline, size().batch);
        PipelineHost host(pipeline, size().batch);
        check_first_call(pipeline.program, GpuExecutor::library, true, data.all(), host.all(),
                         size().batch);
    });
}

TEST_P(FirstCall, OfAFusedPlanIsCapturedWithoutBeingAskedFor) {
    if (size().n > 40) {
        GTEST_SKIP() << "does not fuse";
    }
    in_a_new_process([] {
        const Pipeline pipeline(type(), size().n, 3);
        const PipelineData data(pipeline, size().batch);
        PipelineHost host(pipeline, size().batch);
        check_first_call(pipeline.program, GpuExecutor::fused, false, data.all(), host.all(),
                         size().batch);
    });
}

TEST_P(FirstCall, OfWhatCuSolverFactorsIsRefusedAndTheStreamServesOn) {
    in_a_new_process([] {
        const Pipeline pipeline(type(), size().n, 3);
        const PipelineData data(pipeline, size().batch);
        PipelineHost host(pipeline, size().batch);
        gpu::ExecutorOptions options;
        options.executor = GpuExecutor::library;
        const auto executor = module_under_test().make_executor(pipeline.program, options);
        DeviceRun run(*executor, size().batch, data.all(), host.all());
        const TestStream stream;
        EXPECT_THROW(const CapturedGraph graph(run, stream.get()), UnsupportedError);
        run.poison(stream.get());
        run.enqueue(stream.get());
        stream.wait();
        EXPECT_EQ(run.finish().summary.failed, 0);
    });
}

TEST_P(FirstCall, OfProductsAndReductionsIsCapturedWithoutBeingAskedFor) {
    in_a_new_process([] {
        const std::int64_t n = size().n;
        ProgramBuilder build(type());
        const ValueId a = build.operand("A", n, n, true);
        const ValueId b = build.operand("B", n, n, false);
        const ValueId product = build.value(n, n);
        build.step(Gemm{use(a), use(b), 1, 0, {}}, product);
        const ValueId gram = build.value(n, n);
        build.step(Syrk{use(a)}, gram);
        const ValueId sum = build.value(1, 1);
        build.step(
            Reduce{ReduceOp::sum,
                   ReduceOver::all,
                   {"n", n},
                   {"n", n},
                   {{{use(product), Broadcast::none}, {use(gram), Broadcast::none}},
                    {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {MapOp::mul, 0, 1, 0}}},
                   1,
                   {}},
            sum);
        build.output(sum);
        build.output(product);
        const Program program = build.finish();
        Matrices A(type(), size().batch, n, n);
        Matrices B(type(), 1, n, n);
        A.fill_random(1);
        B.fill_random(2);
        Matrices total(type(), size().batch, 1, 1);
        Matrices AB(type(), size().batch, n, n);
        check_first_call(program, GpuExecutor::library, false, {&A, &B}, {&total, &AB},
                         size().batch);
    });
}

}  // namespace
}  // namespace matgrad::test
