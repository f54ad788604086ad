#include "cuda/library/arguments.hpp"

#include <fmt/format.h>

#include <string>

#include "cuda/checked.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

constexpr std::uintptr_t kWorkspaceAlignment = 256;

/// `what()` names the pointer, where something is wrong with it.
template <typename Name>
void check_device_pointer(const Name& what, const void* data, int device,
                          std::uintptr_t alignment) {
    if (data == nullptr) {
        throw OperandError(
            fmt::format("{} is null: expected memory of device cuda:{}", what(), device));
    }
    if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0) {
        throw OperandError(fmt::format("{} is at address {}: expected a multiple of {} bytes",
                                       what(), data, alignment));
    }
    cudaPointerAttributes attributes{};
    MATGRAD_CUDA(cudaPointerGetAttributes(&attributes, data));
    if (attributes.type == cudaMemoryTypeManaged) {
        return;  // every device sees it
    }
    if (attributes.type != cudaMemoryTypeDevice) {
        throw OperandError(
            fmt::format("{} is host memory: expected memory of device cuda:{}", what(), device));
    }
    if (attributes.device != device) {
        throw OperandError(fmt::format("{} is memory of device cuda:{}: expected cuda:{}", what(),
                                       attributes.device, device));
    }
}

void check_counts(const Program& program, const DeviceCall& call) {
    if (call.batch < 0) {
        throw OperandError(
            fmt::format("the batch is {}: expected a count of at least 0", call.batch));
    }
    if (call.operands.size() != program.operands.size()) {
        throw OperandError(fmt::format("there are {} operands: expected {}", call.operands.size(),
                                       program.operands.size()));
    }
    if (call.results.size() != program.outputs.size()) {
        throw OperandError(fmt::format("there are {} results: expected {}", call.results.size(),
                                       program.outputs.size()));
    }
    if (!call.beta.empty() && call.beta.size() != program.outputs.size()) {
        throw OperandError(fmt::format("beta has {} entries: expected {}, one per result, or none",
                                       call.beta.size(), program.outputs.size()));
    }
}

void check_stream(void* stream, int device) {
    // The default streams, null and the two named ones, are those of the current device.
    const auto handle = static_cast<cudaStream_t>(stream);
    if (handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread) {
        return;
    }
    int of_stream = device;
    MATGRAD_CUDA(cudaStreamGetDevice(handle, &of_stream));
    if (of_stream != device) {
        throw OperandError(fmt::format("the stream is one of device cuda:{}: expected cuda:{}",
                                       of_stream, device));
    }
}

}  // namespace

void check_call(const Program& program, const DeviceCall& call, int device,
                std::size_t workspace_bytes) {
    check_counts(program, call);
    const auto value = [&program](ValueId id) -> const Value& { return program.value(id); };
    const auto element = static_cast<std::uintptr_t>(size_of(program.type));
    for (std::size_t i = 0; i < call.operands.size(); ++i) {
        const ProgramOperand& operand = program.operands[i];
        const bool is_read =
            value(operand.value).count() > 0 && (!operand.batched || call.batch > 0);
        if (is_read) {
            check_device_pointer([&operand] { return "operand " + operand.name; },
                                 call.operands[i].data, device, element);
        }
    }
    for (std::size_t i = 0; i < call.results.size(); ++i) {
        const Value& from = value(program.outputs[i].value);
        const ProgramOutput& output = program.outputs[i];
        if (from.count() > 0 && (!is_per_problem(program, output) || call.batch > 0)) {
            check_device_pointer(
                [&output] { return "the result " + output_text(output.kind, output.name); },
                call.results[i].data, device, element);
        }
    }
    if (call.status != nullptr) {
        check_device_pointer([] { return "the status"; }, call.status, device,
                             alignof(std::int32_t));
    }
    if (call.rows != nullptr && call.batch > 0) {
        check_device_pointer([] { return "the index of rows"; }, call.rows, device,
                             alignof(std::int64_t));
    }
    if (call.workspace_bytes < workspace_bytes) {
        throw OperandError(fmt::format("the workspace is {} bytes: expected at least {}",
                                       call.workspace_bytes, workspace_bytes));
    }
    check_device_pointer([] { return "the workspace"; }, call.workspace, device,
                         kWorkspaceAlignment);
    check_stream(call.stream, device);
}

}  // namespace matgrad::gpu
