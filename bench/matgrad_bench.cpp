/// The gradients of the four functions over large batches, through the public API.
///
/// Each benchmark first checks a few problems against the closed form evaluated in double and
/// reports an error instead of a time if one is off.
///
///     matgrad_bench --benchmark_filter=robust

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace {

using namespace matgrad;
using Matrix = Eigen::MatrixXd;
using Operands = std::vector<Matrix>;

struct Function {
    std::string name;
    std::string text;
    std::string wrt;
    std::vector<Operand> operands;
    /// The gradient from the operands of one problem, in the order above.
    std::function<Matrix(const Operands&)> gradient;
    /// Condition of the gradient as a multiple of unit roundoff, from the same.
    std::function<double(const Operands&, Accuracy)> amplification;
};

double well_conditioned(const Operands&, Accuracy) {
    return 1;
}

double gram_condition(const Operands& problem, Accuracy accuracy) {
    const Eigen::VectorXd values = problem[0].jacobiSvd().singularValues();
    const double condition = values(0) / values(values.size() - 1);
    return accuracy == Accuracy::robust ? condition : condition * condition;
}

std::vector<Function> functions() {
    const Operand x{"X", 64, 16, true};
    const auto frobenius = [](const Operands& v) -> Matrix {
        return v[0] * v[1].transpose() * v[1];
    };
    return {
        {"log_det_gram",
         "logdet(X'*X)",
         "X",
         {x},
         [](const Operands& v) -> Matrix { return 2 * v[0] * (v[0].transpose() * v[0]).inverse(); },
         gram_condition},
        {"frobenius_shared",
         "0.5*norm2(X*A')^2",
         "X",
         {x, {"A", 32, 16, false}},
         frobenius,
         well_conditioned},
        {"frobenius_batched",
         "0.5*norm2(X*A')^2",
         "X",
         {x, {"A", 32, 16, true}},
         frobenius,
         well_conditioned},
        {"least_squares",
         "norm2(A*x - b)^2",
         "x",
         {{"A", 64, 16, true}, {"x", 16, 1, true}, {"b", 64, 1, true}},
         [](const Operands& v) -> Matrix { return 2 * v[0].transpose() * (v[0] * v[1] - v[2]); },
         well_conditioned},
        {"bilinear_trace",
         "tr(A*X*B)",
         "X",
         {{"A", 32, 32, true}, {"X", 32, 32, true}, {"B", 32, 32, true}},
         [](const Operands& v) -> Matrix { return v[0].transpose() * v[2].transpose(); },
         well_conditioned},
    };
}

/// Memory in large pages where the system has them, as NumPy asks for its arrays.
class Floats {
public:
    explicit Floats(std::size_t size) : size_(size) {
        constexpr std::size_t kPage = std::size_t{2} << 20;
        const std::size_t bytes = (size * sizeof(float) + kPage - 1) / kPage * kPage;
        data_.reset(static_cast<float*>(std::aligned_alloc(kPage, std::max(bytes, kPage))));
        if (data_ == nullptr) {
            throw std::bad_alloc();
        }
#ifdef MADV_HUGEPAGE
        (void)madvise(data_.get(), bytes, MADV_HUGEPAGE);  // advice only
#endif
        std::fill_n(data_.get(), size, 0.0F);
    }
    [[nodiscard]] float* data() const {
        return data_.get();
    }
    [[nodiscard]] std::size_t size() const {
        return size_;
    }
    [[nodiscard]] float* begin() const {
        return data();
    }
    [[nodiscard]] float* end() const {
        return data() + size_;
    }

private:
    struct Free {
        void operator()(float* memory) const { std::free(memory); }
    };
    std::unique_ptr<float, Free> data_;
    std::size_t size_;
};

/// Random operands and room for the results of one function.
struct Problem {
    Plan plan;
    std::vector<Floats> data;
    std::vector<ConstBatch> operands;
    Floats gradient{0};
    std::vector<Batch> results;
    std::vector<std::int32_t> status;
    std::vector<std::byte> memory;
    std::span<std::byte> workspace;

    Problem(const Function& f, std::int64_t batch, Accuracy accuracy, int threads)
        : plan(make_plan(parse(f.text), f.operands, batch, options(f, accuracy, threads))) {
        std::mt19937 engine(1);
        std::uniform_real_distribution<float> draw(-1, 1);
        data.reserve(f.operands.size());
        for (const Operand& operand : plan.operands()) {
            const std::int64_t matrices = operand.batched ? batch : 1;
            data.emplace_back(static_cast<std::size_t>(matrices * operand.rows * operand.cols));
            for (float& entry : data.back()) {
                entry = draw(engine);
            }
            operands.push_back(
                ConstBatch::contiguous(data.back().data(), operand.rows, operand.cols));
        }
        const OutputInfo& info = plan.outputs().front();
        gradient = Floats(static_cast<std::size_t>(batch * info.rows * info.cols));
        results.push_back(Batch::contiguous(gradient.data(), info.rows, info.cols));
        status.resize(static_cast<std::size_t>(batch));
        memory.resize(plan.workspace_bytes() + 64);
        void* start = memory.data();
        std::size_t room = memory.size();
        std::align(64, plan.workspace_bytes(), start, room);
        workspace = {static_cast<std::byte*>(start), plan.workspace_bytes()};
    }

    static PlanOptions options(const Function& f, Accuracy accuracy, int threads) {
        PlanOptions result;
        result.type = ScalarType::float32;
        result.accuracy = accuracy;
        result.value = false;
        result.wrt = {f.wrt};
        result.threads = threads;
        return result;
    }

    void run(std::int64_t batch) { (void)plan.run(batch, operands, results, status, workspace); }

    /// What is wrong with problem p, or nothing.
    [[nodiscard]] std::string fault(const Function& f, std::int64_t p, Accuracy accuracy) const {
        using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        Operands values;
        for (const Operand& wanted : f.operands) {
            for (std::size_t i = 0; i < plan.operands().size(); ++i) {
                const Operand& operand = plan.operands()[i];
                if (operand.name == wanted.name) {
                    const std::int64_t at = operand.batched ? p * operand.rows * operand.cols : 0;
                    values.push_back(
                        Eigen::Map<const Rows>(data[i].data() + at, operand.rows, operand.cols)
                            .cast<double>());
                }
            }
        }
        const Matrix want = f.gradient(values);
        const Matrix got =
            Eigen::Map<const Rows>(gradient.data() + p * want.size(), want.rows(), want.cols())
                .cast<double>();
        // Sums of at most 64 products of at most 64 terms, twice over.
        const double bound = 64 * std::pow(2.0, -23) * f.amplification(values, accuracy);
        const double error = (got - want).norm() / want.norm();
        return error <= bound ? ""
                              : fmt::format("FAIL: problem {} is off by {:.1e}, bound {:.1e}", p,
                                            error, bound);
    }
};

void run_gradient(benchmark::State& state, const Function& f, Accuracy accuracy) {
    const std::int64_t batch = state.range(0);
    Problem problem(f, batch, accuracy, static_cast<int>(state.range(1)));
    problem.run(batch);
    for (const std::int64_t p : {std::int64_t{0}, batch / 3, batch - 1}) {
        const std::string fault = problem.fault(f, p, accuracy);
        if (!fault.empty()) {
            state.SkipWithError(fault.c_str());
            return;
        }
    }
    for (auto _ : state) {
        problem.run(batch);
        benchmark::ClobberMemory();
    }
    std::size_t floats = problem.gradient.size();
    for (const Floats& operand : problem.data) {
        floats += operand.size();
    }
    state.SetItemsProcessed(state.iterations() * batch);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(floats * sizeof(float)));
}

}  // namespace

int main(int argc, char** argv) {
    for (const Function& f : functions()) {
        for (const Accuracy accuracy : {Accuracy::fast, Accuracy::robust}) {
            const std::string name = f.name + (accuracy == Accuracy::fast ? "/fast" : "/robust");
            benchmark::RegisterBenchmark(
                name.c_str(),
                [f, accuracy](benchmark::State& state) { run_gradient(state, f, accuracy); })
                ->ArgNames({"batch", "threads"})
                ->Args({20000, 2})
                ->Unit(benchmark::kMillisecond)
                ->UseRealTime();
        }
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
