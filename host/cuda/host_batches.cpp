#include "cuda/host_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "cuda/host_copy.hpp"
#include "cuda/host_stream.hpp"

namespace matgrad::gpu {
namespace {

/// Some of what is reported free is not to be had: fragments, other processes.
constexpr double kUsablePart = 0.9;

/// Progress of all devices, told from one thread at a time.
class Progress {
public:
    explicit Progress(const RunHooks& hooks) : hooks_(hooks) {}

    void add(std::int64_t problems) {
        const std::lock_guard lock(mutex_);
        done_ += problems;
        if (!stopped_ && hooks_.advance && !hooks_.advance(done_)) {
            stopped_ = true;
        }
    }
    void stop() { stopped_ = true; }
    [[nodiscard]] bool stopped() const { return stopped_; }
    void throw_if_stopped(std::int64_t batch) const {
        if (stopped_) {
            throw Interrupted(fmt::format("stopped after {} of {} problems", done_, batch));
        }
    }

private:
    const RunHooks& hooks_;
    std::mutex mutex_;
    std::int64_t done_ = 0;
    std::atomic<bool> stopped_{false};
};

/// What is free, and what an earlier call has left for this one.
std::size_t usable_bytes(const Executor& executor, std::size_t bound) {
    const CurrentDevice current(executor.options().device);
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    MATGRAD_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    auto usable = static_cast<std::size_t>(kUsablePart * static_cast<double>(free_bytes));
    usable += kept_bytes(executor);
    return bound == 0 ? usable : std::min(usable, bound);
}

/// The same for all devices, so that results do not depend on which one is faster.
Chunking common_chunking(std::span<const Executor* const> executors, const HostCall& call) {
    const auto devices = static_cast<std::int64_t>(executors.size());
    const std::int64_t share = (call.batch + devices - 1) / devices;
    std::optional<Chunking> chunking;
    for (const Executor* executor : executors) {
        const Chunking own =
            choose_chunking(*executor, share, usable_bytes(*executor, call.device_memory));
        if (!chunking || own.problems < chunking->problems) {
            chunking = own;
        }
    }
    return *chunking;
}

/// One device's part of a batch: chunks d, d + D, d + 2 D, ... of D devices.
class DevicePart {
public:
    DevicePart(const Executor& executor, const HostCall& call, const Chunking& chunking)
        : stream_(executor, call, chunking), batch_(call.batch), chunk_(chunking.problems) {}

    void run(std::int64_t first_chunk, std::int64_t step, Progress& progress) {
        const std::int64_t chunks = chunk_ == 0 ? 1 : std::max<std::int64_t>(1, count());
        for (std::int64_t k = first_chunk; k < chunks && !progress.stopped(); k += step) {
            const std::int64_t first = k * chunk_;
            report(stream_.start(first, std::min(chunk_, batch_ - first)), progress);
        }
        while (!stream_.is_idle() && !progress.stopped()) {
            report(stream_.finish_oldest(), progress);
        }
    }
    HostStream& stream() { return stream_; }

private:
    [[nodiscard]] std::int64_t count() const { return (batch_ + chunk_ - 1) / chunk_; }
    static void report(std::int64_t problems, Progress& progress) {
        if (problems > 0) {
            progress.add(problems);
        }
    }

    HostStream stream_;
    std::int64_t batch_, chunk_;
};

/// What one device gave.
struct Part {
    std::vector<std::vector<double>> sums;
    std::int64_t failed = 0;
};

Part run_part(const Executor& executor, const HostCall& call, const Chunking& chunking,
              std::int64_t index, std::int64_t devices, Progress& progress) {
    DevicePart part(executor, call, chunking);
    part.run(index, devices, progress);
    if (!progress.stopped()) {
        part.stream().keep_buffers();
    }
    return {part.stream().sums(), part.stream().failed()};
}

std::vector<Part> run_parts(std::span<const Executor* const> executors, const HostCall& call,
                            const Chunking& chunking, Progress& progress) {
    const std::size_t devices = executors.size();
    std::vector<Part> parts(devices);
    std::vector<std::exception_ptr> errors(devices);
    const auto work = [&](std::size_t i) {
        try {
            parts[i] = run_part(*executors[i], call, chunking, static_cast<std::int64_t>(i),
                                static_cast<std::int64_t>(devices), progress);
        } catch (...) {
            errors[i] = std::current_exception();
            progress.stop();
        }
    };
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < devices; ++i) {
        others.emplace_back(work, i);
    }
    work(0);
    for (std::thread& other : others) {
        other.join();
    }
    for (const std::exception_ptr& error : errors) {
        if (error) {
            std::rethrow_exception(error);
        }
    }
    return parts;
}

/// Sums of all devices, in their order; a mean is divided by those that succeeded.
void write_reduced(const Executor& executor, const HostCall& call, const std::vector<Part>& parts,
                   std::int64_t failed) {
    const Program& program = executor.program();
    const std::vector<OutputForm>& forms = executor.options().outputs;
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        const ProgramOutput& output = program.outputs[i];
        const Value& value = program.value(output.value);
        if (value.scope != Scope::reduced) {
            continue;
        }
        std::vector<double> total = parts[0].sums[i];
        for (std::size_t d = 1; d < parts.size(); ++d) {
            for (std::size_t k = 0; k < total.size(); ++k) {
                total[k] += parts[d].sums[i][k];
            }
        }
        if (i < forms.size() && forms[i].mean && call.batch > 0) {
            for (double& sum : total) {
                sum /= static_cast<double>(call.batch - failed);
            }
        }
        const std::vector<float> narrow(total.begin(), total.end());
        const void* data = program.type == ScalarType::float32
                               ? static_cast<const void*>(narrow.data())
                               : static_cast<const void*>(total.data());
        HostPart part{0, 1, value.rows.size, value.cols.size, program.type};
        if (output.transposed) {
            std::swap(part.rows, part.cols);
        }
        unpack(static_cast<const std::byte*>(data), part, call.results[i], 1);
    }
}

[[noreturn]] void throw_no_memory(const Executor& executor, const HostCall& call,
                                  const Chunking& chunking) {
    throw MachineError(fmt::format(
        "cuda:{} has too little memory: one problem takes {} bytes with its workspace, and {} may "
        "be used",
        executor.options().device, device_bytes(executor, chunking),
        usable_bytes(executor, call.device_memory)));
}

}  // namespace

RunSummary run_host_batch(std::span<const Executor* const> executors, const HostCall& call,
                          const RunHooks& hooks) {
    Progress progress(hooks);
    progress.add(0);
    progress.throw_if_stopped(call.batch);
    Chunking chunking = common_chunking(executors, call);
    if (call.device_memory > 0 && chunking.slots == 1 && chunking.problems <= 1 &&
        device_bytes(*executors[0], chunking) > static_cast<std::int64_t>(call.device_memory)) {
        throw_no_memory(*executors[0], call, chunking);
    }
    for (;;) {
        try {
            Progress attempt(hooks);
            const std::vector<Part> parts = run_parts(executors, call, chunking, attempt);
            attempt.throw_if_stopped(call.batch);
            std::int64_t failed = 0;
            for (const Part& part : parts) {
                failed += part.failed;
            }
            write_reduced(*executors[0], call, parts, failed);
            return {call.batch, failed};
        } catch (const CudaError& error) {
            if (!error.out_of_memory()) {
                throw;
            }
            if (!make_smaller(chunking)) {
                throw_no_memory(*executors[0], call, chunking);
            }
        }
    }
}

}  // namespace matgrad::gpu
