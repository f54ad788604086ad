/// The CPU executor in each of its layouts, and with the kernels for single problems, for the tests of tests/executors.

#include <gtest/gtest.h>

#include "cpu/executor.hpp"
#include "executors/executor_under_test.hpp"
#include "support/poison.hpp"

namespace matgrad::test {
namespace {

RunResult run_with(const CpuOptions& options, const Program& program, std::int64_t batch,
                   const std::vector<const Matrices*>& operands,
                   const std::vector<Matrices*>& results, int threads, const CallWishes& wishes) {
    std::vector<ConstStrided> inputs;
    for (const Matrices* matrices : operands) {
        inputs.push_back(matrices->input());
    }
    std::vector<Strided> outputs;
    for (Matrices* matrices : results) {
        outputs.push_back(matrices->output());
    }
    const CpuExecutor executor(program, threads, options);
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

ExecutorUnderTest with(const std::string& name, const CpuOptions& options, bool small_only) {
    ExecutorUnderTest executor;
    executor.name = name;
    executor.run = [options](const Program& program, std::int64_t batch,
                             const std::vector<const Matrices*>& operands,
                             const std::vector<Matrices*>& results, int threads,
                             const CallWishes& wishes) {
        return run_with(options, program, batch, operands, results, threads, wishes);
    };
    executor.threaded = true;
    executor.small_only = small_only;
    return executor;
}

}  // namespace

const std::vector<ExecutorUnderTest>& executors_under_test() {
    static const std::vector<ExecutorUnderTest> executors = {
        with("compact", {detail::Layout::compact, true}, true),
        with("plain", {detail::Layout::plain, true}, false),
        with("runs", {detail::Layout::runs, true}, false),
        // What its kernels are not for runs in a layout.
        with("single", {{}, true, true}, true)};
    return executors;
}

}  // namespace matgrad::test
