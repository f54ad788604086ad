#pragma once
/// \file What is wrong with the arguments of an enqueue, found before anything is launched.

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// `outputs`: forms, one per output, or none. Errors: OperandError that names the operand, the result,
/// the status, the workspace or the stream.
void check_call(const Program& program, std::span<const OutputForm> forms, const DeviceCall& call,
                int device, std::size_t workspace_bytes);

}  // namespace matgrad::gpu
