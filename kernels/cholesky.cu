// Compiled by nvcc for the module, and as plain C++ with the twin of device.cuh for the simulated GPU.
#include <algorithm>
#include <cstdlib>

#include "cholesky.cuh"
#include "cholesky.hpp"
#include "launch.hpp"

namespace matgrad::block {

constexpr int kSmallSide = 16;
constexpr int kSide = 32;
constexpr int kSmallThreads = Tile<float, kSmallSide>::kThreads;
constexpr int kThreads = Tile<float, kSide>::kThreads;

MATGRAD_KERNEL(matgrad_cholesky_small_float, CholeskyArgs, kSmallThreads) {
    cholesky<float, kSmallSide>(args);
}
MATGRAD_KERNEL(matgrad_cholesky_small_double, CholeskyArgs, kSmallThreads) {
    cholesky<double, kSmallSide>(args);
}
MATGRAD_KERNEL(matgrad_cholesky_float, CholeskyArgs, kThreads) {
    cholesky<float, kSide>(args);
}
MATGRAD_KERNEL(matgrad_cholesky_double, CholeskyArgs, kThreads) {
    cholesky<double, kSide>(args);
}

}  // namespace matgrad::block

namespace matgrad::gpu {
namespace {

using CholeskyKernel = CompiledKernel<block::CholeskyArgs>;

const CholeskyKernel kSmall[] = {MATGRAD_COMPILED(matgrad_cholesky_small_float, CholeskyArgs),
                                 MATGRAD_COMPILED(matgrad_cholesky_small_double, CholeskyArgs)};
const CholeskyKernel kLarge[] = {MATGRAD_COMPILED(matgrad_cholesky_float, CholeskyArgs),
                                 MATGRAD_COMPILED(matgrad_cholesky_double, CholeskyArgs)};

}  // namespace

void factor_cholesky(const Matrices& a, std::int64_t batch, cudaStream_t stream) {
    constexpr std::int64_t kMostBlocks = (std::int64_t{1} << 31) - 1;
    if (a.rows == 0) {
        return;
    }
    const bool is_small = a.rows <= block::kSmallSide;
    block::CholeskyArgs args{};
    args.launch.batch = batch;
    args.a = {a.data, a.batch_stride, a.row_stride, a.col_stride};
    args.n = a.rows;
    args.by_columns = std::abs(a.row_stride) < std::abs(a.col_stride) ? 1 : 0;
    cudaLaunchConfig_t config{};
    config.blockDim = dim3(is_small ? block::kSmallThreads : block::kThreads);
    config.stream = stream;
    for (std::int64_t first = 0; first < batch; first += kMostBlocks) {
        args.launch.first_block = first;
        config.gridDim = dim3(static_cast<unsigned>(std::min(kMostBlocks, batch - first)));
        launch((is_small ? kSmall : kLarge)[a.is_double ? 1 : 0], config, args);
    }
}

void load_cholesky_kernels() {
    for (const auto& kernels : {kSmall, kLarge}) {
        load(kernels[0]);
        load(kernels[1]);
    }
}

}  // namespace matgrad::gpu
