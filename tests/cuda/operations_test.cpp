/// How many operations of the stream an enqueue takes, counted by the simulated GPU, and that `explain` says
/// the same of them.

#include <gtest/gtest.h>

#include <regex>

#include "cuda/device_memory.hpp"
#include "matgrad/matgrad.hpp"
#include "simulated_gpu/simulated_gpu.hpp"
#include "support/strided_views.hpp"

namespace matgrad::test {
namespace {

struct Case {
    const char* name;
    const char* text;
    const char* wrt;
    std::vector<Operand> operands;
    ScalarType type;
    Accuracy accuracy;
    std::size_t operations;  ///< by the libraries
    std::size_t fused = 1;   ///< one kernel, and what is done once for all problems
};

std::vector<Case> cases() {
    const std::vector<Operand> x = {{"X", 64, 16, true}};
    const std::vector<Operand> frobenius = {{"X", 64, 16, true}, {"A", 32, 16, true}};
    const std::vector<Operand> shared_a = {{"X", 64, 16, true}, {"A", 32, 16, false}};
    const std::vector<Operand> squares = {
        {"A", 64, 16, true}, {"x", 16, 1, true}, {"b", 64, 1, true}};
    const std::vector<Operand> trace = {
        {"A", 32, 32, true}, {"X", 32, 32, true}, {"B", 32, 32, true}};
    constexpr auto kFloat = ScalarType::float32;
    constexpr auto kDouble = ScalarType::float64;
    constexpr auto kRobust = Accuracy::robust;
    constexpr auto kFast = Accuracy::fast;
    return {
        {"LogDetGramRobust", "logdet(X'*X)", "X", x, kFloat, kRobust, 11},
        {"LogDetGramFast", "logdet(X'*X)", "X", x, kFloat, kFast, 9},
        {"LogDetGramDouble", "logdet(X'*X)", "X", x, kDouble, kRobust, 10},
        {"Frobenius", "0.5*norm2(X*A')^2", "X", frobenius, kFloat, kRobust, 5},
        {"FrobeniusSharedA", "0.5*norm2(X*A')^2", "X", shared_a, kFloat, kRobust, 5, 2},
        {"FrobeniusDouble", "0.5*norm2(X*A')^2", "X", frobenius, kDouble, kRobust, 5},
        {"LeastSquares", "norm2(A*x - b)^2", "x", squares, kFloat, kRobust, 5},
        {"LeastSquaresDouble", "norm2(A*x - b)^2", "x", squares, kDouble, kRobust, 5},
        {"BilinearTrace", "tr(A*X*B)", "X", trace, kFloat, kRobust, 4},
        {"BilinearTraceDouble", "tr(A*X*B)", "X", trace, kDouble, kRobust, 4},
    };
}

class Operations : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Of, Operations, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

/// Memory for operands and results of a plan, and the call. Entries are those of an identity.
class PlanOnDevice {
public:
    PlanOnDevice(const Plan& plan, ScalarType type, std::int64_t batch)
        : plan_(plan),
          batch_(batch),
          workspace_(plan.workspace_bytes()),
          status_(static_cast<std::size_t>(batch) * 4) {
        const auto size = static_cast<std::size_t>(size_of(type));
        for (const Operand& operand : plan.operands()) {
            const auto count = static_cast<std::size_t>(operand.rows * operand.cols *
                                                        (operand.batched ? batch : 1));
            memory_.push_back(
                std::make_unique<DeviceBuffer>(ones_on_diagonals(operand, type, count)));
            operands_.push_back(
                ConstStrided::contiguous(memory_.back()->data(), operand.rows, operand.cols));
        }
        for (const OutputInfo& output : plan.outputs()) {
            const auto count = static_cast<std::size_t>(output.rows * output.cols * batch);
            memory_.push_back(std::make_unique<DeviceBuffer>(count * size));
            results_.push_back(
                Strided::contiguous(memory_.back()->data(), output.rows, output.cols));
        }
    }
    void enqueue(cudaStream_t stream) const {
        plan_.enqueue(operand_views(plan_, batch_, operands_),
                      result_views(plan_, batch_, results_),
                      {reinterpret_cast<std::int32_t*>(status_.data()), workspace_.data(),
                       plan_.workspace_bytes(), stream});
    }
    [[nodiscard]] std::vector<std::int32_t> status() const {
        std::vector<std::int32_t> status(static_cast<std::size_t>(batch_));
        status_.download(std::as_writable_bytes(std::span(status)));
        return status;
    }

private:
    static std::vector<std::byte> ones_on_diagonals(const Operand& operand, ScalarType type,
                                                    std::size_t count) {
        const auto size = static_cast<std::size_t>(size_of(type));
        std::vector<std::byte> bytes(count * size);
        const auto entries = static_cast<std::size_t>(operand.rows * operand.cols);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t e = i % entries;
            const auto cols = static_cast<std::size_t>(operand.cols);
            if (e / cols == e % cols) {
                const float one = 1;
                const double wide = 1;
                std::memcpy(bytes.data() + i * size,
                            type == ScalarType::float32 ? static_cast<const void*>(&one) : &wide,
                            size);
            }
        }
        return bytes;
    }

