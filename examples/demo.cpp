// Evaluates value and gradient of matgrad's four functions over large batches, and checks them.
//
//     demo [--small] [--device auto|cpu|cuda[:k]|cuda:all]
//
// 100,000 problems of each function in single precision, a fresh batch at a time, on a GPU where there
// is one. The time is that of Plan::run alone, the way to a GPU and back included. Bytes are those a
// run cannot avoid: every operand read once, every result written once; their rate is compared with
// that of a plain memory copy measured here. The residual is the largest
// |(f(X + hD) - f(X - hD)) / 2h - <G, D>| / (|G| |D|) over some problems, with random D: f by itself in
// double precision on the processor against the gradient G that was timed. Exit status 1 if one is
// larger than what rounding in single precision allows.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <matgrad/matgrad.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// A function of the catalogue at one size. The variable is batched; operands[variable] is it.
struct Task {
    const char* name;
    std::size_t variable;
    std::vector<matgrad::Operand> operands;
};

struct Outcome {
    std::string device;
    double problems_per_second = 0;
    double bytes_per_second = 0;
    double residual = 0;
    std::int64_t failed = 0;
};

std::vector<Task> tasks() {
    return {{"frobenius", 0, {{"X", 64, 16, true}, {"A", 32, 16, false}}},
            {"least_squares", 1, {{"A", 64, 16, true}, {"x", 16, 1, true}, {"b", 64, 1, true}}},
            {"bilinear_trace", 1, {{"A", 32, 32, true}, {"X", 32, 32, true}, {"B", 32, 32, true}}},
            {"log_det_gram", 0, {{"X", 64, 16, true}}}};
}

std::size_t entries(const matgrad::Operand& operand) {
    return static_cast<std::size_t>(operand.rows * operand.cols);
}

/// Numbers evenly spread over [-1, 1): splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    float operator()() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        return std::ldexp(static_cast<float>(static_cast<std::int32_t>(z >> 32)), -31);
    }

private:
    std::uint64_t state_;
};

/// A line on the terminal that fills up; nothing where stderr is no terminal.
class ProgressBar {
public:
    ProgressBar(const char* name, std::int64_t total)
        : name_(name), total_(total), is_terminal_(isatty(STDERR_FILENO) != 0) {}
    ~ProgressBar() {
        if (is_terminal_) {
            std::fprintf(stderr, "\r%*s\r", 72, "");
        }
    }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void show(std::int64_t done) const {
        if (is_terminal_) {
            const int filled = static_cast<int>(40 * done / total_);
            std::fprintf(stderr, "\r%-15s [%.*s%*s] %lld", name_, filled,
                         "########################################", 40 - filled, "",
                         static_cast<long long>(done));
            std::fflush(stderr);
        }
    }

private:
    const char* name_;
    std::int64_t total_;
    bool is_terminal_;
};

