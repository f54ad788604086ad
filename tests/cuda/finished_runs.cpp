#include "cuda/finished_runs.hpp"

#include <gtest/gtest.h>

#include "cpu/cpu_executor.hpp"
#include "cuda/device_run.hpp"
#include "executor/workers.hpp"

namespace matgrad::test {

gpu::ExecutorOptions finished_options() {
    gpu::ExecutorOptions options;
    options.threads = 2;
    options.run_workers = detail::run_workers;
    options.make_finisher = [](Program program) {
        return make_cpu_executor(std::move(program), 2);
    };
    return options;
}

gpu::ExecutorOptions chunked_options(const Program& program) {
    gpu::ExecutorOptions options = finished_options();
    options.workspace_limit = 1;
    const std::size_t least =
        module_under_test().make_executor(program, options)->workspace_bytes();
    std::int64_t numbers = 1;  // and a status
    for (const ProgramOperand& operand : program.operands) {
        numbers += program.value(operand.value).count();
    }
    for (const ProgramOutput& output : program.outputs) {
        numbers += program.value(output.value).count();
    }
    constexpr std::int64_t kProblems = 3 * 30;
    options.device_memory =
        least + 8192 + static_cast<std::size_t>(kProblems * numbers * size_of(program.type));
    return options;
}

namespace {

ExecutorUnderTest finished(const std::string& name, bool chunked) {
    ExecutorUnderTest executor;
    executor.name = name;
    executor.small_only = true;
    executor.run = [chunked](const Program& program, std::int64_t batch,
                             const std::vector<const Matrices*>& operands,
                             const std::vector<Matrices*>& results, int /*threads*/,
                             const CallWishes& wishes) {
        const gpu::ExecutorOptions options =
            chunked ? chunked_options(program) : finished_options();
        return run_in_host_memory(*module_under_test().make_executor(program, options), batch,
                                  operands, results, wishes);
    };
    return executor;
}

}  // namespace

const std::vector<ExecutorUnderTest>& executors_under_test() {
    static const std::vector<ExecutorUnderTest> executors = {finished("whole", false),
                                                             finished("chunked", true)};
    return executors;
}

}  // namespace matgrad::test
