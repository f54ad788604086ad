#pragma once
/// \file The arguments of a run where all is plainly right with them: names in the plan's order, whole views of its
/// sizes and type, memory apart. What is not plain is not said to be wrong: bind_call and check_memory look at that
/// call, and have the errors.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "api/binding.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// Operands and results in the order of the Program. There is no time to clear them first.
struct QuickCall {
    static constexpr std::size_t kMost = 8;
    QuickCall() noexcept {}  // NOLINT(modernize-use-equals-default): that would clear the lists
    std::int64_t batch;
    union {
        ConstStrided operands[kMost + 1];  ///< the last is nobody's
    };
    union {
        Strided results[kMost];
    };
};

/// What quick calls of a plan are held against; the names are the contract's.
class QuickBinding {
public:
    QuickBinding() = default;
    /// operand_of   operand i of the Program is operand_of[i] of the contract's
    QuickBinding(const RunContract& contract, std::span<const std::size_t> operand_of);

    /// False where something is not plain, which may be right all the same.
    [[nodiscard]] bool bind(std::span<const OperandView> operands,
                            std::span<const ResultView> results,
                            std::span<const std::int32_t> status, QuickCall& call) const;

private:
    struct Argument {
        std::string_view name;
        std::int64_t rows, cols;
        bool batched;
        std::size_t place;          ///< in the Program; kMost: nobody reads it
        std::int64_t last;          ///< entry of one matrix
        std::int64_t batch_of_one;  ///< that of the view of one problem
    };

    ScalarType type_ = ScalarType::float64;
    std::size_t batched_ = 0;                   // an operand; as many as there are: none
    std::vector<Argument> operands_, results_;  // without results no call is quick
};

}  // namespace matgrad::detail
