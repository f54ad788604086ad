#include "cuda/host_buffers.hpp"

#include <algorithm>

#include "cuda/placement.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

constexpr int kMostSlots = 3;
/// A chunk this large keeps the bus and the device busy; a larger one only delays the first result.
constexpr std::int64_t kChunkBytes = std::int64_t{32} << 20;

std::int64_t matrix_bytes(const DeviceExecutor& executor, ValueId id) {
    const Program& program = executor.program();
    return program.value(id).count() * size_of(program.type);
}

/// Of one problem more in a chunk, but for alignment.
std::int64_t problem_bytes(const DeviceExecutor& executor) {
    const Program& program = executor.program();
    std::int64_t bytes = size_of(ScalarType::float32);  // the status
    for (const ProgramOperand& operand : program.operands) {
        bytes += operand.batched ? matrix_bytes(executor, operand.value) : 0;
    }
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        bytes += is_per_problem(program, program.outputs[i])
                     ? matrix_bytes(executor, program.outputs[i].value)
                     : 0;
    }
    return bytes;
}

}  // namespace

ChunkLayout lay_out_chunk(const DeviceExecutor& executor, std::int64_t problems) {
    const Program& program = executor.program();
    ChunkLayout layout;
    layout.problems = problems;
    for (const ProgramOperand& operand : program.operands) {
        std::int64_t& end = operand.batched ? layout.slot_bytes : layout.common_bytes;
        layout.operands.push_back(end);
        end += aligned(matrix_bytes(executor, operand.value) * (operand.batched ? problems : 1));
    }
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        layout.results.push_back(layout.slot_bytes);
        layout.slot_bytes += aligned(matrix_bytes(executor, program.outputs[i].value) *
                                     (is_per_problem(program, program.outputs[i]) ? problems : 1));
    }
    layout.status = layout.slot_bytes;
    layout.slot_bytes += aligned(problems * std::int64_t{sizeof(std::int32_t)});
    return layout;
}

std::int64_t device_bytes(const DeviceExecutor& executor, const Chunking& chunking) {
    const ChunkLayout layout = lay_out_chunk(executor, chunking.problems);
    return layout.slot_bytes * chunking.slots + layout.common_bytes +
           aligned(static_cast<std::int64_t>(executor.workspace_bytes()));
}

Chunking choose_chunking(const DeviceExecutor& executor, std::int64_t batch,
                         std::size_t free_bytes) {
    const std::int64_t largest = std::max<std::int64_t>(1, kChunkBytes / problem_bytes(executor));
    Chunking chunking{std::min(batch, largest), 1};
    chunking.slots = static_cast<int>(
        batch > chunking.problems
            ? std::min<std::int64_t>(kMostSlots, (batch - 1) / chunking.problems + 1)
            : 1);
    const auto limit =
        static_cast<std::int64_t>(std::min<std::size_t>(free_bytes, std::size_t{1} << 62));
    while (device_bytes(executor, chunking) > limit && make_smaller(chunking)) {
    }
    return chunking;
}

bool make_smaller(Chunking& chunking) {
    if (chunking.problems > 1) {
        chunking.problems = (chunking.problems + 1) / 2;
        chunking.slots = std::max(chunking.slots, 2);
        return true;
    }
    if (chunking.slots > 1) {
        --chunking.slots;
        return true;
    }
    return false;
}

HostBuffers::HostBuffers(const DeviceExecutor& executor, const Chunking& cut)
    : chunking(cut), layout(lay_out_chunk(executor, cut.problems)) {
    const std::int64_t chunks = layout.slot_bytes * chunking.slots;
    device = allocate_device(static_cast<std::size_t>(device_bytes(executor, chunking)));
    pinned = allocate_pinned(static_cast<std::size_t>(chunks + layout.common_bytes));
    common_device = device.get() + chunks;
    common_pinned = pinned.get() + chunks;
    workspace = common_device + layout.common_bytes;
    upload = make_stream();
    compute = make_stream();
    download = make_stream();
    for (int i = 0; i < chunking.slots; ++i) {
        slots.push_back({device.get() + i * layout.slot_bytes, pinned.get() + i * layout.slot_bytes,
                         make_event(), make_event(), make_event()});
    }
}

HostBuffers::~HostBuffers() {
    for (const Stream* stream : {&upload, &compute, &download}) {
        if (stream->get() != nullptr) {
            (void)cudaStreamSynchronize(stream->get());
        }
    }
}

std::size_t kept_bytes(const DeviceExecutor& executor) {
    std::unique_ptr<HostBuffers> kept = executor.take_buffers();
    const std::int64_t bytes = kept == nullptr ? 0 : device_bytes(executor, kept->chunking);
    executor.keep_buffers(std::move(kept));
    return static_cast<std::size_t>(bytes);
}

}  // namespace matgrad::gpu
