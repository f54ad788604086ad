#pragma once
/// \file Brings the arguments of a run into the order of the plan, and finds what does not fit it: names,
/// types, sizes, the number of problems. Where the memory lies is looked at by memory_checks.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Memory for the lists of one call: on the stack, unless a plan has scores of operands.
class CallMemory {
public:
    CallMemory() : resource_(bytes_.data(), bytes_.size()) {}
    [[nodiscard]] std::pmr::memory_resource* resource() noexcept { return &resource_; }

private:
    alignas(std::max_align_t) std::array<std::byte, 8192> bytes_;
    std::pmr::monotonic_buffer_resource resource_;
};

/// What a run is checked against.
struct RunContract {
    std::span<const Operand> operands;
    std::span<const OutputInfo> outputs;
    std::span<const std::string> operand_names;
    std::span<const std::string> output_names;  ///< `value`, `gradient X`, `hvp X`
    ScalarType type = ScalarType::float64;
};

/// Arguments in the order of the contract.
struct BoundCall {
    explicit BoundCall(CallMemory& memory)
        : operands(memory.resource()),
          results(memory.resource()),
          beta(memory.resource()),
          operand_entries(memory.resource()),
          result_entries(memory.resource()),
          places(memory.resource()),
          names(memory.resource()) {}

    std::int64_t batch = 0;  ///< problems of the call
    std::int64_t problems =
        0;  ///< of the batched operands: another number than `batch` where rows are given
    std::pmr::vector<ConstStrided> operands;
    std::pmr::vector<Strided> results;
    std::pmr::vector<double> beta;                   ///< empty if all are 0
    std::pmr::vector<std::int64_t> operand_entries;  ///< of the memory, or ConstView::kUnknown
    std::pmr::vector<std::int64_t> result_entries;
    std::pmr::vector<std::size_t> places;      // of the arguments, while they are bound
    std::pmr::vector<std::string_view> names;  // likewise
};

/// status_entries   how many problems there are where all matrices are empty and nothing else tells
/// Errors           OperandError with the name of the operand or the result, what was found and what was expected
void bind(const RunContract& contract, std::span<const OperandView> operands,
          std::span<const ResultView> results, std::span<const std::int64_t> rows,
          std::size_t status_entries, BoundCall& call);

}  // namespace matgrad::detail
