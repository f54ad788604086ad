#pragma once
/// \file One call of an executor on matrices in host memory.

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "executor/executor.hpp"
#include "executors/executor_under_test.hpp"

namespace matgrad::test {

/// As RunProgram, in the executor's own workspace.
[[nodiscard]] inline RunResult run_in_host_memory(const Executor& executor, std::int64_t batch,
                                                  const std::vector<const Matrices*>& operands,
                                                  const std::vector<Matrices*>& results,
                                                  const CallWishes& wishes = {},
                                                  const RunHooks& hooks = {}) {
    std::vector<ConstStrided> inputs;
    for (const Matrices* matrices : operands) {
        inputs.push_back(matrices->input());
    }
    std::vector<Strided> outputs;
    for (Matrices* matrices : results) {
        outputs.push_back(matrices->output());
    }
    RunResult result;
    result.status.assign(static_cast<std::size_t>(batch), -1);
    HostCall call{batch, inputs, outputs, result.status};
    call.beta = wishes.beta;
    call.rows = wishes.rows;
    result.summary = executor.run(call, hooks);
    for (const Matrices* matrices : results) {
        EXPECT_TRUE(matrices->guards_intact()) << "written outside a result";
    }
    return result;
}

}  // namespace matgrad::test
