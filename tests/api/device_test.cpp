// Plans on GPUs through a module that computes nothing: what it is asked for, and every answer to a
// mistake. Whether GPUs compute what they should is tested in tests/cuda.

#include "matgrad/device.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/loader.hpp"
#include "matgrad/matgrad.hpp"
#include "support/strided_views.hpp"

namespace matgrad {
namespace {

/// No test of this program finds a module that lies about; the loader looks once.
const bool kNoModule = setenv("MATGRAD_CUDA_MODULE", "/nowhere/module.so", 1) == 0;

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

constexpr Device kFirst{DeviceKind::cuda, 0};
constexpr Device kSecond{DeviceKind::cuda, 1};
constexpr Device kEach{DeviceKind::cuda, Device::kAll};
constexpr Device kAutomatic{DeviceKind::automatic, 0};

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

TEST(DeviceWords, AreReadAndWritten) {
    for (const char* word : {"auto", "cpu", "cuda:0", "cuda:7", "cuda:all"}) {
        EXPECT_EQ(to_text(device_from_text(word)), word);
    }
    EXPECT_EQ(to_text(device_from_text("cuda")), "cuda:0");
    EXPECT_EQ(device_from_text("cuda:12").index, 12);
    EXPECT_EQ(device_from_text("cuda:all").index, Device::kAll);
}

TEST(DeviceWords, AreRefusedWithWhatIsExpected) {
    for (const char* word : {"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:1x", "cuda:all ", "cuda1",
                             "cuda:99999999999"}) {
        const std::string message = message_of<OperandError>([&] { (void)device_from_text(word); });
        EXPECT_MENTIONS(message, std::string("device '") + word + "'");
        EXPECT_MENTIONS(message, "expected auto, cpu, cuda");
    }
}

TEST(ModuleThatDoesNotExist, IsAMachineErrorForWhoAsksForAGpu) {
    ASSERT_TRUE(kNoModule);
    PlanOptions options;
    options.device = kSecond;
    const std::vector<Operand> sizes{{"X", 2, 2, true}};
    const std::string message =
        message_of<MachineError>([&] { (void)make_plan(parse("sum(X)"), sizes, options); });
    EXPECT_MENTIONS(message, "device cuda:1: ");
    EXPECT_MENTIONS(message, "/nowhere/module.so");
    const DeviceList list = list_devices();
    EXPECT_TRUE(list.gpus.empty());
    EXPECT_MENTIONS(list.why_none, "MATGRAD_CUDA_MODULE is /nowhere/module.so");
}

TEST(ModuleThatDoesNotExist, LeavesTheProcessorToAutomaticPlans) {
    ASSERT_TRUE(kNoModule);
    PlanOptions options;
    options.wrt = {"X"};
    options.threads = 1;
    options.device = kAutomatic;
    const std::vector<Operand> sizes{{"X", 64, 16, true}};
    options.expected_batch = 100'000'000;
    const Plan plan = make_plan(parse("logdet(X'*X)"), sizes, options);
    EXPECT_EQ(plan.device().kind, DeviceKind::cpu);
    EXPECT_MENTIONS(plan.explain(), "no GPU can be used: MATGRAD_CUDA_MODULE is /nowhere");
}

TEST_F(OnDevice, ListsWhatTheModuleFindsOrItsReason) {
    EXPECT_EQ(list_devices().gpus.size(), 2u);
    EXPECT_EQ(list_devices().why_none, "");
    module_.count = 0;
    EXPECT_TRUE(list_devices().gpus.empty());
    EXPECT_EQ(list_devices().why_none, "no NVIDIA driver is installed");
}

TEST_F(OnDevice, ThePlanTellsItsDeviceWorkspaceAndExecutor) {
    const Plan plan = plan_on(kSecond);
    EXPECT_EQ(plan.device().kind, DeviceKind::cuda);
    EXPECT_EQ(plan.device().index, 1);
    EXPECT_EQ(plan.workspace_bytes(), IdleExecutor::kWorkspaceBytes);
    EXPECT_MENTIONS(plan.explain(), "gemm");
    EXPECT_MENTIONS(plan.explain(), "idle executor on device 1");
    EXPECT_EQ(plan_on({}).device().kind, DeviceKind::cpu);
}

TEST_F(OnDevice, TheExecutorIsToldWhatTheOptionsSay) {
    options_.tf32 = true;
    options_.device_memory = 4096;
    (void)plan_on(kSecond);
    ASSERT_EQ(module_.asked.executors.size(), 1u);
    const gpu::ExecutorOptions& options = module_.asked.executors[0];
    EXPECT_EQ(options.device, 1);
    EXPECT_TRUE(options.tf32);
    EXPECT_EQ(options.workspace_limit, 2048u);
    EXPECT_EQ(options.device_memory, 4096u);
    EXPECT_FALSE(options.all_devices);
    for (const ProgramOutput& output : module_.asked.programs.at(0).outputs) {
        EXPECT_FALSE(output.repeated || output.mean);
    }
}

TEST_F(OnDevice, TheProgramRepeatsWhatIsComputedOnce) {
    options_.device = kFirst;
    options_.wrt = {"x", "A"};
    const std::vector<Operand> sizes{{"A", 3, 2, false}, {"x", 2, 1, true}};
    (void)make_plan(parse("sum(A*x) + norm2(A)^2"), sizes, options_);
    const std::vector<ProgramOutput>& outputs = module_.asked.programs.at(0).outputs;
    ASSERT_EQ(outputs.size(), 3u);
    EXPECT_FALSE(outputs[0].repeated);
    EXPECT_TRUE(outputs[1].repeated) << "A' * ones is the same for every problem";
    EXPECT_FALSE(outputs[2].repeated);
}

TEST_F(OnDevice, TheProgramDividesWhereAMeanIsAskedFor) {
    options_.reduction = Reduction::mean;
    (void)plan_on(kFirst);
    options_.reduction = Reduction::sum;
    (void)plan_on(kFirst);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(module_.asked.programs.at(0).outputs.at(i).mean);
        EXPECT_FALSE(module_.asked.programs.at(1).outputs.at(i).mean);
    }
}

TEST_F(OnDevice, EachOperandOfAHostBatchGoesToItsPlaceInTheProgram) {
    options_.device_memory = 1 << 20;
    options_.threads = 3;
    const Plan plan = plan_on(kFirst);
    std::int64_t seen = 0;
    RunOptions run_options;
    run_options.hooks.advance = [&](auto done) {
        seen = done;
        return true;
    };
    const RunSummary summary = plan.run(operands(plan), results(plan), status_, run_options);
    EXPECT_EQ(summary.problems, 4);
    EXPECT_EQ(summary.failed, 1);
    EXPECT_EQ(seen, 4);
    EXPECT_EQ(module_.asked.host_batches, 1);
    EXPECT_EQ(module_.asked.executors.at(0).device, 0);
    EXPECT_EQ(module_.asked.executors.at(0).device_memory, std::size_t{1} << 20);
    EXPECT_EQ(module_.asked.executors.at(0).threads, 3);
    EXPECT_EQ(module_.asked.operands, by_name());
}

TEST_F(OnDevice, AllGpusShareAHostBatch) {
    const Plan plan = plan_on(kEach);
    EXPECT_EQ(to_text(plan.device()), "cuda:all");
    EXPECT_EQ(plan.workspace_bytes(), 0u);
    plan.run(operands(plan), results(plan));
    EXPECT_EQ(module_.asked.host_batches, 1);
    EXPECT_TRUE(module_.asked.executors.at(0).all_devices);
    EXPECT_MENTIONS(plan.explain(), "idle executor on all devices");
}

TEST_F(OnDevice, AHostBatchIsCheckedBeforeTheModuleSeesIt) {
    const Plan plan = plan_on(kEach);
    operands_[1].data = nullptr;
    EXPECT_MENTIONS(message_of<OperandError>([&] { plan.run(operands(plan), results(plan)); }),
                    "operand x has no data");
    EXPECT_EQ(module_.asked.host_batches, 0);
}

TEST_F(OnDevice, AnEnqueuedCallArrivesAsItWasGiven) {
    const Plan plan = plan_on(kFirst);
    int stream = 0;
    plan.enqueue(operands(plan), results(plan),
                 {status_.data(), workspace_, sizeof workspace_, &stream});
    ASSERT_EQ(module_.asked.calls.size(), 1u);
    const DeviceCall& call = module_.asked.calls[0];
    EXPECT_EQ(call.batch, 4);
    EXPECT_EQ(call.status, status_.data());
    EXPECT_EQ(call.workspace, workspace_);
    EXPECT_EQ(call.workspace_bytes, sizeof workspace_);
    EXPECT_EQ(call.stream, &stream);
    ASSERT_EQ(call.results.size(), 2u);
    EXPECT_EQ(call.results[1].data, gradient_.data());
    EXPECT_EQ(module_.asked.operands, by_name());
}

TEST_F(OnDevice, AnEnqueuedCallHasItsRowsAndBetas) {
    options_.gathers = true;
    const Plan plan = plan_on(kFirst);
    EXPECT_TRUE(module_.asked.executors.at(0).gathers);
    const std::int64_t rows[] = {99, -1};  // in device memory: they are not looked at
    EnqueueOptions options{nullptr, workspace_, sizeof workspace_};
    options.rows = rows;
    plan.enqueue(operands(plan),
                 {{"value", row_major(value_, 1, 1).batched(2)},
                  {"gradient x", column(gradient_, 2).batched(2), 0.5}},
                 options);
    ASSERT_EQ(module_.asked.calls.size(), 1u);
    EXPECT_EQ(module_.asked.calls[0].batch, 2);
    EXPECT_EQ(module_.asked.calls[0].rows, rows);
    EXPECT_EQ(module_.asked.betas, (std::vector<double>{0, 0.5}));
}

TEST_F(OnDevice, AWorkspaceOfTheCallerHoldsNothingForAGpu) {
    for (const Device& device : {kFirst, kEach}) {
        const Plan plan = plan_on(device);
        Workspace workspace(plan);
        EXPECT_TRUE(workspace.bytes().empty());
        RunOptions options;
        options.workspace = &workspace;
        plan.run(operands(plan), results(plan), status_, options);
    }
    EXPECT_EQ(module_.asked.host_batches, 2);
}

TEST_F(OnDevice, EnqueueIsForOneGpu) {
    for (const Device& device : {Device(), kEach}) {
        const std::string message = message_of<OperandError>([&] {
            const Plan plan = plan_on(device);
            plan.enqueue(operands(plan), results(plan), {nullptr, workspace_, sizeof workspace_});
        });
        EXPECT_MENTIONS(message, "this one is on " + to_text(device));
        EXPECT_MENTIONS(message, "expected run, which takes host memory");
    }
}

/// What enqueue answers to these arguments; nothing must have been enqueued.
class EnqueueErrors : public OnDevice {
protected:
    std::string enqueue() {
        const Plan plan = plan_on(kFirst);
        return message_of<OperandError>([&] {
            plan.enqueue(operands(plan), results(plan), {status_begin_, workspace_begin_, bytes_});
        });
    }
    void TearDown() override {
        EXPECT_TRUE(module_.asked.calls.empty());
        OnDevice::TearDown();
    }

