#include "api/call_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace matgrad::detail {
namespace {

std::size_t place_of(std::span<const Declaration> symbols, std::string_view name) {
    const auto at = std::find_if(symbols.begin(), symbols.end(),
                                 [name](const Declaration& symbol) { return symbol.name == name; });
    if (at == symbols.end()) {
        std::string known;
        for (const Declaration& symbol : symbols) {
            known += (known.empty() ? "" : ", ") + symbol.name;
        }
        throw OperandError(fmt::format("operand {} is not used: the function has {}", name,
                                       known.empty() ? "no symbols" : known));
    }
    return static_cast<std::size_t>(at - symbols.begin());
}

SizedOperand sized(const Declaration& symbol, std::size_t place, const ConstView& view) {
    if (view.rows() != ConstView::kOfThePlan) {
        return {place, view.rows(), view.cols(), view.batch() != ConstView::kOneMatrix};
    }
    if (view.entries() == ConstView::kUnknown) {
        throw OperandError(fmt::format("operand {} is a view without sizes: expected {}",
                                       symbol.name, symbol.shape.text()));
    }
    if (!symbol.shape.is_column()) {
        throw OperandError(fmt::format(
            "operand {} has {} entries and no sizes: expected {}, row_major({}, rows, cols)",
            symbol.name, view.entries(), symbol.shape.text(), symbol.name));
    }
    return {place, view.entries(), 1, false};
}

const char* text_of(ScalarType type) {
    return type == ScalarType::float32 ? "float" : "double";
}

}  // namespace

CallSizes read_sizes(std::span<const Declaration> symbols, std::span<const OperandView> operands,
                     CallMemory& memory) {
    CallSizes sizes;
    sizes.operands = memory.list<SizedOperand>(operands.size());
    std::size_t count = 0;
    const OperandView* typed = nullptr;
    for (const OperandView& operand : operands) {
        if (operand.name.empty()) {
            throw OperandError("an operand has no name: expected all of them by name");
        }
        const std::size_t place = place_of(symbols, operand.name);
        SizedOperand& read = sizes.operands[count++];
        read = sized(symbols[place], place, operand.view);
        if (read.batched) {
            sizes.batch = operand.view.batch();
        }
        if (typed == nullptr) {
            typed = &operand;
        } else if (operand.view.type() != typed->view.type()) {
            throw OperandError(fmt::format("operand {} is of type {}: expected {}, as {} is",
                                           operand.name, text_of(operand.view.type()),
                                           text_of(typed->view.type()), typed->name));
        }
    }
    sizes.type = typed == nullptr ? ScalarType::float64 : typed->view.type();
    std::sort(sizes.operands.begin(), sizes.operands.end(),
              [](const SizedOperand& a, const SizedOperand& b) { return a.symbol < b.symbol; });
    return sizes;
}

}  // namespace matgrad::detail
