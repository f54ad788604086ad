#pragma once
/// \file Operands against what is declared of them.

#include <cstdint>
#include <span>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// views      in the order of `operands`
/// problems   of the batched ones
/// first      what the first of them is called
/// Errors     OperandError naming the first operand, and of it the first problem, that is not symmetric, positive
///            definite, diagonal, triangular, orthogonal or positive though declared so, with the entries that say it.
void require_structures(std::span<const Declaration> declared, std::span<const Operand> operands,
                        ScalarType type, std::span<const ConstStrided> views, std::int64_t problems,
                        std::int64_t first);

}  // namespace matgrad::detail
