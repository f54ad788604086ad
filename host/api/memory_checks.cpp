#include "api/memory_checks.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "api/overlap.hpp"

namespace matgrad::detail {
namespace {

/// Something of a caller's, by name; the words are put together for an error alone.
struct Party {
    const char* kind;
    std::string_view name = {};
    [[nodiscard]] std::string text() const {
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

/// entries   those of the memory at `data`, if that is known
/// Errors    OperandError
Taken taken_by(const Party& what, const ConstStrided& view, std::int64_t rows, std::int64_t cols,
               std::int64_t batch, std::int64_t entries, ScalarType type) {
    const void* data = view.data;
    Region region{
        0, rows, cols, batch, view.row_stride, view.col_stride, batch > 1 ? view.batch_stride : 0};
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
        throw OperandError(fmt::format(
            "{} is out of reach: strides {}, {}, {} over {}-by-{} entries "
            "of {} problems leave the address space",
            what.text(), view.row_stride, view.col_stride, view.batch_stride, rows, cols, batch));
    }
    const std::int64_t first = bounds->first - region.address;
    const std::int64_t last = bounds->last - region.address;
    if (entries != ConstView::kUnknown && (first < 0 || last >= entries)) {
        throw OperandError(fmt::format("{} reaches past its memory: found entries {} to {} of {}",
                                       what.text(), first, last, entries));
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

ConstStrided read_only(const Strided& view) {
    return {view.data, view.row_stride, view.col_stride, view.batch_stride};
}

void check_others(const BoundCall& call, const OtherMemory& other) {
    if (!other.status.empty() && other.status.size() != static_cast<std::size_t>(call.batch)) {
        throw OperandError(
            fmt::format("status has {} entries: expected {}, one per problem, or none",
                        other.status.size(), call.batch));
    }
    if (other.workspace.size() < other.workspace_needed) {
        throw OperandError(fmt::format("the workspace has {} bytes: expected at least {}",
                                       other.workspace.size(), other.workspace_needed));
    }
    if (other.workspace_needed > 0) {
        check_address({"the workspace"}, other.workspace.data(), other.workspace_alignment);
    }
    if (!other.status.empty()) {
        check_address({"the status"}, other.status.data(), sizeof(std::int32_t));
    }
}

}  // namespace

void check_memory(const RunContract& contract, const BoundCall& call, const OtherMemory& other,
                  CallMemory& memory) {
    check_others(call, other);
    const auto taken = memory.list<Taken>(call.operands.size() + call.results.size() + 3);
    std::size_t count = 0;
    for (std::size_t i = 0; i < call.operands.size(); ++i) {
        const Operand& operand = contract.operands[i];
        if (!other.is_read.empty() && !other.is_read[i]) {
            continue;
        }
        taken[count++] =
            taken_by({"operand", operand.name}, call.operands[i], operand.rows, operand.cols,
                     operand.batched ? call.problems : 1, call.operand_entries[i], contract.type);
    }
    taken[count++] = bytes_taken_by({"the workspace"}, other.workspace, contract.type);
    taken[count++] = bytes_taken_by({"the status"}, other.status, contract.type);
    taken[count++] = bytes_taken_by({"the list of rows"}, other.rows, contract.type);
    for (std::size_t i = 0; i < call.results.size(); ++i) {
        const OutputInfo& output = contract.outputs[i];
        const Taken result = taken_by(
            {"the result", contract.output_names[i]}, read_only(call.results[i]), output.rows,
            output.cols, output.batched ? call.batch : 1, call.result_entries[i], contract.type);
        const Region& region = result.region;
        if (repeats_an_address(region)) {
            throw OperandError(
                fmt::format("{} writes one address twice: strides {}, {}, {} over {}-by-"
                            "{} entries of {} problems, expected distinct addresses",
                            result.party.text(), region.row_stride, region.col_stride,
                            region.batch_stride, region.rows, region.cols, region.batch));
        }
        for (const Taken& each : taken.first(count)) {
            if (result.bounds.meets(each.bounds) && share_an_address(region, each.region)) {
                throw OperandError(fmt::format("{} overlaps {}: expected memory of its own",
                                               result.party.text(), each.party.text()));
            }
        }
        taken[count++] = result;
    }
}

}  // namespace matgrad::detail
