#include "api/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "expression/dimension_sizes.hpp"

namespace matgrad::detail {
namespace {

std::string size_text(const Operand& operand) {
    return fmt::format("{}-by-{}", operand.rows, operand.cols);
}

const Operand* find_operand(std::span<const Operand> operands, const std::string& name) {
    for (const Operand& operand : operands) {
        if (operand.name == name) {
            return &operand;
        }
    }
    return nullptr;
}

void check_one_of_each(std::span<const Declaration> symbols, std::span<const Declaration> needed,
                       std::span<const Operand> operands) {
    std::string known;
    for (const Declaration& symbol : symbols) {
        known += (known.empty() ? "" : ", ") + symbol.name;
    }
    for (const Declaration& symbol : needed) {
        if (find_operand(operands, symbol.name) == nullptr) {
            throw OperandError(fmt::format("operand {} is missing: the function needs {} ({})",
                                           symbol.name, symbol.name, symbol.shape.text()));
        }
    }
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const std::string& name = operands[i].name;
        if (find_operand(operands.first(i), name) != nullptr) {
            throw OperandError(fmt::format(
                "operand {} is given twice: expected one operand for each symbol", name));
        }
        const bool used = std::any_of(symbols.begin(), symbols.end(),
                                      [&](const Declaration& s) { return s.name == name; });
        if (!used) {
            throw OperandError(fmt::format("operand {} is not used: the function has {}", name,
                                           known.empty() ? "no symbols" : known));
        }
    }
}

void check_size(const Operand& operand) {
    // For the bytes of an entry, times values of that size, problems of a tile and threads.
    constexpr std::int64_t kRoom = std::int64_t{1} << 20;
    std::int64_t bytes = 0;
    if (operand.rows < 0 || operand.cols < 0) {
        throw ShapeError(fmt::format("operand {} is {}: expected sizes of at least 0", operand.name,
                                     size_text(operand)));
    }
    if (__builtin_mul_overflow(operand.rows, operand.cols, &bytes) ||
        __builtin_mul_overflow(bytes, kRoom, &bytes)) {
        throw ShapeError(fmt::format(
            "operand {} is {}: expected a size with which the bytes of a run fit 64 bits",
            operand.name, size_text(operand)));
    }
}

}  // namespace

void check_operands(std::span<const Declaration> symbols, std::span<const Declaration> needed,
                    std::span<const Operand> operands) {
    check_one_of_each(symbols, needed, operands);
    DimensionSizes sizes;
    for (const Declaration& symbol : symbols) {
        if (const Operand* operand = find_operand(operands, symbol.name)) {
            check_size(*operand);
            sizes.bind(symbol.name, symbol.shape, operand->rows, operand->cols);
        }
    }
}

void check_options(const Expr& f, const PlanOptions& options) {
    if (!f) {
        throw ShapeError("the function is empty: expected a scalar expression");
    }
    if (!f.shape().is_scalar()) {
        throw ShapeError(fmt::format("the function is {}: expected a scalar (1-by-1), {}",
                                     f.shape().text(), to_text(f)));
    }
    if (options.expected_batch < 0) {
        throw OperandError(
            fmt::format("expected_batch is {}: expected at least 0", options.expected_batch));
    }
    if (options.device.kind == DeviceKind::cuda && options.device.index < Device::kAll) {
        throw OperandError(
            fmt::format("the index of the GPU is {}: expected at least 0, or -1 for all",
                        options.device.index));
    }
    constexpr int kMostThreads = 4096;
    if (options.threads < 0 || options.threads > kMostThreads) {
        throw OperandError(
            fmt::format("threads is {}: expected 0 to {}", options.threads, kMostThreads));
    }
    if (!options.value && options.wrt.empty() && options.hvp.empty() && options.joint_hvp.empty()) {
        throw OperandError(
            "nothing is asked for: expected the value, a gradient or a "
            "Hessian-vector product");
    }
    for (const HvpRequest& joint : options.joint_hvp) {
        for (const HvpRequest& block : options.hvp) {
            if (block.variable == joint.variable) {
                throw OperandError(fmt::format("hvp {} is asked for twice: in hvp and in joint_hvp",
                                               joint.variable));
            }
        }
    }
    if (options.entry && options.wrt.empty()) {
        throw OperandError(fmt::format("entry {},{} is asked for without a gradient",
                                       options.entry->row, options.entry->col));
    }
}

}  // namespace matgrad::detail