/// Bytes per second, read and written, of std::memcpy by all processors on 256 MB; best of five.
double copy_rate() {
    const std::size_t num_threads = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t part = (std::size_t{128} << 20) / num_threads;
    std::vector<char> from(part * num_threads, 1);
    std::vector<char> to(from.size(), 2);
    double best = std::numeric_limits<double>::infinity();
    for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = Clock::now();
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < num_threads; ++t) {
            threads.emplace_back(
                [&, t] { std::memcpy(to.data() + t * part, from.data() + t * part, part); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return 2 * static_cast<double>(from.size()) / best;
}

matgrad::Expr function_of(const Task& task) {
    const matgrad::CatalogueEntry* entry = matgrad::find_in_catalogue(task.name);
    if (entry == nullptr) {
        throw std::runtime_error(std::string("the catalogue has no ") + task.name);
    }
    return matgrad::parse(entry->text);
}

/// Runs a plan on contiguous data of its own type.
template <typename T>
matgrad::RunSummary run(const matgrad::Plan& plan, const std::vector<std::vector<T>>& data,
                        std::vector<std::vector<T>>& out, const matgrad::RunHooks& hooks = {}) {
    const std::vector<matgrad::OperandView> operands(data.begin(), data.end());
    const std::vector<matgrad::ResultView> results(out.begin(), out.end());
    matgrad::RunOptions options;
    options.hooks = hooks;
    return plan.run(operands, results, {}, options);
}

/// The gradient of the first problems against differences of f in double, as the top of this file says.
double residual(const Task& task, const std::vector<std::vector<float>>& data,
                const std::vector<float>& gradient, std::int64_t num_problems) {
    const double h = 1e-4;
    matgrad::PlanOptions options;
    options.type = matgrad::ScalarType::float64;
    const matgrad::Plan plan = matgrad::make_plan(function_of(task), task.operands, options);

    Random random(7);
    std::vector<std::vector<double>> moved;
    for (std::size_t i = 0; i < data.size(); ++i) {
        const auto problems =
            task.operands[i].batched ? static_cast<std::size_t>(num_problems) : std::size_t{1};
        const auto first = data[i].begin();
        moved.emplace_back(
            first, first + static_cast<std::ptrdiff_t>(problems * entries(task.operands[i])));
    }
    std::vector<double>& x = moved[task.variable];
    const std::vector<double> center = x;
    std::vector<double> direction(x.size());
    for (double& d : direction) {
        d = random();
    }
    std::vector<std::vector<double>> above(
        1, std::vector<double>(static_cast<std::size_t>(num_problems)));
    std::vector<std::vector<double>> below = above;
    for (std::size_t e = 0; e < x.size(); ++e) {
        x[e] = center[e] + h * direction[e];
    }
    run(plan, moved, above);
    for (std::size_t e = 0; e < x.size(); ++e) {
        x[e] = center[e] - h * direction[e];
    }
    run(plan, moved, below);

    const std::size_t size = entries(task.operands[task.variable]);
    double worst = 0;
    for (std::size_t k = 0; k < above[0].size(); ++k) {
        double along = 0;
        double gradient_squared = 0;
        double direction_squared = 0;
        for (std::size_t e = k * size; e < (k + 1) * size; ++e) {
            const double g = gradient[e];
            along += g * direction[e];
            gradient_squared += g * g;
            direction_squared += direction[e] * direction[e];
        }
        const double error = std::abs((above[0][k] - below[0][k]) / (2 * h) - along) /
                             std::sqrt(gradient_squared * direction_squared);
        if (!std::isnan(worst) && !(error <= worst)) {
            worst = error;  // and a NaN stays
        }
    }
    return worst;
}

Outcome evaluate(const Task& task, std::int64_t num_problems, const matgrad::Device& device) {
    const std::int64_t chunk = std::min<std::int64_t>(num_problems, 5000);
    matgrad::PlanOptions options;
    options.type = matgrad::ScalarType::float32;
    options.wrt = {task.operands[task.variable].name};
    options.device = device;
    const matgrad::Plan plan = matgrad::make_plan(function_of(task), task.operands, options);

    std::vector<std::vector<float>> data;
    double bytes = 0;
    for (const matgrad::Operand& operand : task.operands) {
        const std::size_t count =
            entries(operand) * (operand.batched ? static_cast<std::size_t>(chunk) : 1);
        data.emplace_back(count);
        bytes += static_cast<double>(sizeof(float) * count);
    }
    std::vector<std::vector<float>> out;
    for (const matgrad::OutputInfo& info : plan.outputs()) {
        out.emplace_back(static_cast<std::size_t>(info.rows * info.cols * chunk));
        bytes += static_cast<double>(sizeof(float) * out.back().size());
    }

    Random random(1);
    Outcome outcome;
    outcome.device = matgrad::to_text(plan.device());
    double seconds = 0;
    const ProgressBar bar(task.name, num_problems);
    std::int64_t done = 0;
    int num_chunks = 0;
    const matgrad::RunHooks hooks{[&](std::int64_t of_chunk) {
        bar.show(done + of_chunk);
        return true;
    }};
    for (; done < num_problems; done += chunk, ++num_chunks) {
        for (std::vector<float>& operand : data) {
            std::generate(operand.begin(), operand.end(), [&random] { return random(); });
        }
        const auto start = Clock::now();
        outcome.failed += run(plan, data, out, hooks).failed;
        seconds += std::chrono::duration<double>(Clock::now() - start).count();
    }
    outcome.problems_per_second = static_cast<double>(done) / seconds;
    outcome.bytes_per_second = bytes * num_chunks / seconds;
    outcome.residual = residual(task, data, out[1], std::min<std::int64_t>(chunk, 64));
    return outcome;
}

/// The first GPU, or the processor and why.
matgrad::Device default_device() {
    const matgrad::DeviceList list = matgrad::list_devices();
    if (list.gpus.empty()) {
        std::printf("on the processor, no GPU: %s\n", list.why_none.c_str());
        return {matgrad::DeviceKind::cpu, 0};
    }
    std::printf("on cuda:0, %s\n", list.gpus[0].name.c_str());
    return {matgrad::DeviceKind::cuda, 0};
}

int run_all(std::int64_t num_problems, const matgrad::Device& device) {
    // A sum of up to 64 products, each rounded, and a condition number of about 4 at random data.
    const double bound = 4 * 64 * std::numeric_limits<float>::epsilon();
    const double copy = copy_rate();
    std::printf("%lld problems of each function, float, robust; memory copy %.1f GB/s\n",
                static_cast<long long>(num_problems), copy * 1e-9);
    std::printf("%-15s %-8s %14s %8s %14s %10s\n", "function", "device", "problems/s", "GB/s",
                "of copy rate", "residual");
    int failures = 0;
    for (const Task& task : tasks()) {
        const Outcome outcome = evaluate(task, num_problems, device);
        const bool good = outcome.residual <= bound && outcome.failed == 0;
        if (good) {
            std::printf("%-15s %-8s %14.0f %8.2f %13.0f%% %10.1e\n", task.name,
                        outcome.device.c_str(), outcome.problems_per_second,
                        outcome.bytes_per_second * 1e-9, 100 * outcome.bytes_per_second / copy,
                        outcome.residual);
        } else {
            std::printf("%-15s FAIL: residual %.1e, bound %.1e; %lld problems failed\n", task.name,
                        outcome.residual, bound, static_cast<long long>(outcome.failed));
            ++failures;
        }
        std::fflush(stdout);
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::int64_t num_problems = 100000;
        std::optional<matgrad::Device> device;
        for (int i = 1; i < argc; ++i) {
            if (std::strcmp(argv[i], "--small") == 0) {
                num_problems = 2000;
            } else if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
                device = matgrad::device_from_text(argv[++i]);
            } else {
                throw std::runtime_error(std::string("found ") + argv[i] +
                                         ", expected --small or --device NAME");
            }
        }
        return run_all(num_problems, device ? *device : default_device());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "demo: %s\n", error.what());
        return 2;
    }
}
