#include "cuda/host_stream.hpp"

#include <algorithm>

#include "cuda/finisher.hpp"
#include "cuda/host_results.hpp"
#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

std::unique_ptr<HostBuffers> buffers_for(const DeviceExecutor& executor, const Chunking& chunking) {
    std::unique_ptr<HostBuffers> kept = executor.take_buffers();
    if (kept != nullptr && kept->chunking == chunking) {
        return kept;
    }
    kept.reset();  // before the new ones are asked for
    return std::make_unique<HostBuffers>(executor, chunking);
}

}  // namespace

HostStream::HostStream(const DeviceExecutor& executor, const HostCall& call,
                       const Chunking& chunking, const Copying& copying, const Finisher& finisher,
                       bool is_first)
    : executor_(executor),
      program_(executor.program()),
      call_(call),
      copying_(copying),
      finisher_(finisher),
      is_first_(is_first),
      current_(executor.device()),
      buffers_(buffers_for(executor, chunking)),
      chunks_(buffers_->slots.size()),
      sums_(empty_sums(program_)) {
    upload_shared();
}

void HostStream::upload_shared() {
    for (std::size_t i = 0; i < program_.operands.size(); ++i) {
        const ProgramOperand& operand = program_.operands[i];
        if (operand.batched) {
            continue;
        }
        const Value& value = program_.value(operand.value);
        const HostPart part{0, 1, value.rows.size, value.cols.size, program_.type};
        std::byte* pinned = buffers_->common_pinned + buffers_->layout.operands[i];
        pack(call_.operands[i], part, pinned, copying_);
        MATGRAD_CUDA(cudaMemcpyAsync(buffers_->common_device + buffers_->layout.operands[i], pinned,
                                     static_cast<std::size_t>(part.bytes()), cudaMemcpyHostToDevice,
                                     buffers_->upload.get()));
    }
}

std::int64_t HostStream::start(std::int64_t first, std::int64_t count) {
    const std::int64_t finished = under_way_ == chunks_.size() ? finish_oldest() : 0;
    HostBuffers::Slot& slot = buffers_->slots[next_];
    const Chunk chunk{first, count};
    upload(slot, chunk);
    compute(slot, chunk);
    download(slot, chunk);
    chunks_[next_] = chunk;
    next_ = (next_ + 1) % chunks_.size();
    ++under_way_;
    return finished;
}

void HostStream::upload(HostBuffers::Slot& slot, const Chunk& chunk) {
    for (std::size_t i = 0; i < program_.operands.size(); ++i) {
        const ProgramOperand& operand = program_.operands[i];
        const Value& value = program_.value(operand.value);
        const HostPart part{chunk.first, chunk.count, value.rows.size, value.cols.size,
                            program_.type};
        if (!operand.batched || part.bytes() == 0) {
            continue;
        }
        const std::int64_t at = buffers_->layout.operands[i];
        pack(call_.operands[i], part, slot.pinned + at, copying_, call_.rows);
        MATGRAD_CUDA(cudaMemcpyAsync(slot.device + at, slot.pinned + at,
                                     static_cast<std::size_t>(part.bytes()), cudaMemcpyHostToDevice,
                                     buffers_->upload.get()));
    }
    MATGRAD_CUDA(cudaEventRecord(slot.uploaded.get(), buffers_->upload.get()));
}

void HostStream::compute(HostBuffers::Slot& slot, const Chunk& chunk) {
    MATGRAD_CUDA(cudaStreamWaitEvent(buffers_->compute.get(), slot.uploaded.get(), 0));
    std::vector<ConstStrided> operands;
    for (std::size_t i = 0; i < program_.operands.size(); ++i) {
        const ProgramOperand& operand = program_.operands[i];
        const Value& value = program_.value(operand.value);
        const std::byte* base = operand.batched ? slot.device : buffers_->common_device;
        operands.push_back(ConstStrided::contiguous(base + buffers_->layout.operands[i],
                                                    value.rows.size, value.cols.size));
    }
    std::vector<Strided> results;
    for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
        const HostPart part = part_of(program_, program_.outputs[i]);
        results.push_back(
            Strided::contiguous(slot.device + buffers_->layout.results[i], part.rows, part.cols));
    }
    DeviceCall call;
    call.batch = chunk.count;
    call.operands = operands;
    call.results = results;
    call.status = reinterpret_cast<std::int32_t*>(slot.device + buffers_->layout.status);
    call.workspace = buffers_->workspace;
    call.workspace_bytes = executor_.workspace_bytes();
    call.stream = buffers_->compute.get();
    call.sums_for_means = true;
    executor_.enqueue(call);
    MATGRAD_CUDA(cudaEventRecord(slot.computed.get(), buffers_->compute.get()));
}

