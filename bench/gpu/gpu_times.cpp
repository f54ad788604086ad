/// Times value and gradient of the four functions on a GPU through `Plan::enqueue`, and prints one
/// JSON object.
///
///     gpu_times [--json FILE] [device]
///
/// FILE holds the object too, whole after every row.
///
/// Each time is the median of repeats, between two events on the stream, after the device was kept
/// busy for 0.1 s; of small batches also as CUDA graphs. What the host takes to enqueue a run, and to
/// make the plan, is told apart. Successive repeats read different copies of the operands, which
/// together exceed the cache several times over.
/// A few problems of each row are compared with the closed form in double; the bound of a row is the
/// larger of its bytes at the measured rate of copying and its operations at that of large products.
///
/// Exit status: 0; 1 if a row's numbers are wrong or something failed; 3 without a GPU.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "device.hpp"
#include "four_functions.hpp"
#include "whole_file.hpp"

namespace matgrad::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRepeats = 21;
/// Larger batches are not tried as graphs: launches are a small part of their time.
constexpr std::int64_t kMostProblemsOfAGraph = 16384;
/// Copies of the operands, in multiples of the cache.
constexpr std::size_t kCaches = 4;
constexpr std::size_t kMostCopies = 4096;
/// The largest batch, where the device has room for it: more than any row takes for one problem.
constexpr std::int64_t kLargeBatch = 65536;
constexpr std::size_t kBytesPerProblem = std::size_t{256} << 10;

struct Row {
    const Function* function;
    ScalarType type;
    Accuracy accuracy;
    std::int64_t batch;
};

/// One set of operands on the host, and as many on the device as it takes to miss the cache.
template <typename T>
class Problem {
public:
    Problem(const Row& row, int device, std::size_t cache_bytes, bool capturable)
        : row_(row),
          plan_(make(row, device, capturable, plan_ms_)),
          workspace_(plan_.workspace_bytes()) {
        std::size_t set_bytes = 0;
        for (const Operand& operand : plan_.operands()) {
            host_.push_back(numbers(count(operand), host_.size()));
            set_bytes += host_.back().size() * sizeof(T);
        }
        const std::size_t copies =
            std::clamp(kCaches * cache_bytes / set_bytes + 1, std::size_t{2}, kMostCopies);
        for (std::size_t i = 0; i < host_.size(); ++i) {
            // One allocation for all copies, each on its own 256 bytes.
            const std::size_t bytes = (host_[i].size() * sizeof(T) + 255) / 256 * 256;
            sets_.emplace_back(bytes * copies);
            set_strides_.push_back(bytes);
            auto* const to = static_cast<std::byte*>(sets_.back().data());
            MATGRAD_MUST(cudaMemcpy(to, host_[i].data(), host_[i].size() * sizeof(T),
                                    cudaMemcpyHostToDevice));
            for (std::size_t c = 1; c < copies; ++c) {
                MATGRAD_MUST(cudaMemcpy(to + c * bytes, to, bytes, cudaMemcpyDeviceToDevice));
            }
        }
        // Copies may outlast their calls, and the clock's stream does not wait for them.
        MATGRAD_MUST(cudaDeviceSynchronize());
        copies_ = copies;
        for (const OutputInfo& info : plan_.outputs()) {
            results_.emplace_back(static_cast<std::size_t>(row.batch * info.rows * info.cols) *
                                  sizeof(T));
        }
        status_.emplace_back(static_cast<std::size_t>(row.batch) * sizeof(std::int32_t));
    }

    [[nodiscard]] std::size_t copies() const { return copies_; }
    /// What making the plan took, kernels compiled.
    [[nodiscard]] double plan_ms() const { return plan_ms_; }
    /// Read and written at least: every operand and every result once.
    [[nodiscard]] double bytes() const {
        double sum = static_cast<double>(row_.batch) * sizeof(std::int32_t);
        for (const std::vector<T>& operand : host_) {
            sum += static_cast<double>(operand.size() * sizeof(T));
        }
        for (const OutputInfo& info : plan_.outputs()) {
            sum += static_cast<double>(row_.batch * info.rows * info.cols) * sizeof(T);
        }
        return sum;
    }

