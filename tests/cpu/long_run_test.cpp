/// The hooks of a long run: progress is told, a refusal ends it.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "cpu/executor.hpp"
#include "executors/pipeline.hpp"

namespace matgrad::test {
namespace {

constexpr detail::Layout kLayouts[] = {detail::Layout::compact, detail::Layout::plain,
                                       detail::Layout::runs};

class EveryLayout : public testing::TestWithParam<std::tuple<detail::Layout, ScalarType>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
    /// Every problem counts as worth a thread.
    [[nodiscard]] static CpuOptions options() { return {std::get<0>(GetParam()), true}; }
};
INSTANTIATE_TEST_SUITE_P(Run, EveryLayout,
                         testing::Combine(testing::ValuesIn(kLayouts), testing::ValuesIn(kTypes)));

/// Memory that is aligned as a workspace has to be.
class Workspace {
public:
    explicit Workspace(std::size_t bytes) : bytes_(bytes), memory_(bytes + 64) {}
    [[nodiscard]] std::span<std::byte> get() {
        void* start = memory_.data();
        std::size_t room = memory_.size();
        return {static_cast<std::byte*>(std::align(64, bytes_, start, room)), bytes_};
    }

private:
    std::size_t bytes_;
    std::vector<std::byte> memory_;
};

TEST_P(EveryLayout, AHookThatRefusesStopsTheRunBeforeItBegins) {
    const Pipeline pipeline(type());
    const PipelineData data(pipeline, 5);
    Matrices HC(type(), 5, pipeline.n, pipeline.m);
    Matrices V(type(), 5, 1, 1);
    Matrices G(type(), 5, pipeline.m, pipeline.n);
    V.fill_random(1, 7, 7);
    const ConstStrided inputs[] = {data.S.input(), data.A.input(), data.B.input(), data.C.input()};
    const Strided outputs[] = {HC.output(), V.output(), G.output()};
    std::vector<std::int32_t> status(5);
    const CpuExecutor executor(pipeline.program, 2, options());
    Workspace workspace(executor.workspace_bytes());
    const RunHooks refuse{[](std::int64_t) { return false; }};
    EXPECT_THROW((void)executor.run({5, inputs, outputs, status, workspace.get()}, refuse),
                 Interrupted);
    EXPECT_EQ(V.get(0, 0, 0), 7);
}

TEST_P(EveryLayout, ALongRunTellsItsProgressAndEndsPromptly) {
    const Pipeline pipeline(type(), 12, 8);
    // All problems read the same memory, so that a long run needs little of it.
    const PipelineData data(pipeline, 1);
    constexpr std::int64_t kBatch = 200'000'000;
    std::vector<ConstStrided> inputs;
    for (const Matrices* matrices : data.all()) {
        inputs.push_back(matrices->input());
        inputs.back().batch_stride = 0;
    }
    ProgramBuilder build(type());
    const ValueId s = build.operand("S", 12, 12, true);
    const ValueId l = build.value(12, 12);
    build.step(Potrf{use(s)}, l);
    const ValueId v = build.value(1, 1);
    build.step(Reduce{ReduceOp::product,
                      ReduceOver::diagonal,
                      {"n", 12},
                      {"n", 12},
                      {{{use(l), Broadcast::none}}, {{MapOp::load, 0, -1, 0}}},
                      1,
                      {}},
               v);
    const ValueId sum = build.value(1, 1, Scope::reduced);
    build.step(BatchReduce{use(v)}, sum);
    build.output(sum);
    const CpuExecutor executor(build.finish(), 2, options());
    Matrices total(type(), 1, 1, 1);
    const std::vector<Strided> outputs = {total.output()};
    Workspace workspace(executor.workspace_bytes());
    std::atomic<int> inside{0};
    std::vector<std::int64_t> told;
    std::chrono::steady_clock::time_point refused;
    const RunHooks hooks{[&](std::int64_t done) {
        EXPECT_EQ(inside.fetch_add(1), 0) << "called from two threads at once";
        told.push_back(done);
        inside.fetch_sub(1);
        refused = std::chrono::steady_clock::now();
        return told.size() < 4;
    }};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW(
        (void)executor.run({kBatch, {inputs.data(), 1}, outputs, {}, workspace.get()}, hooks),
        Interrupted);
    const auto end = std::chrono::steady_clock::now();
    ASSERT_EQ(told.size(), 4U);
    EXPECT_EQ(told[0], 0);
    EXPECT_TRUE(told[1] > 0 && told[1] < told[2] && told[2] < told[3] && told[3] < kBatch);
    // A tile or two after the refusal, on however busy a machine.
    EXPECT_LT(end - refused, std::chrono::milliseconds(1000));
    EXPECT_GT(end - begin, std::chrono::milliseconds(150));  // not asked all the time
}

}  // namespace
}  // namespace matgrad::test
