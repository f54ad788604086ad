/// The library executor, for the tests of tests/executors: on the simulated GPU or on a real one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cuda/device_run.hpp"
#include "executors/executor_under_test.hpp"
#include "support/environment.hpp"

namespace matgrad::test {
namespace {

RunResult run_with(const gpu::ExecutorOptions& options, const Program& program, std::int64_t batch,
                   const std::vector<const Matrices*>& operands,
                   const std::vector<Matrices*>& results, const CallWishes& wishes) {
    return run_on_device(*module_under_test().make_executor(program, options), batch, operands,
                         results, wishes);
}

/// The batch in slices of a few problems: the least workspace, and room for some more.
RunResult run_in_slices(const Program& program, std::int64_t batch,
                        const std::vector<const Matrices*>& operands,
                        const std::vector<Matrices*>& results, const CallWishes& wishes) {
    gpu::ExecutorOptions options;
    options.executor = GpuExecutor::library;
    options.gathers = true;  // slices are as long with rows as without
    options.workspace_limit = 1;
    const std::size_t least =
        module_under_test().make_executor(program, options)->workspace_bytes();
    options.workspace_limit = least + 3 * static_cast<std::size_t>(program.problem_bytes) + 1024;
    return run_with(options, program, batch, operands, results, wishes);
}

/// The steps of a problem by one kernel where they fuse. Programs take turns with the teams that such a kernel has,
/// unless the environment says which.
RunResult run_fused(const Program& program, std::int64_t batch,
                    const std::vector<const Matrices*>& operands,
                    const std::vector<Matrices*>& results, const CallWishes& wishes) {
    constexpr const char* kVariable = "MATGRAD_GPU_FUSED_THREADS";
    constexpr const char* kTeams[] = {"0", "1", "32", "64", "128", "256"};
    const char* team = std::getenv(kVariable);
    if (team == nullptr) {
        std::size_t sum = 0;
        for (const char c : to_text(program)) {
            sum = 31 * sum + static_cast<unsigned char>(c);
        }
        team = kTeams[sum % std::size(kTeams)];
    }
    const Environment environment({{kVariable, std::string(team).c_str()}});
    gpu::ExecutorOptions options;
    options.gathers = !wishes.rows.empty();
    return run_with(options, program, batch, operands, results, wishes);
}

enum class Way { whole, sliced, capturable, fused };

ExecutorUnderTest library_executor(const std::string& name, int sweep, Way way) {
    ExecutorUnderTest executor;
    executor.name = name;
    executor.sweep = sweep;
    executor.latitude = {true, true, true, true};
    executor.latitude.batch_length = way != Way::fused;
    executor.small_only = way == Way::sliced;  // a large problem is a slice by itself
    executor.run = [way](const Program& program, std::int64_t batch,
                         const std::vector<const Matrices*>& operands,
                         const std::vector<Matrices*>& results, int /*threads*/,
                         const CallWishes& wishes) {
        if (way == Way::sliced) {
            return run_in_slices(program, batch, operands, results, wishes);
        }
        if (way == Way::fused) {
            return run_fused(program, batch, operands, results, wishes);
        }
        gpu::ExecutorOptions options;
        options.executor = GpuExecutor::library;
        options.gathers = !wishes.rows.empty();
        options.capturable = way == Way::capturable;
        return run_with(options, program, batch, operands, results, wishes);
    };
    return executor;
}

}  // namespace

const std::vector<ExecutorUnderTest>& executors_under_test() {
    static const std::vector<ExecutorUnderTest> executors = [] {
        std::vector<ExecutorUnderTest> all = {library_executor("library", 5, Way::whole),
                                              library_executor("sliced", 17, Way::sliced),
                                              library_executor("capturable", 17, Way::capturable),
                                              library_executor("fused", 9, Way::fused)};
        // One of them alone, where the environment names it.
        if (const char* name = std::getenv("MATGRAD_TEST_EXECUTOR"); name != nullptr) {
            all.erase(std::remove_if(all.begin(), all.end(),
                                     [name](const auto& e) { return e.name != name; }),
                      all.end());
        }
        return all;
    }();
    return executors;
}

}  // namespace matgrad::test
