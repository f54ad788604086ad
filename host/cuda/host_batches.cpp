#include "cuda/host_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>

#include "cuda/host_copy.hpp"
#include "cuda/host_results.hpp"
#include "cuda/host_stream.hpp"
#include "executor/progress.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// Some of what is reported free is not to be had: fragments, other processes.
constexpr double kUsablePart = 0.9;

/// What is free, and what an earlier call has left for this one.
std::size_t usable_bytes(const DeviceExecutor& executor, std::size_t bound) {
    const CurrentDevice current(executor.device());
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    MATGRAD_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    auto usable = static_cast<std::size_t>(kUsablePart * static_cast<double>(free_bytes));
    usable += kept_bytes(executor);
    return bound == 0 ? usable : std::min(usable, bound);
}

/// One run of one batch.
class HostBatch {
public:
    HostBatch(std::span<const std::unique_ptr<const DeviceExecutor>> executors,
              const HostCall& call, const HostOptions& options, const Finisher& finisher,
              const RunHooks& hooks)
        : executors_(executors),
          program_(executors[0]->program()),
          call_(call),
          options_(options),
          finisher_(finisher),
          asks_(hooks.advance != nullptr),
          progress_(hooks, matgrad::detail::Progress::kNoPause) {}

    RunSummary operator()() {
        progress_.throw_if_stopped(call_.batch);
        chunking_ = common_chunking();
        if (options_.device_memory > 0 && chunking_.slots == 1 && chunking_.problems <= 1 &&
            device_bytes(*executors_[0], chunking_) >
                static_cast<std::int64_t>(options_.device_memory)) {
            throw_no_memory();
        }
        for (;;) {
            try {
                return run_once();
            } catch (const CudaError& error) {
                if (!error.out_of_memory()) {
                    throw;
                }
                // What was added cannot be added again.
                if ((adds() && has_results_) || !make_smaller(chunking_)) {
                    throw_no_memory();
                }
            }
        }
    }

private:
    /// What one device gave, or the finisher.
    struct Part {
        std::vector<std::vector<double>> sums;
        std::int64_t failed = 0;
        std::vector<std::int64_t> left;  ///< to the finisher
        bool lost_single_results = false;
    };

    /// The same for all devices, so that results do not depend on which one is faster.
    [[nodiscard]] Chunking common_chunking() const {
        const auto devices = static_cast<std::int64_t>(executors_.size());
        const std::int64_t share = (call_.batch + devices - 1) / devices;
        std::optional<Chunking> chunking;
        for (const auto& executor : executors_) {
            const Chunking own =
                choose_chunking(*executor, share, usable_bytes(*executor, options_.device_memory));
            if (!chunking || own.problems < chunking->problems) {
                chunking = own;
            }
        }
        return *chunking;
    }

    RunSummary run_once() {
        progress_.restart();
        std::vector<Part> parts = run_parts();
        progress_.throw_if_stopped(call_.batch);
        finish(parts);
        std::int64_t failed = 0;
        for (const Part& part : parts) {
            failed += part.failed;
        }
        write_reduced(parts, failed);
        return {call_.batch, failed};
    }

    /// Adds a part of the problems that the devices have left, in their order.
    void finish(std::vector<Part>& parts) {
        std::vector<std::int64_t> left;
        for (const Part& part : parts) {
            left.insert(left.end(), part.left.begin(), part.left.end());
        }
        const bool lost = parts[0].lost_single_results;
        if (left.empty() && !(lost && call_.batch == 0 && finisher_.takes_any())) {
            return;
        }
        std::sort(left.begin(), left.end());
        std::int64_t told = 0;
        RunHooks hooks;
        if (asks_) {
            hooks.advance = [&](std::int64_t done) {
                report(done - told);
                told = std::max(told, done);
                return !progress_.stopped();
            };
        }
        try {
            FinishedPart finished = finisher_(call_, left, lost, copying_of(0), hooks);
            parts.push_back({std::move(finished.sums), finished.failed, {}, false});
        } catch (...) {
            progress_.throw_if_stopped(call_.batch);
            throw;
        }
        report(static_cast<std::int64_t>(left.size()) - told);
        progress_.throw_if_stopped(call_.batch);
    }

