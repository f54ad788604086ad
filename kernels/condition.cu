// Compiled by nvcc for the module, and as plain C++ with the twin of device.cuh for the simulated GPU.
#include <algorithm>

#include "condition.cuh"
#include "condition.hpp"
#include "launch.hpp"
#include "matgrad/status.hpp"

namespace matgrad::block {

constexpr int kConditionThreads = 256;

MATGRAD_KERNEL(matgrad_condition_small, ConditionArgs, kWarp) {
    mark_condition<kWarp>(args);
}
MATGRAD_KERNEL(matgrad_condition, ConditionArgs, kConditionThreads) {
    mark_condition<kConditionThreads>(args);
}

}  // namespace matgrad::block

namespace matgrad::gpu {
namespace {

using ConditionKernel = CompiledKernel<block::ConditionArgs>;

/// Rows past which a warp has more than a few entries of each.
constexpr std::int64_t kMostSmallRows = 128;

const ConditionKernel kSmall = MATGRAD_COMPILED(matgrad_condition_small, ConditionArgs);
const ConditionKernel kLarge = MATGRAD_COMPILED(matgrad_condition, ConditionArgs);

}  // namespace

std::int64_t condition_work_bytes(std::int64_t n, std::int64_t root_rows) {
    const std::int64_t sharpened = root_rows > 0 ? (root_rows + n) * n : 0;
    return (2 * n + sharpened) * static_cast<std::int64_t>(sizeof(double));
}

void mark_ill_conditioned(const Matrices& l, double most, const GramRoot& root, std::byte* work,
                          std::int32_t* status, std::int64_t batch, cudaStream_t stream) {
    constexpr std::int64_t kMostBlocks = (std::int64_t{1} << 31) - 1;
    if (l.rows == 0) {
        return;
    }
    const bool is_small = l.rows <= kMostSmallRows;
    block::ConditionArgs args{};
    args.launch.batch = batch;
    args.l = {l.data, l.batch_stride, l.row_stride, l.col_stride};
    const Matrices& r = root.matrices;
    args.root = {{r.data, r.batch_stride, r.row_stride, r.col_stride}, r.rows, root.scale};
    args.work = reinterpret_cast<double*>(work);
    args.work_count =
        condition_work_bytes(l.rows, r.rows) / static_cast<std::int64_t>(sizeof(double));
    args.status = status;
    args.n = l.rows;
    args.most = most;
    args.far = r.rows > 0 ? root.far : 0;
    args.mark = make_status(StatusKind::ill_conditioned);
    cudaLaunchConfig_t config{};
    config.blockDim = dim3(is_small ? block::kWarp : block::kConditionThreads);
    config.stream = stream;
    for (std::int64_t first = 0; first < batch; first += kMostBlocks) {
        args.launch.first_block = first;
        config.gridDim = dim3(static_cast<unsigned>(std::min(kMostBlocks, batch - first)));
        launch(is_small ? kSmall : kLarge, config, args);
    }
}

void load_condition_kernels() {
    load(kSmall);
    load(kLarge);
}

}  // namespace matgrad::gpu
