// Plan::enqueue through a module that computes nothing: what arrives there, and every answer to a mistake.

#include <gtest/gtest.h>

#include "api/on_device.hpp"

namespace matgrad {
namespace {

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

}  // namespace
}  // namespace matgrad
