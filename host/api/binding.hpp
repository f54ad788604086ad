#pragma once
/// \file Brings the arguments of a run into the order of the plan, and finds what does not fit it: names,
/// types, sizes, the number of problems. Where the memory lies is looked at by memory_checks.hpp.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/call_memory.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// What a run is checked against.
struct RunContract {
    std::span<const Operand> operands;
    std::span<const OutputInfo> outputs;
    std::span<const std::string> operand_names;
    std::span<const std::string> output_names;  ///< `value`, `gradient X`, `hvp X`
    ScalarType type = ScalarType::float64;
};

/// Arguments in the order of the contract. The lists lie in the memory of the call.
struct BoundCall {
    std::int64_t batch = 0;  ///< problems of the call
    std::int64_t problems =
        0;  ///< of the batched operands: another number than `batch` where rows are given
    std::span<ConstStrided> operands;
    std::span<Strided> results;
    std::span<double> beta;                   ///< empty if all are 0
    std::span<std::int64_t> operand_entries;  ///< of the memory, or ConstView::kUnknown
    std::span<std::int64_t> result_entries;
};

/// rows             how many the call names, if it does
/// status_entries   how many problems there are where all matrices are empty and nothing else tells
/// Errors           OperandError with the name of the operand or the result, what was found and what was expected
[[nodiscard]] BoundCall bind_call(const RunContract& contract,
                                  std::span<const OperandView> operands,
                                  std::span<const ResultView> results,
                                  std::optional<std::int64_t> rows, std::size_t status_entries,
                                  CallMemory& memory);

/// Errors: OperandError for a row that is no problem of the batched operands.
void check_rows(std::span<const std::int64_t> rows, std::int64_t problems);

/// Nothing where no rows are given.
[[nodiscard]] inline std::optional<std::int64_t> count_of(std::span<const std::int64_t> rows) {
    return rows.empty() ? std::nullopt : std::optional(static_cast<std::int64_t>(rows.size()));
}

}  // namespace matgrad::detail
