#pragma once
/// \file Where the result of a step may lie in the memory of what it reads.

#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// Values whose buffer the result of the step may take where their life ends there: the c of a gemm, the a
/// of potrf and getrf, the b of trsm and solve, and operands of a map that are read entry by entry; each
/// read once, whole and untransposed, of the result's type, shape and scope, and no operand of the
/// Program, whose memory is not ours. Of copies on chip operands are no exception.
enum class OperandsAre { callers_memory, copies };
[[nodiscard]] std::vector<ValueId> overwritable_inputs(
    const Program& program, const Step& step, OperandsAre operands = OperandsAre::callers_memory);

}  // namespace matgrad
