/// A caller's mistakes with `Plan::enqueue`: an OperandError that names what is wrong, and nothing
/// has been written or read. On the simulated GPU and on real ones.

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "cuda/device_memory.hpp"
#include "cuda/flavour.hpp"
#include "matgrad/matgrad.hpp"
#include "support/strided_views.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 5, kRows = 4, kCols = 3, kWidth = 2;

/// The arguments of one right call: ||A X - B||^2 and its gradient, A shared.
struct Call {
    std::int64_t batch = kBatch;
    std::vector<ConstStrided> operands;
    std::vector<Strided> results;
    std::int32_t* status = nullptr;
    std::byte* workspace = nullptr;
    std::size_t workspace_bytes = 0;
    void* stream = nullptr;
};

PlanOptions on_gpu() {
    PlanOptions options;
    options.wrt = {"X"};
    options.device = {DeviceKind::cuda, 0};
    return options;
}

const Operand kOperands[] = {
    {"A", kRows, kCols, false}, {"X", kCols, kWidth, true}, {"B", kRows, kWidth, true}};

Plan make_test_plan(const PlanOptions& options = on_gpu()) {
    return make_plan(parse("norm2(A*X - B)^2"), kOperands, options);
}

std::vector<std::byte> numbers(std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), 1.0);
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
}

class Mistakes : public testing::Test {
protected:
    Mistakes() { what_must_stay_ = written(); }

