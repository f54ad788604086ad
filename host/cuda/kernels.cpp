#include "cuda/kernels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "arguments.cuh"
#include "cuda/kernel_source_body.hpp"
#include "lost_results.cuh"

namespace matgrad::gpu {
namespace {

static_assert(static_cast<int>(EntryOrder::rows) == block::kByRows &&
              static_cast<int>(EntryOrder::columns) == block::kByColumns &&
              static_cast<int>(EntryOrder::tiles) == block::kByTiles);
static_assert(sizeof(std::int64_t) == sizeof(long long) && sizeof(std::int32_t) == sizeof(int));

block::Strided strided(const DeviceView& view) {
    return {view.data, view.batch_stride, view.row_stride, view.col_stride};
}

/// Arguments with room for as many operands as there may be; a kernel takes the first ones.
template <template <int> class Args>
using MostArgs = Args<detail::kMostOperands>;

template <typename Args>
void set_operands(Args& args, std::span<const DeviceView> operands) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
        args.from[i] = strided(operands[i]);
    }
}

/// Lets a kernel have its block memory. Returns how many blocks of it the device has room for.
std::int64_t make_resident(const KernelInfo& info, cudaKernel_t kernel, const Context& context) {
    const auto* const function = reinterpret_cast<const void*>(kernel);
    const auto bytes = static_cast<int>(info.shared_bytes);
    MATGRAD_CUDA(
        cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    int blocks = 0;
    MATGRAD_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &blocks, function, info.block, static_cast<std::size_t>(info.shared_bytes)));
    return std::max<std::int64_t>(1, blocks) * context.info().multiprocessors;
}

}  // namespace

Kernels::Kernels(const Context& context, const KernelSource& source, std::int64_t most_blocks)
    : infos_(source.kernels().begin(), source.kernels().end()), most_blocks_(most_blocks) {
    if (infos_.empty()) {
        return;
    }
    const std::shared_ptr<const std::vector<char>> code =
        compile(source.text(), context.info().major, context.info().minor);
    cudaLibrary_t library = nullptr;
    MATGRAD_CUDA(
        cudaLibraryLoadData(&library, code->data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
    library_ = Library(library);
    for (const KernelInfo& info : infos_) {
        cudaKernel_t function = nullptr;
        MATGRAD_CUDA(cudaLibraryGetKernel(&function, library, info.name.c_str()));
        // Loads it now: at its first launch, memory would be allocated for its code.
        cudaFuncAttributes attributes{};
        MATGRAD_CUDA(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(function)));
        functions_.push_back(function);
        resident_.push_back(info.kind == KernelKind::fused ? make_resident(info, function, context)
                                                           : 0);
    }
}

void Kernels::launch(KernelId id, std::int64_t blocks, void* arguments, cudaStream_t stream) const {
    const auto index = static_cast<std::size_t>(id);
    auto* head = static_cast<block::Launch*>(arguments);  // every struct of arguments begins so
    for_each_launch(blocks, most_blocks_, [&](std::int64_t first, std::int64_t count) {
        head->first_block = first;
        cudaLaunchConfig_t config{};
        config.gridDim = dim3(static_cast<unsigned>(count));
        config.blockDim = dim3(static_cast<unsigned>(infos_[index].block));
        config.dynamicSmemBytes = static_cast<std::size_t>(infos_[index].shared_bytes);
        config.stream = stream;
        void* pointers[] = {arguments};
        MATGRAD_CUDA(cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(functions_[index]),
                                         pointers));
    });
}

void Kernels::map(KernelId id, std::span<const DeviceView> operands, const DeviceView& out,
                  std::int64_t batch, cudaStream_t stream, const std::int32_t* status) const {
    const KernelInfo& info = infos_[static_cast<std::size_t>(id)];
    const std::optional<EntryOrder> flat =
        flat_order(info, operands, out, batch, status != nullptr);
    const EntryOrder order = flat ? *flat : map_order(operands, out);
    MostArgs<block::MapArgs> args;
    args.launch = {0, batch};
    args.out = strided(out);
    args.status = status;
    args.losing = block::kLosing;
    args.order = static_cast<int>(order);
    args.flat = flat ? 1 : 0;
    set_operands(args, operands);
    launch(id, flat ? flat_blocks(info, batch) : entry_blocks(info, order, batch), &args, stream);
}