void HostStream::download(HostBuffers::Slot& slot, const Chunk& chunk) {
    cudaStream_t stream = buffers_->download.get();
    MATGRAD_CUDA(cudaStreamWaitEvent(stream, slot.computed.get(), 0));
    const auto fetch = [&](std::int64_t at, std::int64_t bytes) {
        if (bytes > 0) {
            MATGRAD_CUDA(cudaMemcpyAsync(slot.pinned + at, slot.device + at,
                                         static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                                         stream));
        }
    };
    for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
        HostPart part = part_of(program_, program_.outputs[i]);
        part.count = is_per_problem(program_, program_.outputs[i]) ? chunk.count : 1;
        fetch(buffers_->layout.results[i], part.bytes());
    }
    fetch(buffers_->layout.status, chunk.count * std::int64_t{sizeof(std::int32_t)});
    MATGRAD_CUDA(cudaEventRecord(slot.downloaded.get(), stream));
}

std::int64_t HostStream::finish_oldest() {
    if (under_way_ == 0) {
        return 0;
    }
    const std::size_t oldest = (next_ + chunks_.size() - under_way_) % chunks_.size();
    const HostBuffers::Slot& slot = buffers_->slots[oldest];
    MATGRAD_CUDA(cudaEventSynchronize(slot.downloaded.get()));
    --under_way_;
    const std::size_t left = left_.size();
    take_results(slot, chunks_[oldest]);
    return chunks_[oldest].count - static_cast<std::int64_t>(left_.size() - left);
}

/// Is the whole chunk left to the finisher?
bool HostStream::leaves_all(const HostBuffers::Slot& slot, const std::int32_t* status,
                            const Chunk& chunk) {
    std::vector<const std::byte*> results;
    for (const std::int64_t at : buffers_->layout.results) {
        results.push_back(slot.pinned + at);
    }
    if (!finisher_.takes_all({status, static_cast<std::size_t>(chunk.count)}, results)) {
        return false;
    }
    for (std::int64_t p = 0; p < chunk.count; ++p) {
        left_.push_back(chunk.first + p);
    }
    return true;
}

/// Returns the problems that failed, some of which are left to the finisher.
std::int64_t HostStream::take_status(const std::int32_t* status, const Chunk& chunk) {
    const std::int64_t failed =
        chunk.count - std::count_if(status, status + chunk.count, succeeded);
    failed_ += failed;
    if (!call_.status.empty()) {
        std::copy_n(status, chunk.count, call_.status.begin() + chunk.first);
    }
    for (std::int64_t p = 0; p < chunk.count && failed > 0; ++p) {
        if (finisher_.takes(status[p])) {
            left_.push_back(chunk.first + p);
            --failed_;
        }
    }
    return failed;
}

void HostStream::take_results(const HostBuffers::Slot& slot, const Chunk& chunk) {
    const auto* status =
        reinterpret_cast<const std::int32_t*>(slot.pinned + buffers_->layout.status);
    const bool leaves = leaves_all(slot, status, chunk);
    const std::int64_t failed =
        leaves ? chunk.count - std::count_if(status, status + chunk.count, succeeded)
               : take_status(status, chunk);
    for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
        const std::byte* from = slot.pinned + buffers_->layout.results[i];
        HostPart part = part_of(program_, program_.outputs[i]);
        const bool is_single = !is_per_problem(program_, program_.outputs[i]) &&
                               program_.value(program_.outputs[i].value).scope != Scope::reduced;
        if (leaves && !is_single) {
            continue;
        }
        if (is_per_problem(program_, program_.outputs[i])) {
            part.first = chunk.first;
            part.count = chunk.count;
            unpack(from, part, call_.results[i], copying_, {beta_of(call_, i), status});
        } else if (program_.value(program_.outputs[i].value).scope == Scope::reduced) {
            add_to_sum(from, program_.type, sums_[i]);
        } else if (!took_single_results_ && is_first_) {
            // A factor that all share has failed if all problems have, and the result is NaN.
            const bool lost = failed == chunk.count && is_all_nan(from, part);
            lost_single_results_ = lost_single_results_ || lost;
            unpack(from, part, call_.results[i], copying_,
                   {beta_of(call_, i), lost ? &kLost : nullptr});
        }
    }
    took_single_results_ = true;
}

void HostStream::keep_buffers() {
    executor_.keep_buffers(std::move(buffers_));
}

}  // namespace matgrad::gpu
