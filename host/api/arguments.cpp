#include "api/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/overlap.hpp"
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
    std::int64_t bytes = 0;
    if (operand.rows < 0 || operand.cols < 0) {
        throw ShapeError(fmt::format("operand {} is {}: expected sizes of at least 0", operand.name,
                                     size_text(operand)));
    }
    if (__builtin_mul_overflow(operand.rows, operand.cols, &bytes) ||
        __builtin_mul_overflow(bytes, std::int64_t{64}, &bytes)) {
        throw ShapeError(fmt::format("operand {} is {}: expected a size whose bytes fit 64 bits",
                                     operand.name, size_text(operand)));
    }
}

/// Something of a caller's, by name; the words are put together for an error alone.
struct Party {
    const char* kind;
    std::string_view name = {};
    const OutputInfo* output = nullptr;
    [[nodiscard]] std::string text() const {
        if (output != nullptr) {
            return fmt::format("{} {}", kind, output_text(output->kind, output->name));
        }
        return name.empty() ? kind : fmt::format("{} {}", kind, name);
    }
};

/// Errors: OperandError.
void check_address(const Party& what, const void* data, std::size_t unit) {
    if (data == nullptr) {
        throw OperandError(fmt::format("{} has no data: found a null pointer", what.text()));
    }
    const auto past = reinterpret_cast<std::uintptr_t>(data) % unit;
    if (past != 0) {
        throw OperandError(
            fmt::format("{} is misaligned: found an address that is {} past a multiple of {}, "
                        "expected a multiple of {}",
                        what.text(), past, unit, unit));
    }
}

/// Memory of a caller's, in units of the type of the data.
struct Taken {
    Party party;
    Region region;
    Bounds bounds;
};

/// Errors: OperandError.
Taken taken_by(const Party& what, const void* data, const Strided& strides, std::int64_t rows,
               std::int64_t cols, std::int64_t batch, ScalarType type) {
    Region region{0,
                  rows,
                  cols,
                  batch,
                  strides.row_stride,
                  strides.col_stride,
                  batch > 1 ? strides.batch_stride : 0};
    if (region.empty()) {
        return {what, region, {}};
    }
    if (data == nullptr) {
        throw OperandError(
            fmt::format("{} has no data: found a null pointer, expected {}-by-{} entries",
                        what.text(), rows, cols));
    }
    const auto unit = static_cast<std::size_t>(size_of(type));
    check_address(what, data, unit);
    region.address = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data) / unit);
    const std::optional<Bounds> bounds = bounds_of(region);
    if (!bounds) {
        throw OperandError(
            fmt::format("{} is out of reach: strides {}, {}, {} over {}-by-{} entries "
                        "of {} problems leave the address space",
                        what.text(), strides.row_stride, strides.col_stride, strides.batch_stride,
                        rows, cols, batch));
    }
    return {what, region, *bounds};
}

template <typename T>
Taken bytes_taken_by(const Party& what, std::span<T> memory, ScalarType type) {
    const auto unit = static_cast<std::uintptr_t>(size_of(type));
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const auto first = static_cast<std::int64_t>(address / unit);
    const auto end = static_cast<std::int64_t>((address + memory.size_bytes() + unit - 1) / unit);
    if (memory.empty()) {
        return {what, {}, {}};
    }
    return {what, {first, 1, end - first, 1, 0, 1, 0}, {first, end - 1}};
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

void check_options(const Expr& f, std::int64_t batch, const PlanOptions& options) {
    if (!f) {
        throw ShapeError("the function is empty: expected a scalar expression");
    }
    if (!f.shape().is_scalar()) {
        throw ShapeError(fmt::format("the function is {}: expected a scalar (1-by-1), {}",
                                     f.shape().text(), to_text(f)));
    }
    if (batch < 0) {
        throw OperandError(fmt::format("the batch is {}: expected at least 0", batch));
    }
    if (options.device.kind == DeviceKind::cuda && options.device.index < Device::kAll) {
        throw OperandError(
            fmt::format("the index of the GPU is {}: expected at least 0, or -1 for all",
                        options.device.index));
    }
    if (options.threads < 0) {
        throw OperandError(fmt::format("threads is {}: expected at least 0", options.threads));
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

void check_run(const RunContract& contract, std::int64_t batch,
               std::span<const ConstStrided> operands, std::span<const Strided> results,
               std::span<const std::int32_t> status, std::span<const std::byte> workspace) {
    if (batch < 0) {
        throw OperandError(fmt::format("the batch is {}: expected at least 0", batch));
    }
    if (operands.size() != contract.operands.size()) {
        throw OperandError(fmt::format("{} operands are given: expected {}", operands.size(),
                                       contract.operands.size()));
    }
    if (results.size() != contract.outputs.size()) {
        throw OperandError(fmt::format("{} results are given: expected {}", results.size(),
                                       contract.outputs.size()));
    }
    if (!status.empty() && status.size() != static_cast<std::size_t>(batch)) {
        throw OperandError(fmt::format(
            "status has {} entries: expected {}, one per problem, or none", status.size(), batch));
    }
    if (workspace.size() < contract.workspace_bytes) {
        throw OperandError(fmt::format("the workspace has {} bytes: expected at least {}",
                                       workspace.size(), contract.workspace_bytes));
    }
    if (contract.workspace_bytes > 0) {
        check_address({"the workspace"}, workspace.data(), contract.workspace_alignment);
    }
    if (!status.empty()) {
        check_address({"the status"}, status.data(), sizeof(std::int32_t));
    }

    std::vector<Taken> taken;
    taken.reserve(operands.size() + results.size() + 2);
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const Operand& operand = contract.operands[i];
        const ConstStrided& view = operands[i];
        taken.push_back(taken_by({"operand", operand.name}, view.data,
                                 {nullptr, view.row_stride, view.col_stride, view.batch_stride},
                                 operand.rows, operand.cols, operand.batched ? batch : 1,
                                 contract.type));
    }
    taken.push_back(bytes_taken_by({"the workspace"}, workspace, contract.type));
    taken.push_back(bytes_taken_by({"the status"}, status, contract.type));
    for (std::size_t i = 0; i < results.size(); ++i) {
        const OutputInfo& output = contract.outputs[i];
        const Taken result =
            taken_by({"the result", {}, &output}, results[i].data, results[i], output.rows,
                     output.cols, output.batched ? batch : 1, contract.type);
        const Region& region = result.region;
        if (repeats_an_address(region)) {
            throw OperandError(
                fmt::format("{} writes one address twice: strides {}, {}, {} over {}-by-"
                            "{} entries of {} problems, expected distinct addresses",
                            result.party.text(), region.row_stride, region.col_stride,
                            region.batch_stride, region.rows, region.cols, region.batch));
        }
        for (const Taken& other : taken) {
            if (result.bounds.meets(other.bounds) && share_an_address(region, other.region)) {
                throw OperandError(fmt::format("{} overlaps {}: expected memory of its own",
                                               result.party.text(), other.party.text()));
            }
        }
        taken.push_back(result);
    }
}

}  // namespace matgrad::detail
