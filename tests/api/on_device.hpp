#pragma once
/// \file Plans on GPUs through a module that computes nothing: what it is asked for.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/loader.hpp"
#include "matgrad/matgrad.hpp"
#include "support/strided_views.hpp"

namespace matgrad {

template <typename E, typename Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const E& error) {
        return error.what();
    } catch (const std::exception& error) {
        return std::string("another exception: ") + error.what();
    }
    return "no exception";
}

#define EXPECT_MENTIONS(message, part) \
    EXPECT_NE((message).find(part), std::string::npos) << "the message is: " << (message)

/// What the module below was asked for.
struct Asked {
    int devices = 0;  ///< how often they were listed
    std::vector<gpu::ExecutorOptions> executors;
    std::vector<DeviceCall> calls;
    std::vector<double> betas;                    ///< of the last call
    std::map<std::string, const void*> operands;  ///< of the last call, by the Program's names
    std::vector<Program> programs;
    int host_batches = 0;

    void take(const Program& program, std::span<const ConstStrided> given) {
        for (std::size_t i = 0; i < given.size(); ++i) {
            operands[program.operands[i].name] = given[i].data;
        }
    }
};

class IdleExecutor final : public Executor {
public:
    static constexpr std::size_t kWorkspaceBytes = 1000;

    IdleExecutor(Program program, const gpu::ExecutorOptions& options, Asked& asked)
        : program_(std::move(program)), options_(options), asked_(asked) {}
    [[nodiscard]] const Program& program() const noexcept override { return program_; }
    [[nodiscard]] WorkspaceMemory workspace_memory() const noexcept override {
        return options_.all_devices ? WorkspaceMemory::none : WorkspaceMemory::device;
    }
    [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
        return options_.all_devices ? 0 : kWorkspaceBytes;
    }
    [[nodiscard]] std::string explain() const override {
        return options_.all_devices
                   ? "idle executor on all devices\n"
                   : "idle executor on device " + std::to_string(options_.device) + "\n";
    }
    RunSummary run(const HostCall& call, const RunHooks& hooks) const override {
        ++asked_.host_batches;
        asked_.take(program_, call.operands);
        if (hooks.advance && !hooks.advance(call.batch)) {
            throw Interrupted("interrupted");
        }
        return {call.batch, 1};
    }
    void enqueue(const DeviceCall& call) const override {
        asked_.calls.push_back(call);
        asked_.betas.assign(call.beta.begin(), call.beta.end());
        asked_.take(program_, call.operands);
    }

private:
    Program program_;
    gpu::ExecutorOptions options_;
    Asked& asked_;
};

class IdleModule final : public gpu::Module {
public:
    int count = 2;
    mutable Asked asked;

    [[nodiscard]] std::vector<DeviceInfo> devices() const override {
        ++asked.devices;
        if (count == 0) {
            throw MachineError("no NVIDIA driver is installed");
        }
        std::vector<DeviceInfo> infos;
        for (int i = 0; i < count; ++i) {
            infos.push_back({i, "Idle", 9, 0, 1000, 900, 4});
        }
        return infos;
    }
    [[nodiscard]] std::vector<gpu::Version> versions() const override { return {}; }
    [[nodiscard]] std::unique_ptr<gpu::Stopwatch> make_stopwatch(int) const override {
        return nullptr;
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
        Program program, const gpu::ExecutorOptions& options) const override {
        if (count == 0) {
            throw MachineError("no NVIDIA driver is installed");
        }
        if (options.device >= count) {
            throw OperandError("device cuda:" + std::to_string(options.device) + " does not exist");
        }
        asked.executors.push_back(options);
        asked.programs.push_back(program);
        return std::make_unique<IdleExecutor>(std::move(program), options, asked);
    }
};

inline constexpr Device kFirst{DeviceKind::cuda, 0};
inline constexpr Device kSecond{DeviceKind::cuda, 1};
inline constexpr Device kEach{DeviceKind::cuda, Device::kAll};
inline constexpr Device kAutomatic{DeviceKind::automatic, 0};

class OnDevice : public ::testing::Test {
protected:
    void SetUp() override { gpu::use_linked_module(&module_); }
    void TearDown() override { gpu::use_linked_module(nullptr); }

    [[nodiscard]] Plan plan_on(const Device& device) {
        options_.device = device;
        return make_plan(parse("norm2(A*x - b)^2"), sizes_, options_);
    }

    [[nodiscard]] std::vector<OperandView> operands(const Plan& plan) const {
        return operand_views(plan, batch_, operands_);
    }
    [[nodiscard]] std::vector<ResultView> results(const Plan& plan) const {
        return result_views(plan, batch_, results_);
    }
    [[nodiscard]] std::map<std::string, const void*> by_name() const {
        return {{"A", a_.data()}, {"b", b_.data()}, {"x", x_.data()}};
    }

    const std::vector<Operand> sizes_{{"b", 3, 1, true}, {"x", 2, 1, true}, {"A", 3, 2, false}};
    PlanOptions options_ = [] {
        PlanOptions options;
        options.wrt = {"x"};
        return options;
    }();
    IdleModule module_;
    std::int64_t batch_ = 4;
    std::vector<double> a_ = std::vector<double>(6, 1.0);
    std::vector<double> x_ = std::vector<double>(8, 1.0);
    std::vector<double> b_ = std::vector<double>(12, 1.0);
    std::vector<double> value_ = std::vector<double>(4);
    std::vector<double> gradient_ = std::vector<double>(8);
    std::vector<std::int32_t> status_ = std::vector<std::int32_t>(4);
    std::vector<ConstStrided> operands_{ConstStrided::contiguous(b_.data(), 3, 1),
                                        ConstStrided::contiguous(x_.data(), 2, 1),
                                        ConstStrided::contiguous(a_.data(), 3, 2)};
    std::vector<Strided> results_{Strided::contiguous(value_.data(), 1, 1),
                                  Strided::contiguous(gradient_.data(), 2, 1)};
    alignas(256) std::byte workspace_[2048];
};

}  // namespace matgrad
