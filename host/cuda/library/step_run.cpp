#include "cuda/library/step_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "cuda/library/blas_layout.hpp"
#include "cuda/placement.hpp"

namespace matgrad::gpu {

void StepRun::forbid_capture(const char* operation) const {
    if (capturing) {
        throw UnsupportedError(fmt::format(
            "{}: the stream is being captured, which no document allows {}: expected a plan made "
            "with PlanOptions::capturable",
            step_ != nullptr ? to_text(program, *step_) : std::string("enqueue"), operation));
    }
}

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

void** StepRun::pointers_to(const DeviceView& v) {
    const PointerArray array{v.data, v.batch_stride * size_of(v.type)};
    const auto found = std::find(pointers_.begin(), pointers_.end(), array);
    const std::int64_t index = found - pointers_.begin();
    const bool is_known = found != pointers_.end();
    if (recording != nullptr && !is_known) {
        pointers_.push_back(array);
    }
    if (index >= memory.most_arrays || (recording == nullptr && !is_known)) {
        throw std::logic_error("matgrad: a step takes an array of addresses it did not ask for");
    }
    return memory.pointers + index * batch;
}

void StepRun::fill_pointers() {
    for (std::size_t first = 0; first < pointers_.size(); first += kMostPointerArrays) {
        const std::span<const PointerArray> arrays = std::span(pointers_).subspan(
            first, std::min(kMostPointerArrays, pointers_.size() - first));
        enqueue("addresses of matrices", [&] {
            gpu::fill_pointers(memory.pointers + static_cast<std::int64_t>(first) * batch, arrays,
                               batch, stream);
        });
    }
}

void StepRun::copy(KernelId kernel, const DeviceView& from, const DeviceView& to,
                   std::int64_t count) {
    const std::int64_t bytes = count * to.count() * size_of(to.type);
    if (bytes == 0) {
        return;
    }
    const bool by_rows = is_contiguous(from, count) && is_contiguous(to, count);
    const bool by_columns =
        is_contiguous(transposed(from), count) && is_contiguous(transposed(to), count);
    if (from.type == to.type && (by_rows || by_columns)) {
        enqueue("copy", [&] {
            MATGRAD_CUDA(cudaMemcpyAsync(to.data, from.data, static_cast<std::size_t>(bytes),
                                         cudaMemcpyDeviceToDevice, stream));
        });
        return;
    }
    enqueue(from.type == to.type ? "copy kernel" : "conversion",
            [&] { kernels.copy(kernel, from, to, count, stream); });
}

void StepRun::map(KernelId kernel, std::span<const DeviceView> operands, const DeviceView& out) {
    enqueue("map kernel", [&] { kernels.map(kernel, operands, out, batch, stream); });
}

void StepRun::reduce(KernelId kernel, std::span<const DeviceView> operands,
                     const std::int32_t* pivots, const DeviceView& out) {
    enqueue("reduce kernel", [&] { kernels.reduce(kernel, operands, pivots, out, batch, stream); });
}

void StepRun::start_status() {
    if (status.are_new) {
        enqueue("first status",
                [&] { gpu::start_status(status.data, status.shared, batch, stream); });
        status.are_new = false;
    }
}

void StepRun::read_cholesky_status(const Diagonals& diagonals, const int* info) {
    if (diagonals.n > kPivotsEach) {
        start_status();
    }
    enqueue("status", [&] { gpu::read_cholesky_status(diagonals, info, status, batch, stream); });
    status.are_new = false;
}

void StepRun::read_lu_status(const Diagonals& diagonals, bool zero_fails) {
    if (diagonals.n > kPivotsEach) {
        start_status();
    }
    enqueue("status", [&] { gpu::read_lu_status(diagonals, zero_fails, status, batch, stream); });
    status.are_new = false;
}

void StepRun::fill_failed(std::span<const Matrices> batches, double value) {
    for (std::size_t first = 0; first < batches.size(); first += kMostFilled) {
        const auto some = batches.subspan(first, std::min(kMostFilled, batches.size() - first));
        enqueue(value == 0 ? "0 where a problem failed" : "NaN where a problem failed",
                [&] { gpu::fill_failed(some, value, status.data, batch, stream); });
    }
}

}  // namespace matgrad::gpu