    [[nodiscard]] Call right() const {
        Call call;
        call.operands = {ConstStrided::contiguous(a_.data(), kRows, kCols),
                         ConstStrided::contiguous(x_.data(), kCols, kWidth),
                         ConstStrided::contiguous(b_.data(), kRows, kWidth)};
        // plan_.operands() may have them in another order.
        std::vector<ConstStrided> in_order;
        for (const Operand& operand : plan_.operands()) {
            in_order.push_back(call.operands[operand.name == "A"   ? 0
                                             : operand.name == "X" ? 1
                                                                   : 2]);
        }
        call.operands = in_order;
        call.results = {Strided::contiguous(value_.data(), 1, 1),
                        Strided::contiguous(gradient_.data(), kCols, kWidth)};
        call.status = reinterpret_cast<std::int32_t*>(status_.data());
        call.workspace = workspace_.data();
        call.workspace_bytes = plan_.workspace_bytes();
        call.stream = stream_.get();
        return call;
    }
    [[nodiscard]] std::size_t place_of(const std::string& name) const {
        for (std::size_t i = 0; i < plan_.operands().size(); ++i) {
            if (plan_.operands()[i].name == name) {
                return i;
            }
        }
        return plan_.operands().size();
    }
    void enqueue(const Call& c) const {
        plan_.enqueue(operand_views(plan_, c.batch, c.operands),
                      result_views(plan_, c.batch, c.results),
                      {c.status, c.workspace, c.workspace_bytes, c.stream});
    }
    /// The mistake is refused in these words, and a right call works afterwards.
    void expect_refused(const std::string& name, const std::function<void(Call&)>& mistake,
                        const std::vector<std::string>& words) {
        SCOPED_TRACE(name);
        Call call = right();
        mistake(call);
        try {
            enqueue(call);
            ADD_FAILURE() << "was accepted";
        } catch (const OperandError& error) {
            const std::string message = error.what();
            for (const std::string& word : words) {
                EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
            }
            EXPECT_EQ(message.find('\n'), std::string::npos);
        }
        MATGRAD_MUST(cudaDeviceSynchronize());
        EXPECT_EQ(written(), what_must_stay_) << "something was written";
        EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
    }
    [[nodiscard]] std::vector<std::byte> written() const {
        std::vector<std::byte> all;
        for (const DeviceBuffer* buffer : {&value_, &gradient_, &status_}) {
            const std::vector<std::byte> part = buffer->content();
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }

    Plan plan_ = make_test_plan();
    DeviceBuffer a_{numbers(kRows * kCols + 1)};
    DeviceBuffer x_{numbers(kBatch * kCols * kWidth + 1)};
    DeviceBuffer b_{numbers(kBatch * kRows * kWidth + 1)};
    DeviceBuffer value_{numbers(kBatch + 1)};
    DeviceBuffer gradient_{numbers(kBatch * kCols * kWidth + 1)};
    DeviceBuffer status_{numbers(kBatch)};
    DeviceBuffer workspace_{plan_.workspace_bytes() + 256};
    TestStream stream_;
    std::vector<double> host_ = std::vector<double>(1000);
    std::vector<std::byte> what_must_stay_;
};

TEST_F(Mistakes, WithTheWorkspaceAreNamed) {
    ASSERT_GT(plan_.workspace_bytes(), 0U);
    expect_refused("too small", [](Call& c) { --c.workspace_bytes; },
                   {"workspace", std::to_string(plan_.workspace_bytes() - 1),
                    std::to_string(plan_.workspace_bytes())});
    expect_refused("misaligned", [](Call& c) { c.workspace += 64; }, {"workspace", "256"});
    expect_refused("null", [](Call& c) { c.workspace = nullptr; }, {"workspace", "null"});
    std::vector<std::byte> memory(plan_.workspace_bytes() + 512);
    void* aligned = memory.data();
    std::size_t room = memory.size();
    std::align(256, plan_.workspace_bytes(), aligned, room);
    expect_refused("in host memory",
                   [&](Call& c) { c.workspace = static_cast<std::byte*>(aligned); },
                   {"workspace", "host"});
}

TEST_F(Mistakes, WithOperandsAreNamed) {
    for (const std::string name : {"A", "X", "B"}) {
        const std::size_t i = place_of(name);
        const std::string operand = "operand " + name;
        expect_refused("null " + name, [i](Call& c) { c.operands[i].data = nullptr; },
                       {operand, "null"});
        expect_refused("host " + name, [&](Call& c) { c.operands[i].data = host_.data(); },
                       {operand, "host"});
        expect_refused("misaligned " + name,
                       [i](Call& c) {
                           c.operands[i].data =
                               static_cast<const std::byte*>(c.operands[i].data) + 4;
                       },
                       {operand, "misaligned"});
    }
    expect_refused("one too few", [](Call& c) { c.operands.pop_back(); }, {"operands", "3"});
}

TEST_F(Mistakes, WithResultsAndStatusAreNamed) {
    const std::string names[] = {"result value", "result gradient X"};
    for (std::size_t i = 0; i < 2; ++i) {
        expect_refused("null", [i](Call& c) { c.results[i].data = nullptr; }, {names[i], "null"});
        expect_refused("host", [&](Call& c) { c.results[i].data = host_.data(); },
                       {names[i], "host"});
        expect_refused(
            "misaligned",
            [i](Call& c) { c.results[i].data = static_cast<std::byte*>(c.results[i].data) + 4; },
            {names[i], "misaligned"});
    }
    expect_refused("one too few", [](Call& c) { c.results.pop_back(); }, {"results", "2"});
    expect_refused("status in host memory",
                   [&](Call& c) { c.status = reinterpret_cast<std::int32_t*>(host_.data()); },
                   {"status", "host"});
    expect_refused(
        "misaligned status",
        [](Call& c) {
            c.status = reinterpret_cast<std::int32_t*>(reinterpret_cast<std::byte*>(c.status) + 2);
        },
        {"status", "misaligned"});
}

TEST_F(Mistakes, ByWhichResultsShareMemoryAreNamed) {
    const std::size_t x = place_of("X");
    expect_refused("gradient over its operand",
                   [x](Call& c) { c.results[1].data = const_cast<void*>(c.operands[x].data); },
                   {"result gradient X", "operand X", "overlaps"});
    expect_refused("value over the gradient",
                   [](Call& c) { c.results[0].data = c.results[1].data; },
                   {"result gradient X", "result value", "overlaps"});
    expect_refused("gradient over the workspace",
                   [](Call& c) { c.results[1].data = c.workspace + 8; },
                   {"result gradient X", "workspace", "overlaps"});
    expect_refused("value over the status", [](Call& c) { c.results[0].data = c.status; },
                   {"result value", "status", "overlaps"});
    expect_refused("every problem at one place", [](Call& c) { c.results[1].batch_stride = 0; },
                   {"result gradient X", "twice"});
}

TEST_F(Mistakes, WithTheBatchAreNamed) {
    expect_refused("negative", [](Call& c) { c.batch = -1; }, {"batch", "-1"});
}

TEST_F(Mistakes, LeaveThePlanInOrder) {
    expect_refused("host operand", [&](Call& c) { c.operands[0].data = host_.data(); }, {"host"});
    enqueue(right());
    stream_.wait();
    std::vector<std::int32_t> status(kBatch, -1);
    MATGRAD_MUST(cudaMemcpy(status.data(), status_.data(), kBatch * sizeof(std::int32_t),
                            cudaMemcpyDeviceToHost));
    EXPECT_EQ(status, std::vector<std::int32_t>(kBatch, 0));
    // ||A x - b||^2 of whole numbers is exact: the first problem by hand.
    std::int64_t want = 0;
    for (std::int64_t r = 0; r < kRows; ++r) {
        for (std::int64_t w = 0; w < kWidth; ++w) {
            std::int64_t residual = -(r * kWidth + w + 1);
            for (std::int64_t c = 0; c < kCols; ++c) {
                residual += (r * kCols + c + 1) * (c * kWidth + w + 1);
            }
            want += residual * residual;
        }
    }
    double value = 0;
    MATGRAD_MUST(cudaMemcpy(&value, value_.data(), sizeof(value), cudaMemcpyDeviceToHost));
    EXPECT_EQ(value, static_cast<double>(want));
}

TEST_F(Mistakes, WithAnotherDeviceAreNamed) {
    if (!have_second_device()) {
        GTEST_SKIP() << "one GPU alone";
    }
    MATGRAD_MUST(cudaSetDevice(1));
    {
        const DeviceBuffer elsewhere(std::size_t{4096});
        const DeviceBuffer other_workspace(plan_.workspace_bytes());
        const TestStream other_stream;
        MATGRAD_MUST(cudaSetDevice(0));
        const std::size_t x = place_of("X");
        expect_refused("operand", [&](Call& c) { c.operands[x].data = elsewhere.data(); },
                       {"operand X", "cuda:1", "cuda:0"});
        expect_refused("result", [&](Call& c) { c.results[1].data = elsewhere.data(); },
                       {"result gradient X", "cuda:1", "cuda:0"});
        expect_refused("workspace", [&](Call& c) { c.workspace = other_workspace.data(); },
                       {"workspace", "cuda:1", "cuda:0"});
        expect_refused("stream", [&](Call& c) { c.stream = other_stream.get(); },
                       {"stream", "cuda:1", "cuda:0"});
        MATGRAD_MUST(cudaSetDevice(1));
        // The plan's device is made current for the call alone.
        enqueue(right());
        int current = -1;
        MATGRAD_MUST(cudaGetDevice(&current));
        EXPECT_EQ(current, 1);
    }
    MATGRAD_MUST(cudaSetDevice(0));
    stream_.wait();
}

TEST(PlanOnGpu, RefusesADeviceThatDoesNotExist) {
    PlanOptions options = on_gpu();
    options.device.index = 77;
    try {
        (void)make_test_plan(options);
        FAIL() << "was accepted";
    } catch (const OperandError& error) {
        EXPECT_NE(std::string(error.what()).find("cuda:77"), std::string::npos) << error.what();
    }
}

TEST(PlanOnTheProcessor, DoesNotEnqueue) {
    PlanOptions options = on_gpu();
    options.device = {DeviceKind::cpu, 0};
    const Plan plan = make_test_plan(options);
    EXPECT_THROW(plan.enqueue({}, {}, {}), OperandError);
}

}  // namespace
}  // namespace matgrad::test
