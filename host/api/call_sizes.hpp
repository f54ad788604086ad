#pragma once
/// \file What the views of a call say of its operands: sizes, the type, what is batched.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "api/call_memory.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// One operand of a call, by the number of its symbol.
struct SizedOperand {
    std::size_t symbol = 0;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    bool batched = false;
    friend bool operator==(const SizedOperand&, const SizedOperand&) = default;
};

struct CallSizes {
    std::span<SizedOperand> operands;  ///< in the order of the symbols
    ScalarType type = ScalarType::float64;
    std::int64_t batch = 1;
};

/// A number is a scalar and a container a column, one for all problems.
///
/// symbols   those that an operand may be of
/// Errors    OperandError: an operand without name or sizes, or that is no symbol's; operands of two types
[[nodiscard]] CallSizes read_sizes(std::span<const Declaration> symbols,
                                   std::span<const OperandView> operands, CallMemory& memory);

}  // namespace matgrad::detail
