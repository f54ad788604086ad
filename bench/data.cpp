#include "bench/data.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "bench/inputs.hpp"
#include "bench/threads.hpp"

namespace matgrad::bench {
namespace {

constexpr std::size_t kAlignment = 256;  // of device memory; more than enough for the host
constexpr std::size_t kPage = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes, std::size_t to) {
    return (bytes + to - 1) / to * to;
}

std::size_t bytes_of(std::int64_t rows, std::int64_t cols, std::int64_t count, ScalarType type) {
    return static_cast<std::size_t>(rows * cols * count * size_of(type));
}

}  // namespace

Layout::Layout(const Case& c, std::span<const OutputInfo> outputs) {
    for (const Operand& operand : c.operands()) {
        operands.push_back(bytes);
        bytes +=
            round_up(bytes_of(operand.rows, operand.cols, operand.batched ? c.batch : 1, c.type),
                     kAlignment);
    }
    operand_bytes = bytes;
    for (const OutputInfo& output : outputs) {
        results.push_back(bytes);
        bytes += round_up(bytes_of(output.rows, output.cols, output.batched ? c.batch : 1, c.type),
                          kAlignment);
    }
}

std::vector<ConstStrided> Layout::operands_at(std::byte* base, const Case& c) const {
    std::vector<ConstStrided> views;
    const std::vector<Operand> all = c.operands();
    for (std::size_t i = 0; i < all.size(); ++i) {
        views.push_back(ConstStrided::contiguous(base + operands[i], all[i].rows, all[i].cols));
    }
    return views;
}

std::vector<Strided> Layout::results_at(std::byte* base,
                                        std::span<const OutputInfo> outputs) const {
    std::vector<Strided> views;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        views.push_back(Strided::contiguous(base + results[i], outputs[i].rows, outputs[i].cols));
    }
    return views;
}

PlanArguments::PlanArguments(const Plan& plan, std::int64_t batch)
    : operands(plan.operands().size(), OperandView(ConstView())),
      results(plan.outputs().size(), ResultView(View())),
      plan_(plan),
      batch_(batch) {}

void PlanArguments::move_to(std::span<const ConstStrided> to_operands,
                            std::span<const Strided> to_results) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const Operand& operand = plan_.operands()[i];
        const ConstView matrix(to_operands[i].data, plan_.type(), operand.rows, operand.cols,
                               operand.cols, 1);
        operands[i].view = operand.batched ? matrix.batched(batch_) : matrix;
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        const OutputInfo& output = plan_.outputs()[i];
        const View matrix(to_results[i].data, plan_.type(), output.rows, output.cols, output.cols,
                          1);
        results[i].view = output.batched ? matrix.batched(batch_) : matrix;
    }
}

std::int64_t copies_beyond(std::size_t cache_bytes, std::size_t copy_bytes, std::size_t most) {
    const std::size_t wanted = cache_bytes + cache_bytes / 4;
    const std::size_t each = std::max<std::size_t>(1, copy_bytes);
    const std::size_t copies = (wanted + each - 1) / each;
    return static_cast<std::int64_t>(std::max<std::size_t>(1, std::min(copies, most / each)));
}

HostMemory::HostMemory(std::size_t bytes) : bytes_(std::max(kPage, round_up(bytes, kPage))) {
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, bytes_)));
    if (data_ == nullptr) {
        throw std::bad_alloc();
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(data_.get(), bytes_, MADV_HUGEPAGE);  // advice only
#endif
    // Written to by all threads, so that no page is made while time is measured.
    in_parts(static_cast<std::int64_t>(bytes_), machine_threads(),
             [this](std::int64_t first, std::int64_t last) {
                 std::memset(data_.get() + first, 0, static_cast<std::size_t>(last - first));
             });
}

void HostMemory::Free::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

void fill_operands(const Case& c, const Layout& layout, std::byte* base) {
    const std::vector<Operand> operands = c.operands();
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const Operand& operand = operands[i];
        fill_inputs(c.declare[i], operand.rows, operand.cols, operand.batched ? c.batch : 1, c.type,
                    base + layout.operands[i]);
    }
}

Eigen::MatrixXd matrix_at(const std::byte* data, ScalarType type, std::int64_t rows,
                          std::int64_t cols, std::int64_t problem) {
    const auto load = [&]<typename T>(const T* from) -> Eigen::MatrixXd {
        using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        return Eigen::Map<const Rows>(from + problem * rows * cols, rows, cols)
            .template cast<double>();
    };
    return type == ScalarType::float32 ? load(reinterpret_cast<const float*>(data))
                                       : load(reinterpret_cast<const double*>(data));
}

}  // namespace matgrad::bench