    std::int32_t* status_begin_ = status_.data();
    std::byte* workspace_begin_ = workspace_;
    std::size_t bytes_ = IdleExecutor::kWorkspaceBytes;
};

TEST_F(EnqueueErrors, NameAnOperandOrResultWithoutData) {
    operands_[0].data = nullptr;
    EXPECT_MENTIONS(enqueue(), "operand b has no data");
    operands_[0].data = b_.data();
    results_[0].data = nullptr;
    EXPECT_MENTIONS(enqueue(), "the result value has no data");
}

TEST_F(EnqueueErrors, NameWhatOverlaps) {
    results_[1].data = x_.data();
    EXPECT_MENTIONS(enqueue(), "gradient x overlaps operand x");
    results_[1].data = workspace_;
    EXPECT_MENTIONS(enqueue(), "gradient x overlaps the workspace");
}

TEST_F(EnqueueErrors, AnswerAWorkspaceThatIsNullTooSmallOrMisaligned) {
    workspace_begin_ = nullptr;
    EXPECT_MENTIONS(enqueue(), "the workspace has no data");
    workspace_begin_ = workspace_ + 64;
    EXPECT_MENTIONS(enqueue(), "the workspace is misaligned");
    EXPECT_MENTIONS(enqueue(), "64 past a multiple of 256");
    bytes_ = 999;
    EXPECT_MENTIONS(enqueue(), "the workspace has 999 bytes: expected at least 1000");
}

TEST_F(EnqueueErrors, AnswerAStatusThatIsMisaligned) {
    status_begin_ = reinterpret_cast<std::int32_t*>(workspace_ + 2001);
    EXPECT_MENTIONS(enqueue(), "the status is misaligned");
}

TEST_F(EnqueueErrors, AnswerANegativeBatch) {
    batch_ = -4;
    EXPECT_MENTIONS(enqueue(), "operand b is a batch of -4");
}

TEST_F(OnDevice, AGpuThatDoesNotExistIsAMistake) {
    EXPECT_MENTIONS(message_of<OperandError>([&] {
                        (void)plan_on({DeviceKind::cuda, 2});
                    }),
                    "cuda:2 does not exist");
    EXPECT_MENTIONS(message_of<OperandError>([&] {
                        (void)plan_on({DeviceKind::cuda, -2});
                    }),
                    "the index of the GPU is -2");
}

TEST_F(OnDevice, NoGpuIsAFailureOfTheMachineForWhoAsksForAll) {
    module_.count = 0;
    EXPECT_MENTIONS(message_of<MachineError>([&] { (void)plan_on(kEach); }),
                    "no NVIDIA driver is installed");
}

/// A plan of the batch that is weighed; entries of X and operations grow with n.
Plan automatic_plan(std::int64_t batch) {
    PlanOptions options;
    options.wrt = {"X"};
    options.threads = 1;
    options.device = kAutomatic;
    const std::vector<Operand> sizes{{"X", 64, 64, true}};
    options.expected_batch = batch;
    return make_plan(parse("logdet(X'*X)"), sizes, options);
}

TEST_F(OnDevice, AutomaticPlansStayOnTheProcessorWhereAGpuIsNotWorthItsStart) {
    const Plan plan = automatic_plan(10);
    EXPECT_EQ(plan.device().kind, DeviceKind::cpu);
    EXPECT_EQ(module_.asked.devices, 0) << "no GPU need be looked for";
    EXPECT_MENTIONS(plan.explain(), "device cpu: predicted ");
}

TEST_F(OnDevice, AutomaticPlansTakeAGpuForMuchArithmetic) {
    const Plan plan = automatic_plan(10'000'000);
    EXPECT_EQ(to_text(plan.device()), "cuda:0");
    EXPECT_MENTIONS(plan.explain(), "device cuda:0: predicted ");
}

TEST_F(OnDevice, AutomaticPlansSayWhyThereIsNoGpu) {
    module_.count = 0;
    const Plan plan = automatic_plan(10'000'000);
    EXPECT_EQ(plan.device().kind, DeviceKind::cpu);
    EXPECT_MENTIONS(plan.explain(), "no GPU can be used: no NVIDIA driver is installed");
}

TEST_F(OnDevice, AutomaticPlansWeighTheWayOverTheBus) {
    // One multiplication for each 8 bytes that would have to cross it.
    PlanOptions options;
    options.wrt = {"x"};
    options.threads = 16;
    options.device = kAutomatic;
    const std::vector<Operand> sizes{{"x", 1000, 1, true}};
    options.expected_batch = 10'000'000;
    const Plan plan = make_plan(parse("norm2(x)^2"), sizes, options);
    EXPECT_EQ(plan.device().kind, DeviceKind::cpu) << plan.explain();
}

}  // namespace
}  // namespace matgrad