    void enqueue(int run, cudaStream_t stream) const {
        std::vector<OperandView> operands;
        for (std::size_t i = 0; i < host_.size(); ++i) {
            const std::size_t copy = static_cast<std::size_t>(run) % copies_;
            const Operand& operand = plan_.operands()[i];
            const auto* const at =
                static_cast<const std::byte*>(sets_[i].data()) + copy * set_strides_[i];
            const ConstView matrix =
                row_major(reinterpret_cast<const T*>(at), operand.rows, operand.cols);
            operands.emplace_back(operand.batched ? matrix.batched(row_.batch) : matrix);
        }
        std::vector<ResultView> results;
        for (std::size_t i = 0; i < results_.size(); ++i) {
            const OutputInfo& info = plan_.outputs()[i];
            const View matrix =
                row_major(static_cast<T*>(results_[i].data()), info.rows, info.cols);
            results.emplace_back(info.batched ? matrix.batched(row_.batch) : matrix);
        }
        plan_.enqueue(operands, results,
                      {.status = static_cast<std::int32_t*>(status_[0].data()),
                       .workspace = workspace_.data(),
                       .workspace_bytes = plan_.workspace_bytes(),
                       .stream = stream});
    }

    /// Of the results there now: the largest error of a few problems as a share of its bound.
    [[nodiscard]] double error() const {
        double worst = 0;
        for (const std::int64_t p : {std::int64_t{0}, row_.batch / 2, row_.batch - 1}) {
            std::int32_t status = -1;
            MATGRAD_MUST(cudaMemcpy(&status,
                                    static_cast<const std::int32_t*>(status_[0].data()) + p,
                                    sizeof status, cudaMemcpyDeviceToHost));
            if (status != 0) {
                return std::numeric_limits<double>::infinity();
            }
            const bool squared = std::is_same_v<T, double> || row_.accuracy == Accuracy::fast;
            const ClosedForm want = row_.function->closed_form(operands_of(p), squared);
            const double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
            const Matrix value = result(0, p);
            const Matrix gradient = result(1, p);
            worst = larger(worst, std::abs(value(0, 0) - want.value) / (eps * want.value_error));
            worst = larger(worst, (gradient - want.gradient).cwiseAbs().maxCoeff() /
                                      (eps * want.gradient_error));
        }
        return worst;
    }

private:
    using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

    static Plan make(const Row& row, int device, bool capturable, double& ms) {
        PlanOptions options;
        options.type = row.type;
        options.accuracy = row.accuracy;
        options.wrt = {row.function->wrt};
        options.expected_batch = row.batch;
        options.capturable = capturable;
        options.device = {DeviceKind::cuda, device};
        const auto start = std::chrono::steady_clock::now();
        Plan plan = make_plan(parse(row.function->text), row.function->operands, options);
        const std::chrono::duration<double, std::milli> taken =
            std::chrono::steady_clock::now() - start;
        ms = taken.count();
        return plan;
    }
    /// NaN counts as larger than anything.
    static double larger(double a, double b) {
        return b <= a ? a : (std::isnan(b) ? std::numeric_limits<double>::infinity() : b);
    }
    [[nodiscard]] std::size_t count(const Operand& operand) const {
        return static_cast<std::size_t>((operand.batched ? row_.batch : 1) * operand.rows *
                                        operand.cols);
    }
    /// In [-1, 1), by a seed of their own for each operand.
    static std::vector<T> numbers(std::size_t count, std::size_t seed) {
        std::vector<T> out(count);
        std::uint64_t state = 0x9E3779B97F4A7C15U * (seed + 1);
        for (T& number : out) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            number = static_cast<T>(state >> 40) / static_cast<T>(1 << 23) - T(1);
        }
        return out;
    }
    /// In the order of the function's own list.
    [[nodiscard]] std::vector<Matrix> operands_of(std::int64_t p) const {
        std::vector<Matrix> out;
        for (const Operand& wanted : row_.function->operands) {
            for (std::size_t i = 0; i < host_.size(); ++i) {
                const Operand& operand = plan_.operands()[i];
                if (operand.name == wanted.name) {
                    const std::int64_t at = operand.batched ? p * operand.rows * operand.cols : 0;
                    out.push_back(
                        Eigen::Map<const Rows>(host_[i].data() + at, operand.rows, operand.cols)
                            .template cast<double>());
                }
            }
        }
        return out;
    }
    [[nodiscard]] Matrix result(std::size_t output, std::int64_t p) const {
        const OutputInfo& info = plan_.outputs()[output];
        Rows entries(info.rows, info.cols);
        MATGRAD_MUST(cudaMemcpy(
            entries.data(), static_cast<const T*>(results_[output].data()) + p * entries.size(),
            static_cast<std::size_t>(entries.size()) * sizeof(T), cudaMemcpyDeviceToHost));
        return entries.template cast<double>();
    }

    Row row_;
    double plan_ms_ = 0;
    Plan plan_;
    DeviceBuffer workspace_;
    std::vector<std::vector<T>> host_;
    std::vector<DeviceBuffer> sets_, results_, status_;
    std::vector<std::size_t> set_strides_;
    std::size_t copies_ = 1;
};