    const Plan& plan_;
    std::int64_t batch_;
    DeviceBuffer workspace_, status_;
    std::vector<std::unique_ptr<DeviceBuffer>> memory_;
    std::vector<ConstStrided> operands_;
    std::vector<Strided> results_;
};

struct Way {
    GpuExecutor executor;
    std::size_t operations;
};
std::vector<Way> ways(const Case& c) {
    return {{GpuExecutor::library, c.operations}, {GpuExecutor::fused, c.fused}};
}

Plan plan_of(const Case& c, GpuExecutor executor, std::int64_t batch, bool capturable = false) {
    PlanOptions options;
    options.type = c.type;
    options.accuracy = c.accuracy;
    options.wrt = {c.wrt};
    options.device = {DeviceKind::cuda, 0};
    options.executor = executor;
    options.capturable = capturable;
    options.expected_batch = batch;
    return make_plan(parse(c.text), c.operands, options);
}

/// What `explain` says for a slice.
std::size_t explained(const Plan& plan) {
    const std::string text = plan.explain();
    std::smatch match;
    return std::regex_search(text, match, std::regex("(\\d+) operations? of the stream"))
               ? std::stoul(match[1])
               : 0;
}

TEST_P(Operations, OfAnEnqueueAreSoManyAndExplained) {
    const Case& c = GetParam();
    constexpr std::int64_t kBatch = 40;
    for (const Way& way : ways(c)) {
        for (const bool capturable : {false, true}) {
            const Plan plan = plan_of(c, way.executor, kBatch, capturable);
            const PlanOnDevice call(plan, c.type, kBatch);
            const TestStream stream;
            stream.wait();
            simulated::reset({}, {1, 0});  // every operation as late as it can
            call.enqueue(stream.get());
            EXPECT_EQ(simulated::pending_operations(), way.operations) << plan.explain();
            EXPECT_EQ(explained(plan), way.operations) << plan.explain();
            stream.wait();
            EXPECT_EQ(call.status(), std::vector<std::int32_t>(kBatch, 0));
        }
    }
}

TEST_P(Operations, OfFurtherSlicesAreNoMore) {
    const Case& c = GetParam();
    for (const Way& way : ways(c)) {
        PlanOptions options;
        options.type = c.type;
        options.accuracy = c.accuracy;
        options.wrt = {c.wrt};
        options.device = {DeviceKind::cuda, 0};
        options.executor = way.executor;
        options.device_memory = 1;  // one problem at a time
        const Plan plan = make_plan(parse(c.text), c.operands, options);
        const PlanOnDevice call(plan, c.type, 3);
        const TestStream stream;
        stream.wait();
        simulated::reset({}, {1, 0});
        call.enqueue(stream.get());
        EXPECT_LE(simulated::pending_operations(), 3 * way.operations) << plan.explain();
        stream.wait();
        EXPECT_EQ(call.status(), std::vector<std::int32_t>(3, 0));
    }
}

}  // namespace
}  // namespace matgrad::test
