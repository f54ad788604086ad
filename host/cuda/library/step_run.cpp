#include "cuda/library/step_run.hpp"

#include <stdexcept>

#include "batch_state.hpp"
#include "cuda/library/blas_layout.hpp"
#include "cuda/placement.hpp"

namespace matgrad::gpu {

std::byte* StepRun::take(std::int64_t bytes) {
    std::byte* const at = memory.scratch + taken_;
    taken_ += aligned(bytes);
    if (taken_ > memory.scratch_bytes) {
        throw std::logic_error("matgrad: a step takes more scratch than it asked for");
    }
    return at;
}

DeviceView StepRun::take_matrix(ScalarType type, std::int64_t rows, std::int64_t cols,
                                bool per_problem) {
    const std::int64_t count = per_problem ? batch : 1;
    DeviceView v = row_major(take(count * rows * cols * size_of(type)), type, rows, cols);
    if (!per_problem) {
        v.batch_stride = 0;
    }
    return v;
}

void StepRun::copy(KernelId kernel, const DeviceView& from, const DeviceView& to,
                   std::int64_t count) const {
    const std::int64_t bytes = count * to.count() * size_of(to.type);
    if (bytes == 0) {
        return;
    }
    const bool by_rows = is_contiguous(from, count) && is_contiguous(to, count);
    const bool by_columns =
        is_contiguous(transposed(from), count) && is_contiguous(transposed(to), count);
    if (from.type == to.type && (by_rows || by_columns)) {
        MATGRAD_CUDA(cudaMemcpyAsync(to.data, from.data, static_cast<std::size_t>(bytes),
                                     cudaMemcpyDeviceToDevice, stream));
        return;
    }
    kernels.copy(kernel, from, to, count, stream);
}

void** StepRun::pointers_to(int index, const DeviceView& v) const {
    void** const pointers = memory.pointers[index];
    fill_pointers(pointers, v.data, v.batch_stride * size_of(v.type), batch, stream);
    return pointers;
}

}  // namespace matgrad::gpu
