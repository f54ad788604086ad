/// The CPU executor in each of its layouts, for the tests of tests/executors.

#include <gtest/gtest.h>

#include "cpu/executor.hpp"
#include "executors/executor_under_test.hpp"
#include "support/poison.hpp"

namespace matgrad::test {
namespace {

RunResult run_in_layout(detail::Layout layout, const Program& program, std::int64_t batch,
                        const std::vector<const Matrices*>& operands,
                        const std::vector<Matrices*>& results, int threads,
                        const CallWishes& wishes) {
    std::vector<ConstStrided> inputs;
    for (const Matrices* matrices : operands) {
        inputs.push_back(matrices->input());
    }
    std::vector<Strided> outputs;
    for (Matrices* matrices : results) {
        outputs.push_back(matrices->output());
    }
    const CpuExecutor executor(program, threads, {layout, true});
    constexpr std::size_t kGuardBytes = 256;
    const std::size_t bytes = executor.workspace_bytes();
    const PoisonedMemory memory(bytes + kGuardBytes);
    std::byte* const workspace = memory.data();
    RunResult result;
    result.status.assign(static_cast<std::size_t>(batch), -1);
    HostCall call{batch, inputs, outputs, result.status, {workspace, bytes}};
    call.beta = wishes.beta;
    call.rows = wishes.rows;
    result.summary = executor.run(call, {});
    for (std::size_t i = 0; i < kGuardBytes; ++i) {
        EXPECT_EQ(workspace[bytes + i], std::byte{kPoison}) << "written past the workspace";
    }
    for (const Matrices* matrices : results) {
        EXPECT_TRUE(matrices->guards_intact()) << "written outside a result";
    }
    return result;
}

ExecutorUnderTest in_layout(const std::string& name, detail::Layout layout) {
    ExecutorUnderTest executor;
    executor.name = name;
    executor.run = [layout](const Program& program, std::int64_t batch,
                            const std::vector<const Matrices*>& operands,
                            const std::vector<Matrices*>& results, int threads,
                            const CallWishes& wishes) {
        return run_in_layout(layout, program, batch, operands, results, threads, wishes);
    };
    executor.threaded = true;
    executor.small_only = layout == detail::Layout::compact;
    return executor;
}

}  // namespace

const std::vector<ExecutorUnderTest>& executors_under_test() {
    static const std::vector<ExecutorUnderTest> executors = {
        in_layout("compact", detail::Layout::compact), in_layout("plain", detail::Layout::plain),
        in_layout("runs", detail::Layout::runs)};
    return executors;
}

}  // namespace matgrad::test
