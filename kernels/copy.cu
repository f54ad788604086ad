// Compiled by nvcc for the module, and as plain C++ with the twin of device.cuh for the simulated GPU.
#include "copy.hpp"
#include "copy_kernels.cuh"
#include "launch.hpp"

namespace matgrad::gpu {
namespace {

using PieceKernel = CompiledKernel<block::PieceArgs>;

/// By CopyKernel.
#define MATGRAD_COPIES(From, To)                                             \
    {                                                                        \
        MATGRAD_COMPILED(matgrad_copy_flat_##From##_##To, PieceArgs),        \
            MATGRAD_COMPILED(matgrad_copy_lines_##From##_##To, PieceArgs),   \
            MATGRAD_COMPILED(matgrad_copy_tiles_##From##_##To, PieceArgs),   \
            MATGRAD_COMPILED(matgrad_copy_entries_##From##_##To, PieceArgs), \
    }

/// By the types: [from is double][to is double].
const PieceKernel kCopies[2][2][4] = {
    {MATGRAD_COPIES(float, float), MATGRAD_COPIES(float, double)},
    {MATGRAD_COPIES(double, float), MATGRAD_COPIES(double, double)},
};
#undef MATGRAD_COPIES

const PieceKernel kIdentities[2] = {MATGRAD_COMPILED(matgrad_identity_float, PieceArgs),
                                    MATGRAD_COMPILED(matgrad_identity_double, PieceArgs)};

void launch_piece(const PieceKernel& kernel, const CopyLaunch& piece, cudaStream_t stream) {
    cudaLaunchConfig_t config{};
    config.gridDim = {static_cast<unsigned>(piece.blocks), 1, 1};
    config.blockDim = {block::kCopyThreads, 1, 1};
    config.stream = stream;
    launch(kernel, config, piece.args);
}

}  // namespace

void copy_entries(const Matrices& from, const Matrices& to, std::int64_t batch, cudaStream_t stream,
                  const std::int32_t* status, unsigned losing, std::int64_t most) {
    const CopyShape shape = copy_shape(from, to, batch, status != nullptr);
    if (shape.count() == 0) {
        return;
    }
    const auto& kernels = kCopies[from.is_double ? 1 : 0][to.is_double ? 1 : 0];
    for_each_piece(shape, most, [&](const CopyShape& piece) {
        const CopyKernel kernel = copy_kernel(piece, status != nullptr);
        CopyLaunch launch = copy_launch(piece, kernel);
        launch.args.status = status != nullptr ? status + piece.problems.first : nullptr;
        launch.args.losing = losing;
        launch_piece(kernels[static_cast<int>(kernel)], launch, stream);
    });
}

void set_identity(const Matrices& to, std::int64_t batch, cudaStream_t stream, std::int64_t most) {
    const CopyShape shape = identity_shape(to, batch);
    if (shape.count() == 0) {
        return;
    }
    for_each_piece(shape, most, [&](const CopyShape& piece) {
        launch_piece(kIdentities[to.is_double ? 1 : 0], copy_launch(piece, CopyKernel::entries),
                     stream);
    });
}

void load_copy_kernels() {
    for (const auto& from : kCopies) {
        for (const auto& kernels : from) {
            for (const PieceKernel& kernel : kernels) {
                load(kernel);
            }
        }
    }
    for (const PieceKernel& kernel : kIdentities) {
        load(kernel);
    }
}

}  // namespace matgrad::gpu