/// The work of a few copies as CUDA graphs, each captured once.
class Graphs {
public:
    template <typename T>
    Graphs(const Problem<T>& problem, Clock& clock) : clock_(clock) {
        constexpr std::size_t kMost = 256;
        problem.enqueue(0, clock.stream());  // what is loaded at a first call is there now
        clock.wait();
        for (std::size_t copy = 0; copy < std::min(problem.copies(), kMost); ++copy) {
            MATGRAD_MUST(cudaStreamBeginCapture(clock.stream(), cudaStreamCaptureModeThreadLocal));
            cudaGraph_t graph = nullptr;
            try {
                problem.enqueue(static_cast<int>(copy), clock.stream());
            } catch (...) {
                (void)cudaStreamEndCapture(clock.stream(), &graph);
                (void)cudaGraphDestroy(graph);
                (void)cudaGetLastError();
                throw;
            }
            MATGRAD_MUST(cudaStreamEndCapture(clock.stream(), &graph));
            cudaGraphExec_t executable = nullptr;
            const cudaError_t code = cudaGraphInstantiate(&executable, graph, 0);
            (void)cudaGraphDestroy(graph);
            must(code, "cudaGraphInstantiate");
            graphs_.emplace_back(executable);
        }
    }
    void launch(int run) const {
        MATGRAD_MUST(cudaGraphLaunch(graphs_[static_cast<std::size_t>(run) % graphs_.size()].get(),
                                     clock_.stream()));
    }

private:
    Clock& clock_;
    struct Destroy {
        void operator()(cudaGraphExec_t graph) const noexcept { (void)cudaGraphExecDestroy(graph); }
    };
    std::vector<std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy>> graphs_;
};

template <typename T>
Json time_graph(const Row& row, int device, std::size_t cache_bytes, Clock& clock) {
    try {
        const Problem<T> problem(row, device, cache_bytes, true);
        const Graphs graphs(problem, clock);
        graphs.launch(0);
        clock.wait();
        const double error = problem.error();
        const Times times = clock.measure(kRepeats, [&](int run) { graphs.launch(run); });
        return {{"median_us", times.median_us},
                {"enqueue_us", times.enqueue_us},
                {"error_over_bound", error},
                {"correct", error <= 1}};
    } catch (const std::exception& error) {
        return {{"refused", error.what()}};
    }
}

