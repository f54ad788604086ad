#include "cuda/library/step_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "copy.hpp"
#include "cuda/library/blas_layout.hpp"
#include "cuda/library/step_status.hpp"
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
    if (log != nullptr && !is_known) {
        pointers_.push_back(array);
    }
    if (index >= memory.most_arrays || (log == nullptr && !is_known)) {
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

void StepRun::copy(const DeviceView& from, const DeviceView& to, std::int64_t count,
                   const std::int32_t* lost) {
    const std::int64_t bytes = count * to.count() * size_of(to.type);
    if (bytes == 0) {
        return;
    }
    const bool by_rows = is_contiguous(from, count) && is_contiguous(to, count);
    const bool by_columns =
        is_contiguous(transposed(from), count) && is_contiguous(transposed(to), count);
    if (from.type == to.type && (by_rows || by_columns) && lost == nullptr) {
        enqueue("copy", [&] {
            MATGRAD_CUDA(cudaMemcpyAsync(to.data, from.data, static_cast<std::size_t>(bytes),
                                         cudaMemcpyDeviceToDevice, stream));
        });
        return;
    }
    enqueue(from.type == to.type ? "copy kernel" : "conversion kernel",
            [&] { copy_entries(as_matrices(from), as_matrices(to), count, stream, lost); });
}

void StepRun::add(const DeviceView& from, double beta, const DeviceView& to, std::int64_t count,
                  const std::int32_t* lost, const MeanOf& mean) {
    if (count * to.count() > 0) {
        enqueue("addition to a result", [&] {
            add_results(as_matrices(from), beta, as_matrices(to), mean, lost, count, stream);
        });
    }
}

void StepRun::gather(const DeviceView& from, const DeviceView& to, const std::int64_t* rows) {
    if (batch * to.count() > 0) {
        enqueue("rows of an operand",
                [&] { gather_problems(as_matrices(from), as_matrices(to), rows, batch, stream); });
    }
}

void StepRun::set_identity(const DeviceView& to) {
    enqueue("identity kernel", [&] { gpu::set_identity(as_matrices(to), batch, stream); });
}

void StepRun::map(KernelId kernel, std::span<const DeviceView> operands, const DeviceView& out,
                  const std::int32_t* lost) {
    enqueue("map kernel", [&] { kernels.map(kernel, operands, out, batch, stream, lost); });
}

void StepRun::reduce(KernelId kernel, std::span<const DeviceView> operands,
                     const std::int32_t* pivots, const DeviceView& out, const std::int32_t* lost,
                     const char* operation) {
    enqueue(operation, [&] { kernels.reduce(kernel, operands, pivots, out, batch, stream, lost); });
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
    if (zero_fails && diagonals.n > kPivotsEach) {
        start_status();
    }
    enqueue("status", [&] { gpu::read_lu_status(diagonals, zero_fails, status, batch, stream); });
    status.are_new = false;
}

void StepRun::mark_ill_conditioned(const DeviceView& triangle, double most, const GramRoot& root) {
    std::byte* const work = take(batch * condition_work_bytes(triangle.rows, root.matrices.rows));
    enqueue("condition of each factor", [&] {
        gpu::mark_ill_conditioned(as_matrices(triangle), most, root, work, status.data, batch,
                                  stream);
    });
}

void StepRun::mark_failed(std::span<const Matrices> results) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t first = 0; first < results.size(); first += kMostFilled) {
        const auto some = results.subspan(first, std::min(kMostFilled, results.size() - first));
        enqueue("NaN where a problem failed",
                [&] { fill_failed(some, kNaN, status.data, batch, stream); });
    }
}

void StepRun::mark_not_finite(const DeviceView& terms) {
    start_status();
    if (terms.count() > 0) {
        enqueue("status of what is not finite",
                [&] { gpu::mark_not_finite(as_matrices(terms), status.data, batch, stream); });
    }
}

void StepRun::clear_failed(const DeviceView& v) {
    const Matrices matrices = as_matrices(v);
    enqueue("0 where a problem failed", [&] {
        fill_failed({&matrices, 1}, 0, status.data, batch, stream, block::kAnyFailure);
    });
}

}  // namespace matgrad::gpu