void Kernels::reduce(KernelId id, std::span<const DeviceView> operands, const std::int32_t* pivots,
                     const DeviceView& out, std::int64_t batch, cudaStream_t stream,
                     const std::int32_t* status) const {
    const KernelInfo& info = infos_[static_cast<std::size_t>(id)];
    MostArgs<block::ReduceArgs> args;
    args.launch = {0, batch};
    args.out = strided(out);
    if (out.rows == 1) {
        args.out.row = args.out.col;  // results lie along a row
    }
    args.pivots = pivots;
    args.status = status;
    args.losing = block::kLosing;
    args.order = static_cast<int>(reading_order(operands));
    set_operands(args, operands);
    launch(id, ceil_div(batch * info.outputs, info.block / info.slices), &args, stream);
}

std::int64_t Kernels::batch_sum_scratch_bytes(std::int64_t count) {
    const std::int64_t segments = most_segments(count);
    return segments == 1 ? 0 : segments * count * size_of(ScalarType::float64);
}

bool Kernels::sums_in_two(KernelId id, std::int64_t batch) const {
    return segments_of(infos_[static_cast<std::size_t>(id)], batch).count > 1;
}

void Kernels::batch_sum(KernelId id, const DeviceView& a, const std::int32_t* status,
                        double* totals, std::byte* scratch, std::int64_t batch,
                        cudaStream_t stream) const {
    const KernelInfo& info = infos_[static_cast<std::size_t>(id)];
    const std::int64_t count = info.rows * info.cols;
    if (batch == 0 || count == 0) {
        return;
    }
    const Segments segments = segments_of(info, batch);
    const bool one = segments.count == 1;
    auto* sums = reinterpret_cast<double*>(scratch);
    const std::int64_t chunks = ceil_div(count, info.block / info.slices);
    block::BatchSumArgs args{};
    args.launch = {0, batch};
    args.from = strided(a);
    args.status = status;
    args.to = one ? totals : sums;
    args.segment_length = segments.length;
    args.order = static_cast<int>(reading_order({&a, 1}));
    args.adds = one;
    launch(id, segments.count * chunks, &args, stream);
    if (!one) {
        args.launch.batch = segments.count;
        args.from = strided(row_major(scratch, ScalarType::float64, info.rows, info.cols));
        args.to = totals;
        args.segment_length = segments.count;
        args.order = block::kByRows;
        args.of_sums = 1;
        args.adds = 1;
        launch(id, chunks, &args, stream);
    }
}

void Kernels::fused(KernelId id, const FusedCall& call, std::int64_t batch,
                    cudaStream_t stream) const {
    const auto index = static_cast<std::size_t>(id);
    const KernelInfo& info = infos_[index];
    // The kernel's own struct has room for its matrices alone; beta follows them.
    const std::size_t count = std::max<std::size_t>(1, call.matrices.size());
    using Head = block::FusedArgs<1>;
    constexpr std::size_t kHead = offsetof(Head, matrices);
    std::vector<std::byte> args(kHead + count * (sizeof(block::Strided) + sizeof(double)));
    const std::int64_t blocks = std::min(ceil_div(batch, info.teams), resident_[index]);
    Head head{};
    head.launch = {0, batch};
    head.at_once = blocks * info.teams;
    head.status = call.status;
    head.shared_status = call.shared_status;
    head.status_is_new = call.status_is_new ? 1 : 0;
    head.losing = block::kLosingResults;
    std::memcpy(args.data(), &head, kHead);
    for (std::size_t i = 0; i < call.matrices.size(); ++i) {
        const block::Strided matrix = strided(call.matrices[i]);
        std::memcpy(args.data() + kHead + i * sizeof(matrix), &matrix, sizeof(matrix));
        std::memcpy(args.data() + kHead + count * sizeof(matrix) + i * sizeof(double),
                    &call.beta[i], sizeof(double));
    }
    launch(id, blocks, args.data(), stream);
}

void Kernels::count_failed(KernelId id, const std::int32_t* status, std::int64_t* failed,
                           std::int64_t batch, cudaStream_t stream) const {
    const KernelInfo& info = infos_[static_cast<std::size_t>(id)];
    block::CountFailedArgs args{{0, batch}, status, reinterpret_cast<long long*>(failed)};
    launch(id, ceil_div(batch, info.block * info.items), &args, stream);
}

void Kernels::divide(KernelId id, const DeviceView& view, std::int64_t matrices,
                     const std::int64_t* failed, std::int64_t batch, cudaStream_t stream) const {
    if (batch == 0) {
        return;
    }
    const KernelInfo& info = infos_[static_cast<std::size_t>(id)];
    block::DivideArgs args{
        {0, matrices}, strided(view), reinterpret_cast<const long long*>(failed), batch};
    launch(id, entry_blocks(info, EntryOrder::rows, matrices), &args, stream);
}

}  // namespace matgrad::gpu
