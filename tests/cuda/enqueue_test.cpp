/// What `enqueue` promises beyond results: streams, threads, graphs, slices, and no word of it when
/// something is left out. On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <thread>

#include "cuda/captured_graph.hpp"
#include "cuda/pipeline_run.hpp"

namespace matgrad::test {
namespace {

class Enqueue : public testing::TestWithParam<ScalarType> {
protected:
    [[nodiscard]] static ScalarType type() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Types, Enqueue, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

std::unique_ptr<const Executor> executor_of(const Program& program,
                                            GpuExecutor way = GpuExecutor::automatic) {
    gpu::ExecutorOptions options;
    options.executor = way;
    return module_under_test().make_executor(program, options);
}

/// One blocking call.
PipelineHost run_once(const Executor& executor, const Pipeline& pipeline, const PipelineData& data,
                      RunResult* result = nullptr) {
    PipelineHost host(pipeline, data.S.batch());
    DeviceRun run(executor, data.S.batch(), data.all(), host.all());
    const TestStream stream;
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    const RunResult got = run.finish();
    if (result != nullptr) {
        *result = got;
    }
    return host;
}

TEST_P(Enqueue, GivesTheSameBitsOnTheDefaultStreamAndAnyOther) {
    const Pipeline pipeline(type());
    const auto executor = executor_of(pipeline.program);
    const PipelineData data(pipeline, 21);
    const PipelineHost want = run_once(*executor, pipeline, data);
    PipelineHost host(pipeline, 21);
    DeviceRun run(*executor, 21, data.all(), host.all());
    run.poison(nullptr);
    run.enqueue(nullptr);
    MATGRAD_MUST(cudaDeviceSynchronize());
    run.finish();
    host.expect_same_bits(want);
}

TEST_P(Enqueue, NeedsNoStatus) {
    const Pipeline pipeline(type());
    const auto executor = executor_of(pipeline.program);
    PipelineData data(pipeline, 21);
    data.S.set(4, 0, 0, -1);
    const PipelineHost want = run_once(*executor, pipeline, data);
    PipelineHost host(pipeline, 21);
    DeviceRun run(*executor, 21, data.all(), host.all());
    const TestStream stream;
    run.poison(stream.get());
    DeviceCall call = run.call();
    call.status = nullptr;
    call.stream = stream.get();
    executor->enqueue(call);
    stream.wait();
    for (const std::int32_t status : run.finish().status) {
        EXPECT_EQ(status, -1);  // as it was
    }
    host.expect_same_bits(want);
    EXPECT_TRUE(std::isnan(host.V.get(4, 0, 0)));
}

TEST_P(Enqueue, ReadsItsOperandsInTheOrderOfTheStream) {
    // The upload is on the stream before the call, and another one behind it.
    const Pipeline pipeline(type());
    const auto executor = executor_of(pipeline.program);
    const PipelineData data(pipeline, 21);
    const PipelineData later = data_of_seed(pipeline, 21, 70);
    const PipelineHost want = run_once(*executor, pipeline, data);
    PipelineHost host(pipeline, 21);
    const TestStream stream;
    DeviceRun run(*executor, 21, later.all(), host.all());
    run.poison(stream.get());
    const auto upload = [&](const PipelineData& from) {
        for (std::size_t i = 0; i < 4; ++i) {
            const std::span<const std::byte> bytes = from.all()[i]->memory();
            MATGRAD_MUST(cudaMemcpyAsync(run.operands[i].base(), bytes.data(), bytes.size(),
                                         cudaMemcpyHostToDevice, stream.get()));
        }
    };
    upload(data);
    run.enqueue(stream.get());
    upload(later);
    stream.wait();
    run.finish();
    host.expect_same_bits(want);
}

TEST_P(Enqueue, ServesSeveralThreadsAndStreamsAtOnceEachWithItsOwnWorkspace) {
    constexpr std::size_t kThreads = 6;
    const Pipeline pipeline(type());
    const auto executor = executor_of(pipeline.program);
    std::vector<PipelineData> data;
    std::vector<PipelineHost> want;
    std::vector<PipelineHost> got;
    for (std::size_t i = 0; i < kThreads; ++i) {
        const auto batch = static_cast<std::int64_t>(5 + 7 * i);
        data.push_back(data_of_seed(pipeline, batch, static_cast<std::uint32_t>(100 * i)));
        want.push_back(run_once(*executor, pipeline, data.back()));
        got.emplace_back(pipeline, batch);
    }
    std::vector<std::unique_ptr<DeviceRun>> runs;
    std::vector<std::unique_ptr<TestStream>> streams;
    for (std::size_t i = 0; i < kThreads; ++i) {
        runs.push_back(
            std::make_unique<DeviceRun>(*executor, data[i].S.batch(), data[i].all(), got[i].all()));
        streams.push_back(std::make_unique<TestStream>());
    }
    for (int round = 0; round < 3; ++round) {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                runs[i]->poison(streams[i]->get());
                runs[i]->enqueue(streams[i]->get());
                if (i % 2 == 0) {
                    streams[i]->wait();
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (std::size_t i = 0; i < kThreads; ++i) {
            SCOPED_TRACE(testing::Message() << "round " << round << " thread " << i);
            streams[i]->wait();
            EXPECT_EQ(runs[i]->finish().summary.failed, 0);
            got[i].expect_same_bits(want[i]);
        }
    }
}

TEST_P(Enqueue, SeveralPlansTakeTurnsOnOneStreamWithOneWorkspace) {
    const Pipeline small(type());
    const Pipeline wide(type(), 9, 4);
    const auto first = executor_of(small.program);
    const auto second = executor_of(wide.program);
    const PipelineData small_data(small, 17);
    const PipelineData wide_data(wide, 8);
    const PipelineHost small_want = run_once(*first, small, small_data);
    const PipelineHost wide_want = run_once(*second, wide, wide_data);
    PipelineHost small_got(small, 17);
    PipelineHost wide_got(wide, 8);
    DeviceRun small_run(*first, 17, small_data.all(), small_got.all());
    DeviceRun wide_run(*second, 8, wide_data.all(), wide_got.all());
    const std::size_t bytes = std::max(first->workspace_bytes(), second->workspace_bytes());
    DeviceBuffer workspace(bytes);
    const TestStream stream;
    small_run.poison(stream.get());
    wide_run.poison(stream.get());
    for (int round = 0; round < 2; ++round) {
        for (const auto& [executor, run] :
             {std::pair(first.get(), &small_run), std::pair(second.get(), &wide_run)}) {
            DeviceCall call = run->call();
            call.workspace = workspace.data();
            call.workspace_bytes = bytes;
            call.stream = stream.get();
            executor->enqueue(call);
        }
    }
    stream.wait();
    small_run.finish();
    wide_run.finish();
    small_got.expect_same_bits(small_want);
    wide_got.expect_same_bits(wide_want);
}

std::unique_ptr<const Executor> capturable_executor_of(const Program& program) {
    gpu::ExecutorOptions options;
    options.executor = GpuExecutor::library;
    options.capturable = true;
    return module_under_test().make_executor(program, options);
}

/// A graph gives the bits of a plain call, with whatever the operands hold when it is launched.
void check_graph(const Executor* executor, const Pipeline& pipeline, std::int64_t batch) {
    const PipelineData data(pipeline, batch);
    PipelineData changed = data_of_seed(pipeline, batch, 40);
    changed.S.set(batch - 1, 1, 1, -1);
    RunResult want_status;
    const PipelineHost want = run_once(*executor, pipeline, data);
    const PipelineHost want_changed = run_once(*executor, pipeline, changed, &want_status);
    ASSERT_EQ(want_status.summary.failed, 1);

    PipelineData current = data;
    PipelineHost got(pipeline, batch);
    DeviceRun run(*executor, batch, current.all(), got.all());
    const TestStream stream;
    run.poison(stream.get());
    const CapturedGraph graph(run, stream.get());
    stream.wait();
    for (std::size_t i = 0; i < 3; ++i) {  // while capturing, nothing ran
        Matrices untouched = *got.all()[i];
        run.results[i].download(untouched);
        EXPECT_EQ(std::memcmp(untouched.memory().data(), got.all()[i]->memory().data(),
                              untouched.memory().size()),
                  0);
    }
    for (int round = 0; round < 2; ++round) {
        graph.launch(stream.get());
        stream.wait();
        EXPECT_EQ(run.finish().summary.failed, 0);
        got.expect_same_bits(want);
        current = changed;
        for (std::size_t i = 0; i < 4; ++i) {
            run.operands[i].upload(*current.all()[i]);
        }
        run.poison(stream.get());
        graph.launch(stream.get());
        stream.wait();
        EXPECT_EQ(run.finish().status, want_status.status);
        got.expect_same_bits(want_changed);
        current = data;
        for (std::size_t i = 0; i < 4; ++i) {
            run.operands[i].upload(*current.all()[i]);
        }
        run.poison(stream.get());
    }
    stream.wait();  // before what is poisoned goes
}

TEST_P(Enqueue, IsCapturedInAGraphThatReplaysWithWhateverTheOperandsHoldThen) {
    const Pipeline pipeline(type());
    check_graph(capturable_executor_of(pipeline.program).get(), pipeline, 21);
}

TEST_P(Enqueue, OfAFusedPlanIsCapturedThoughItFactors) {
    const Pipeline pipeline(type());
    check_graph(executor_of(pipeline.program, GpuExecutor::fused).get(), pipeline, 21);
}

TEST_P(Enqueue, OfALargeProblemIsCapturedTheSame) {
    const Pipeline pipeline(type(), 150, 140);
    check_graph(capturable_executor_of(pipeline.program).get(), pipeline, 1);
}

/// What the executor makes of the stream's capture: refused in these words, or nothing. What was captured
/// is an empty graph then, and a capture that goes on.
std::string refused_capture(const DeviceRun& run) {
    const TestStream stream;
    cudaGraph_t graph = nullptr;
    std::string why;
    MATGRAD_MUST(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
    try {
        run.enqueue(stream.get());
    } catch (const UnsupportedError& error) {
        why = error.what();
    }
    MATGRAD_MUST(cudaStreamEndCapture(stream.get(), &graph));
    if (!why.empty()) {
        std::size_t nodes = 1;
        MATGRAD_MUST(cudaGraphGetNodes(graph, nullptr, &nodes));
        EXPECT_EQ(nodes, 0U);
    }
    MATGRAD_MUST(cudaGraphDestroy(graph));
    return why;
}

TEST_P(Enqueue, WithWhatCuSolverFactorsIsNotCapturedUnlessThePlanIsMadeForIt) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 21);
    PipelineHost host(pipeline, 21);
    const auto plain = executor_of(pipeline.program, GpuExecutor::library);
    const DeviceRun run(*plain, 21, data.all(), host.all());
    const std::string why = refused_capture(run);
    for (const char* word : {"potrf", "potrfBatched", "captured", "PlanOptions::capturable"}) {
        EXPECT_NE(why.find(word), std::string::npos) << word << " in: " << why;
    }
    EXPECT_EQ(why.find('\n'), std::string::npos);
    const auto capturable = capturable_executor_of(pipeline.program);
    const DeviceRun other(*capturable, 21, data.all(), host.all());
    EXPECT_EQ(refused_capture(other), "");
}

TEST_P(Enqueue, OnADefaultStreamThatWaitsForACapturedOneIsTheCallersMistake) {
    const Pipeline pipeline(type());
    const auto executor = executor_of(pipeline.program);
    const PipelineData data(pipeline, 3);
    PipelineHost host(pipeline, 3);
    const DeviceRun run(*executor, 3, data.all(), host.all());
    cudaStream_t blocking = nullptr;  // the default stream waits for it
    MATGRAD_MUST(cudaStreamCreateWithFlags(&blocking, cudaStreamDefault));
    MATGRAD_MUST(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal));
    try {
        run.enqueue(nullptr);
        ADD_FAILURE() << "was accepted";
    } catch (const OperandError& error) {
        EXPECT_STREQ(error.what(),
                     "the stream is the default one, which waits for one that is being captured: "
                     "expected a stream of its own");
    }
    cudaGraph_t graph = nullptr;
    (void)cudaStreamEndCapture(blocking, &graph);  // CUDA has made it invalid
    (void)cudaGetLastError();
    if (graph != nullptr) {
        MATGRAD_MUST(cudaGraphDestroy(graph));
    }
    MATGRAD_MUST(cudaStreamDestroy(blocking));
    EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST_P(Enqueue, OfProductsAloneIsCapturedByAnyPlan) {
    ProgramBuilder build(type());
    const ValueId x = build.operand("X", 5, 4, true);
    const ValueId a = build.operand("A", 4, 3, false);
    const ValueId out = build.value(5, 3);
    build.step(Gemm{use(x), use(a), 1, 0, {}}, out);
    build.output(out);
    const Program program = build.finish();
    const auto executor = executor_of(program);
    Matrices X(type(), 9, 5, 4);
    Matrices A(type(), 1, 4, 3);
    X.fill_random(1);
    A.fill_random(2);
    Matrices want(type(), 9, 5, 3);
    Matrices got(type(), 9, 5, 3);
    run_on_device(*executor, 9, {&X, &A}, {&want});
    DeviceRun run(*executor, 9, {&X, &A}, {&got});
    const TestStream stream;
    run.poison(stream.get());
    const CapturedGraph graph(run, stream.get());
    graph.launch(stream.get());
    stream.wait();
    run.finish();
    for (std::int64_t p = 0; p < 9; ++p) {
        EXPECT_TRUE(got.same_bits(p, want, p)) << "problem " << p;
    }
}

TEST_P(Enqueue, OfABatchBeyondOneSliceIsCapturedTheSame) {
    const Pipeline pipeline(type(), 6, 5, true);
    gpu::ExecutorOptions options;
    options.workspace_limit = 1;
    options.capturable = true;
    const auto executor = module_under_test().make_executor(pipeline.program, options);
    constexpr std::int64_t kBatch = 23;
    const PipelineData data(pipeline, kBatch);
    Matrices sum(type(), 1, 6, 5);
    Matrices flipped(type(), 1, 5, 6);
    Matrices total(type(), 1, 1, 1);
    PipelineHost host(pipeline, kBatch);
    std::vector<Matrices*> results = {&sum, &flipped, &total, &host.HC, &host.V, &host.G};
    DeviceRun run(*executor, kBatch, data.all(), results);
    const TestStream stream;
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    run.finish();
    const PipelineHost want = host;
    const std::vector<Matrices> want_sums = {sum, flipped, total};
    run.poison(stream.get());
    const CapturedGraph graph(run, stream.get());
    for (int round = 0; round < 2; ++round) {
        run.poison(stream.get());
        graph.launch(stream.get());
        stream.wait();
        run.finish();
        host.expect_same_bits(want);
        EXPECT_TRUE(sum.same_bits(0, want_sums[0], 0));
        EXPECT_TRUE(flipped.same_bits(0, want_sums[1], 0));
        EXPECT_TRUE(total.same_bits(0, want_sums[2], 0));
    }
}

TEST_P(Enqueue, TakesAWorkspaceBoundWhereOneProblemFits) {
    const Pipeline pipeline(type(), 6, 5, true);
    gpu::ExecutorOptions options;
    options.workspace_limit = 1;
    const std::size_t least =
        module_under_test().make_executor(pipeline.program, options)->workspace_bytes();
    std::size_t before = 0;
    for (const std::size_t more : {std::size_t{0}, std::size_t{1} << 12, std::size_t{1} << 20}) {
        options.workspace_limit = least + more;
        const std::size_t bytes =
            module_under_test().make_executor(pipeline.program, options)->workspace_bytes();
        EXPECT_LE(bytes, options.workspace_limit);
        EXPECT_GE(bytes, before);
        before = bytes;
    }
    EXPECT_GT(before, least);
    EXPECT_LT(before, executor_of(pipeline.program)->workspace_bytes() + (std::size_t{1} << 20));
}

}  // namespace
}  // namespace matgrad::test
