#pragma once
/// \file A stand-in for the CUDA module whose GPU is the host: the CPU executor, memory of the host
/// and its clock. It can be told to get the last result of the last problem wrong, and to refuse to
/// record.

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "cpu/executor.hpp"
#include "cuda/module.hpp"

namespace matgrad::bench_test {

/// Recorded calls are made again.
class HostRecording final : public gpu::Recording {
public:
    explicit HostRecording(std::function<void()> calls) : calls_(std::move(calls)) {}
    void replay() const override { calls_(); }

private:
    std::function<void()> calls_;
};

class HostStopwatch final : public gpu::Stopwatch {
public:
    explicit HostStopwatch(bool records) : records_(records) {}
    [[nodiscard]] std::byte* allocate(std::size_t bytes) override {
        memory_.emplace_back(static_cast<std::byte*>(::operator new(bytes, kAlignment)));
        return memory_.back().get();
    }
    void copy(void* to, const void* from, std::size_t bytes) override {
        std::memcpy(to, from, bytes);
    }
    void wait() override {}
    [[nodiscard]] void* stream() const noexcept override { return nullptr; }
    void start() override { start_ = Clock::now(); }
    [[nodiscard]] double stop() override {
        return std::chrono::duration<double>(Clock::now() - start_).count();
    }
    [[nodiscard]] std::unique_ptr<const gpu::Recording> record(
        const std::function<void()>& enqueue) override {
        if (!records_) {
            throw MachineError("there are no graphs here");
        }
        return std::make_unique<HostRecording>(enqueue);
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::align_val_t kAlignment{256};
    struct Free {
        void operator()(std::byte* data) const { ::operator delete(data, kAlignment); }
    };
    bool records_;
    std::vector<std::unique_ptr<std::byte, Free>> memory_;
    Clock::time_point start_;
};

class HostExecutor final : public Executor {
public:
    HostExecutor(Program program, double error) : executor_(std::move(program), 1), error_(error) {}
    [[nodiscard]] const Program& program() const noexcept override { return executor_.program(); }
    [[nodiscard]] WorkspaceMemory workspace_memory() const noexcept override {
        return WorkspaceMemory::device;
    }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
        return executor_.workspace_bytes();
    }
    [[nodiscard]] std::string explain() const override { return "on the host\n"; }
    RunSummary run(const HostCall& /*call*/, const RunHooks& /*hooks*/) const override {
        throw MachineError("this executor is for enqueue alone");
    }
    void enqueue(const DeviceCall& call) const override {
        const auto batch = static_cast<std::size_t>(call.batch);
        (void)executor_.run({call.batch,
                             call.operands,
                             call.results,
                             {call.status, batch},
                             {static_cast<std::byte*>(call.workspace), call.workspace_bytes}},
                            {});
        const Strided& last = call.results.back();
        const std::int64_t at = (call.batch - 1) * last.batch_stride;
        if (program().type == ScalarType::float32) {
            spoil(static_cast<float*>(last.data)[at]);
        } else {
            spoil(static_cast<double*>(last.data)[at]);
        }
    }

private:
    template <typename T>
    void spoil(T& entry) const {
        entry = static_cast<T>(static_cast<double>(entry) * (1 + error_));
    }
    CpuExecutor executor_;
    double error_;
};

class HostModule final : public gpu::Module {
public:
    /// `error` is relative, of one entry.
    explicit HostModule(double error, bool records = true) : error_(error), records_(records) {}
    [[nodiscard]] std::vector<DeviceInfo> devices() const override {
        constexpr std::size_t kBytes = std::size_t{16} << 20;
        return {{0, "Host", 9, 0, kBytes, kBytes, 4}};
    }
    [[nodiscard]] std::vector<gpu::Version> versions() const override {
        return {{"driver", "0.1"}};
    }
    [[nodiscard]] std::unique_ptr<gpu::Stopwatch> make_stopwatch(int) const override {
        return std::make_unique<HostStopwatch>(records_);
    }
    [[nodiscard]] gpu::KernelReport report_kernel(const Program&, int,
                                                  std::int64_t) const override {
        return {};
    }
    [[nodiscard]] std::string standalone_kernel(const Program&, int, std::int64_t,
                                                const gpu::KernelCheck&) const override {
        return {};
    }
    [[nodiscard]] std::unique_ptr<const Executor> make_executor(
        Program program, const gpu::ExecutorOptions& /*options*/) const override {
        return std::make_unique<HostExecutor>(std::move(program), error_);
    }

private:
    double error_;
    bool records_;
};

}  // namespace matgrad::bench_test