template <typename T>
Json time_row(const Row& row, int device, std::size_t cache_bytes, const Rates& rates,
              Clock& clock) {
    const Problem<T> problem(row, device, cache_bytes, false);
    problem.enqueue(0, clock.stream());
    clock.wait();
    const double error = problem.error();
    const Times times =
        clock.measure(kRepeats, [&](int run) { problem.enqueue(run, clock.stream()); });
    const double seconds = times.median_us * 1e-6;
    const double operations = row.function->operations * static_cast<double>(row.batch);
    const double product_rate =
        std::is_same_v<T, double> ? rates.double_operations : rates.float_operations;
    const Json graph = row.batch <= kMostProblemsOfAGraph
                           ? time_graph<T>(row, device, cache_bytes, clock)
                           : Json();
    const double bound = std::max(problem.bytes() / rates.copy_bytes, operations / product_rate);
    return {
        {"function", row.function->name},
        {"type", std::is_same_v<T, double> ? "float64" : "float32"},
        {"accuracy", row.accuracy == Accuracy::fast ? "fast" : "robust"},
        {"batch", row.batch},
        {"median_us", times.median_us},
        {"least_us", times.least_us},
        {"most_us", times.most_us},
        {"enqueue_us", times.enqueue_us},
        {"plan_ms", problem.plan_ms()},
        {"graph", graph},
        {"copies_of_operands", problem.copies()},
        {"bytes", problem.bytes()},
        {"operations", operations},
        {"bytes_per_s", problem.bytes() / seconds},
        {"operations_per_s", operations / seconds},
        {"bound_us", bound * 1e6},
        {"share_of_bound", bound / seconds},
        {"error_over_bound", error},
        {"correct", error <= 1 && (!graph.contains("correct") || graph["correct"].get<bool>())}};
}

int run(int device, const std::string& path) {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices <= device) {
        (void)std::fprintf(stderr, "gpu_times: no GPU %d (%d found)\n", device, devices);
        return 3;
    }
    MATGRAD_MUST(cudaSetDevice(device));
    cudaDeviceProp properties{};
    MATGRAD_MUST(cudaGetDeviceProperties(&properties, device));
    int driver = 0;
    int runtime = 0;
    MATGRAD_MUST(cudaDriverGetVersion(&driver));
    MATGRAD_MUST(cudaRuntimeGetVersion(&runtime));
    const auto cache_bytes = static_cast<std::size_t>(properties.l2CacheSize);
    Clock clock;
    const Rates rates = measure_rates(clock);
    Json all = {{"device", properties.name},
                {"capability", {properties.major, properties.minor}},
                {"multiprocessors", properties.multiProcessorCount},
                {"memory_bytes", properties.totalGlobalMem},
                {"cache_bytes", cache_bytes},
                {"driver", driver},
                {"runtime", runtime},
                {"warm_up_seconds", Clock::kWarmUp},
                {"repeats", kRepeats},
                {"copy_bytes_per_s", rates.copy_bytes},
                {"product_float32_operations_per_s", rates.float_operations},
                {"product_float64_operations_per_s", rates.double_operations},
                {"rows", Json::array()}};
    bool correct = true;
    const auto add = [&](const Json& row) {
        correct = correct && row["correct"].get<bool>();
        all["rows"].push_back(row);
        if (!path.empty()) {
            replace_file(path, all.dump(1) + "\n");
        }
    };
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    MATGRAD_MUST(cudaMemGetInfo(&free_bytes, &total_bytes));
    std::int64_t large = kLargeBatch;
    while (large > 1 && static_cast<std::size_t>(large) * kBytesPerProblem > free_bytes) {
        large /= 2;
    }
    const std::vector<Function> functions = four_functions();
    for (const Function& function : functions) {
        for (const std::int64_t batch : {std::int64_t{1}, std::int64_t{1024}, large}) {
            const Row robust{&function, ScalarType::float32, Accuracy::robust, batch};
            Row fast = robust;
            fast.accuracy = Accuracy::fast;
            Row wide = robust;
            wide.type = ScalarType::float64;
            add(time_row<float>(robust, device, cache_bytes, rates, clock));
            add(time_row<float>(fast, device, cache_bytes, rates, clock));
            add(time_row<double>(wide, device, cache_bytes, rates, clock));
        }
    }
    (void)std::puts(all.dump(1).c_str());
    return correct ? 0 : 1;
}

}  // namespace
}  // namespace matgrad::bench

int main(int argc, char** argv) {
    try {
        std::string path;
        int device = 0;
        for (int i = 1; i < argc; ++i) {
            const std::string word = argv[i];
            if (word == "--json" && i + 1 < argc) {
                path = argv[++i];
            } else {
                device = std::atoi(word.c_str());
            }
        }
        return matgrad::bench::run(device, path);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "gpu_times: %s\n", error.what());
        return 1;
    }
}
