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

#include "api/on_device.hpp"

namespace matgrad {
namespace {

/// No test of this program finds a module that lies about; the loader looks once.
const bool kNoModule = setenv("MATGRAD_CUDA_MODULE", "/nowhere/module.so", 1) == 0;

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