    /// One thread for each device.
    [[nodiscard]] std::vector<Part> run_parts() {
        const std::size_t devices = executors_.size();
        std::vector<Part> parts(devices);
        std::vector<std::exception_ptr> errors(devices);
        std::atomic<bool> failed{false};
        const auto work = [&](std::size_t i) {
            try {
                parts[i] = run_part(i, failed);
            } catch (...) {
                errors[i] = std::current_exception();
                failed = true;
            }
        };
        std::vector<std::thread> others;
        try {
            while (others.size() + 1 < devices) {
                others.emplace_back(work, others.size() + 1);
            }
        } catch (const std::system_error&) {
            // No more threads to be had: this one does their work.
        }
        work(0);
        for (std::size_t i = others.size() + 1; i < devices; ++i) {
            work(i);
        }
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

    /// Chunks d, d + D, d + 2 D, ... for device d of D, until it or another one fails.
    [[nodiscard]] Part run_part(std::size_t device, const std::atomic<bool>& failed) {
        HostStream stream(*executors_[device], call_, chunking_, copying_of(device), finisher_,
                          device == 0);
        const std::int64_t size = chunking_.problems;
        const std::int64_t chunks =
            size == 0 ? 1 : std::max<std::int64_t>(1, (call_.batch + size - 1) / size);
        const auto go_on = [&] { return !progress_.stopped() && !failed; };
        for (auto k = static_cast<std::int64_t>(device); k < chunks && go_on();
             k += static_cast<std::int64_t>(executors_.size())) {
            const std::int64_t first = k * size;
            report(stream.start(first, std::min(size, call_.batch - first)));
        }
        while (!stream.is_idle() && go_on()) {
            report(stream.finish_oldest());
        }
        if (go_on()) {
            stream.keep_buffers();
        }
        return {stream.sums(), stream.failed(), stream.left(), stream.lost_single_results()};
    }

    /// A caller's pool is called from the thread of the run alone.
    [[nodiscard]] Copying copying_of(std::size_t device) const {
        if (call_.parallel == nullptr) {
            return options_.copying;
        }
        return {options_.copying.threads, nullptr, device == 0 ? call_.parallel : nullptr};
    }

    [[nodiscard]] bool adds() const {
        return std::any_of(call_.beta.begin(), call_.beta.end(),
                           [](double beta) { return beta != 0; });
    }

    void report(std::int64_t problems) {
        if (problems > 0) {
            has_results_ = true;
            progress_.add(problems);
        }
    }

    /// Sums of all devices, in their order; a mean is divided by those that succeeded.
    void write_reduced(const std::vector<Part>& parts, std::int64_t failed) const {
        for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
            const ProgramOutput& output = program_.outputs[i];
            HostPart part = part_of(program_, output);
            if (output.mean && is_per_problem(program_, output)) {
                part.count = call_.batch;
                divide(part, call_.results[i], call_.batch - failed, copying_of(0));
            }
            if (program_.value(output.value).scope != Scope::reduced) {
                continue;
            }
            std::vector<double> total = parts[0].sums[i];
            for (std::size_t d = 1; d < parts.size(); ++d) {
                for (std::size_t k = 0; k < total.size(); ++k) {
                    total[k] += parts[d].sums[i][k];
                }
            }
            if (output.mean && call_.batch > 0) {
                if (failed == call_.batch && beta_of(call_, i) != 0) {
                    continue;  // the mean of nothing leaves what is there
                }
                for (double& sum : total) {
                    sum /= static_cast<double>(call_.batch - failed);
                }
            }
            const std::vector<float> narrow(total.begin(), total.end());
            const void* data = program_.type == ScalarType::float32
                                   ? static_cast<const void*>(narrow.data())
                                   : static_cast<const void*>(total.data());
            unpack(static_cast<const std::byte*>(data), part, call_.results[i], {},
                   {beta_of(call_, i), nullptr});
        }
    }

    [[noreturn]] void throw_no_memory() const {
        const DeviceExecutor& executor = *executors_[0];
        throw MachineError(fmt::format(
            "cuda:{} has too little memory: one problem takes {} bytes with its workspace, and {} "
            "may be used",
            executor.device(), device_bytes(executor, chunking_),
            usable_bytes(executor, options_.device_memory)));
    }

    std::span<const std::unique_ptr<const DeviceExecutor>> executors_;
    const Program& program_;
    const HostCall& call_;
    const HostOptions& options_;
    const Finisher& finisher_;
    bool asks_;  ///< somebody wants to know how far the run is
    matgrad::detail::Progress progress_;
    Chunking chunking_;
    std::atomic<bool> has_results_{false};  ///< some are with the caller
};

}  // namespace

RunSummary run_host_batch(std::span<const std::unique_ptr<const DeviceExecutor>> executors,
                          const HostCall& call, const HostOptions& options,
                          const Finisher& finisher, const RunHooks& hooks) {
    return HostBatch(executors, call, options, finisher, hooks)();
}

}  // namespace matgrad::gpu
