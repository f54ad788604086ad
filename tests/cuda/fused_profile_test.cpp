// What the fused kernels of the canonical cases do to memory, counted on the simulated GPU: each entry of an operand
// is read once and each of a result written once, in whole sectors, and block memory is free of bank conflicts.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "matgrad/matgrad.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

struct Case {
    const char* name;
    const char* text;
    std::vector<std::string> wrt;
    std::vector<Operand> operands;
    ScalarType type;
    bool wants_value;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        const auto add = [&](const char* name, const char* text, const char* wrt,
                             std::vector<Operand> operands) {
            all.push_back({name, text, {wrt}, std::move(operands), type, true});
        };
        const auto squares = [](std::int64_t m, std::int64_t n) {
            return std::vector<Operand>{batched("A", m, n), batched("x", n, 1), batched("b", m, 1)};
        };
        add("least_squares 64x16", "norm2(A*x - b)^2", "x", squares(64, 16));
        add("least_squares 64x64", "norm2(A*x - b)^2", "x", squares(64, 64));
        add("bilinear_trace 32", "tr(A*X*B)", "X",
            {batched("A", 32, 32), batched("X", 32, 32), batched("B", 32, 32)});
        add("frobenius 32", "0.5*norm2(X*A')^2", "X", {batched("X", 32, 32), batched("A", 32, 32)});
        add("log_det_gram 8x4", "logdet(X'*X)", "X", {batched("X", 8, 4)});
        add("log_det_gram 16x16", "logdet(X'*X)", "X", {batched("X", 16, 16)});
        add("log_det_gram 64x16", "logdet(X'*X)", "X", {batched("X", 64, 16)});
        add("log_det_gram 32x32", "logdet(X'*X)", "X", {batched("X", 32, 32)});
    }
    return all;
}

/// The one kernel of a run over random numbers.
template <typename T>
simulated::Launch launch_of(const Case& c, std::int64_t batch) {
    PlanOptions options;
    options.type = c.type;
    options.wrt = c.wrt;
    options.expected_batch = batch;
    options.device = {DeviceKind::cuda, 0};
    options.executor = GpuExecutor::fused;
    const Plan plan = make_plan(parse(c.text), c.operands, options);
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    std::vector<std::vector<T>> numbers;
    std::vector<OperandView> inputs;
    for (const Operand& o : c.operands) {
        numbers.emplace_back(static_cast<std::size_t>(batch * o.rows * o.cols));
        std::generate(numbers.back().begin(), numbers.back().end(),
                      [&] { return static_cast<T>(normal(random)); });
        inputs.emplace_back(o.name,
                            row_major(numbers.back().data(), o.rows, o.cols).batched(batch));
    }
    std::vector<std::vector<T>> results;
    std::vector<ResultView> outputs;
    const std::string names[] = {"value", "gradient " + c.wrt.front()};
    for (const OutputInfo& o : plan.outputs()) {
        results.emplace_back(static_cast<std::size_t>(batch * o.rows * o.cols));
        outputs.emplace_back(names[outputs.size()],
                             row_major(results.back().data(), o.rows, o.cols).batched(batch));
    }
    std::vector<std::int32_t> status(static_cast<std::size_t>(batch), -1);
    simulated::profile_launches();
    plan.run(inputs, outputs, status);
    simulated::profile_launches(false);
    EXPECT_EQ(std::count(status.begin(), status.end(), 0), batch) << c.name;
    const std::vector<simulated::Launch> launches = simulated::launches();
    const auto last = std::find_if(launches.rbegin(), launches.rend(), [](const auto& launch) {
        return launch.kernel.starts_with("fused");
    });
    if (last != launches.rend()) {
        return *last;
    }
    ADD_FAILURE() << c.name << " has no fused kernel";
    return {};
}

TEST(FusedProfile, OfTheCanonicalCases) {
    for (const Case& c : cases()) {
        constexpr std::int64_t kBatch = 256;
        const simulated::Launch launch = c.type == ScalarType::float32
                                             ? launch_of<float>(c, kBatch)
                                             : launch_of<double>(c, kBatch);
        const simulated::Profile& p = launch.profile.value();
        const double sectors = static_cast<double>(p.loads.transfers + p.stores.transfers);
        const double least =
            static_cast<double>(p.distinct_load_bytes + p.distinct_store_bytes) / 32;
        const double waves =
            static_cast<double>(p.shared_loads.transfers + p.shared_stores.transfers);
        const double accesses =
            static_cast<double>(p.shared_loads.least_transfers + p.shared_stores.least_transfers);
        std::cout << c.name << (c.type == ScalarType::float32 ? " float: " : " double: ") << sectors
                  << " sectors, at least " << least << "; " << waves << " wavefronts, at least "
                  << accesses << "\n";
        EXPECT_GT(least, 0) << c.name;
        EXPECT_LE(sectors, 1.05 * least) << c.name;
        EXPECT_LE(waves, 1.1 * accesses) << c.name;
    }
}

}  // namespace
}  // namespace matgrad::test
