#include "cpu/cpu_executor.hpp"

#include <utility>

#include "cpu/executor.hpp"

namespace matgrad {

std::unique_ptr<const Executor> make_cpu_executor(Program program, int threads) {
    return std::make_unique<const CpuExecutor>(std::move(program), threads);
}

}  // namespace matgrad
