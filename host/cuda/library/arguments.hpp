#pragma once
/// \file What is wrong with the arguments of an enqueue, found before anything is launched.

#include "executor/executor.hpp"

namespace matgrad::gpu {

/// Errors: OperandError that names the operand, the result, the status, the workspace or the stream.
void check_call(const Program& program, const DeviceCall& call, int device,
                std::size_t workspace_bytes);

}  // namespace matgrad::gpu
