#pragma once
/// \file Looks at where the arguments of a run lie: nothing is null, misaligned or past its container, and
/// results overlap nothing. It looks at addresses, never at data, so the memory may be a device's.

#include <cstddef>
#include <cstdint>
#include <span>

#include "api/binding.hpp"
#include "executor/workspace.hpp"

namespace matgrad::detail {

/// What else a run reads and writes.
struct OtherMemory {
    std::span<const std::int32_t> status = {};
    std::span<const std::int64_t> rows = {};
    std::span<const bool> is_read = {};  ///< for each operand; empty: all are
    std::span<const std::byte> workspace = {};
    std::size_t workspace_needed = 0;  ///< bytes; 0: whatever there is
    std::size_t workspace_alignment = kWorkspaceAlignment;
};

/// Errors: OperandError with the name of the operand or the result, what was found and what was expected.
void check_memory(const RunContract& contract, const BoundCall& call, const OtherMemory& other,
                  CallMemory& memory);

}  // namespace matgrad::detail
