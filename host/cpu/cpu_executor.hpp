#pragma once
/// \file The executor of the processor, with the face that all executors have.

#include <memory>

#include "executor/executor.hpp"

namespace matgrad {

/// threads   at least 1
[[nodiscard]] std::unique_ptr<const Executor> make_cpu_executor(Program program, int threads);

}  // namespace matgrad
