// ---- The check: random problems, launches, finite differences, times. C++ and the CUDA runtime.

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace standalone {

using matgrad::block::FusedArgs;
using matgrad::block::Strided;

enum ExitStatus { kPassed = 0, kFailed = 1, kWrongCall = 2, kMachineFailed = 3, kNoGpu = 77 };

enum class Structure { general, symmetric, positive, diagonal, lower, upper, orthogonal };

/// Row-major, one problem after the other; a shared one is there once.
struct Operand {
    const char* name;
    int rows, cols;
    Structure structure;
    bool is_shared;
    bool is_variable;
};

/// Row-major, one problem after the other. The kernel may make its transpose.
struct Result {
    const char* name;
    int rows, cols;
    bool is_transposed;
    int variable;  ///< the operand it is the gradient by; -1: the value
};

/// A matrix among a kernel's arguments: a result, else an operand, by its number.
struct Slot {
    bool is_result;
    int index;
};

struct Kernel {
    const void* function;
    void (*launch)(const Kernel& kernel, const std::vector<Strided>& matrices, int* status,
                   long long batch, long long most_blocks);
    int threads;  ///< of a block
    int teams;    ///< of a block: problems
    int memory;   ///< of a block: bytes of dynamic shared memory
    std::vector<Slot> slots;
};

struct Subject {
    const char* function;
    std::vector<Operand> operands;
    std::vector<Result> results;
    Kernel kernel;
    Kernel value;  ///< the function's value alone, in double: its one result
    double problem_bytes, shared_bytes;
    long long problems;
    bool free_entries;      ///< gradients by symmetric variables are by their free entries
    bool positive_entries;  ///< of operands without structure
    bool small_variables;
    bool is_fast;  ///< roundings of X'*X count as they are, with the square of X's condition
};

inline void check(cudaError_t code, const char* what) {
    if (code != cudaSuccess) {
        std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(code));
        std::exit(kMachineFailed);
    }
}

class DeviceMemory {
public:
    explicit DeviceMemory(std::size_t bytes) {
        check(cudaMalloc(&data_, bytes > 0 ? bytes : 1), "cudaMalloc");
    }
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    DeviceMemory(DeviceMemory&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
    ~DeviceMemory() { (void)cudaFree(data_); }
    void* get() const { return data_; }

private:
    void* data_ = nullptr;
};

/// How many blocks the device has room for at once. They take one problem after the other.
inline long long resident_blocks(const Kernel& kernel) {
    int device = 0;
    int multiprocessors = 0;
    int blocks = 0;
    check(cudaGetDevice(&device), "cudaGetDevice");
    check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
          "cudaDeviceGetAttribute");
    check(cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               kernel.memory),
          "this device gives a block less memory than the kernel takes");
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel.function, kernel.threads,
                                                        static_cast<std::size_t>(kernel.memory)),
          "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    return static_cast<long long>(std::max(1, blocks)) * multiprocessors;
}

/// How the kernel is called: `most_blocks` are the resident ones. `status`, of each problem: 0, or what failed.
template <int kMatrices>
void launch(const Kernel& kernel, const std::vector<Strided>& matrices, int* status,
            long long batch, long long most_blocks) {
    const long long wanted = (batch + kernel.teams - 1) / kernel.teams;
    const long long blocks = std::min(wanted, most_blocks);
    FusedArgs<kMatrices> args{};
    args.launch.batch = batch;
    args.at_once = blocks * kernel.teams;
    args.status = status;
    args.status_is_new = 1;
    args.losing = matgrad::block::kLosingResults;
    for (int i = 0; i < kMatrices; ++i) {
        args.matrices[i] = matrices[static_cast<std::size_t>(i)];
    }
    void* pointers[] = {&args};
    check(cudaLaunchKernel(kernel.function, dim3(static_cast<unsigned>(blocks)),
                           dim3(static_cast<unsigned>(kernel.threads)), pointers,
                           static_cast<std::size_t>(kernel.memory), nullptr),
          "cudaLaunchKernel");
}

/// splitmix64.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    /// In (0, 1].
    double uniform() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<double>(((z ^ (z >> 31)) >> 11) + 1) * 0x1p-53;
    }
    /// By Box and Muller.
    double normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }

private:
    std::uint64_t state_;
};

using Entries = std::vector<double>;  ///< of one matrix, row-major

inline std::size_t count_of(int rows, int cols) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
}

inline Entries normal_entries(const Operand& o, Random& random) {
    Entries entries(count_of(o.rows, o.cols));
    for (double& entry : entries) {
        entry = random.normal();
    }
    return entries;
}

/// The part of a square matrix that its structure keeps.
inline Entries kept_part(const Operand& o, Entries m) {
    const auto at = [&](int r, int c) -> double& {
        return m[static_cast<std::size_t>(r) * static_cast<std::size_t>(o.cols) +
                 static_cast<std::size_t>(c)];
    };
    for (int r = 0; r < o.rows; ++r) {
        for (int c = 0; c < o.cols; ++c) {
            switch (o.structure) {
                case Structure::symmetric:
                case Structure::positive:
                    if (c < r) {
                        at(r, c) = at(c, r) = (at(r, c) + at(c, r)) / 2;
                    }
                    break;
                case Structure::diagonal:
                    at(r, c) = r == c ? at(r, c) : 0;
                    break;
                case Structure::lower:
                    at(r, c) = r >= c ? at(r, c) : 0;
                    break;
                case Structure::upper:
                    at(r, c) = r <= c ? at(r, c) : 0;
                    break;
                case Structure::general:
                case Structure::orthogonal:
                    break;
            }
        }
    }
    return m;
}

/// M M'/n + I.
inline Entries positive_matrix(const Operand& o, const Entries& m) {
    const auto n = static_cast<std::size_t>(o.rows);
    Entries result(m.size());
    for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t c = 0; c < n; ++c) {
            double sum = 0;
            for (std::size_t k = 0; k < n; ++k) {
                sum += m[r * n + k] * m[c * n + k];
            }
            result[r * n + c] = sum / static_cast<double>(n) + (r == c ? 1 : 0);
        }
    }
    return result;
}

/// The columns made orthonormal, by Gram and Schmidt, twice.
inline Entries orthonormal_columns(const Operand& o, Entries m) {
    const auto rows = static_cast<std::size_t>(o.rows);
    const auto cols = static_cast<std::size_t>(o.cols);
    for (std::size_t c = 0; c < cols; ++c) {
        for (std::size_t step = 0; step < 2 * c; ++step) {
            const std::size_t other = step % c;
            double inner = 0;
            for (std::size_t r = 0; r < rows; ++r) {
                inner += m[r * cols + c] * m[r * cols + other];
            }
            for (std::size_t r = 0; r < rows; ++r) {
                m[r * cols + c] -= inner * m[r * cols + other];
            }
        }
        double square = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            square += m[r * cols + c] * m[r * cols + c];
        }
        for (std::size_t r = 0; r < rows; ++r) {
            m[r * cols + c] /= std::sqrt(square);
        }
    }
    return m;
}

inline Entries draw(const Subject& subject, const Operand& o, Random& random) {
    Entries m = normal_entries(o, random);
    const bool is_free = o.structure == Structure::general || o.structure == Structure::symmetric;
    if (o.structure == Structure::positive) {
        m = positive_matrix(o, m);
    } else if (o.structure == Structure::orthogonal) {
        m = orthonormal_columns(o, std::move(m));
    } else {
        m = kept_part(o, std::move(m));
    }
    for (std::size_t i = 0; i < m.size(); ++i) {
        const bool is_diagonal =
            i % static_cast<std::size_t>(o.cols) == i / static_cast<std::size_t>(o.cols);
        const bool moves = o.structure == Structure::diagonal || o.structure == Structure::lower ||
                           o.structure == Structure::upper;
        if (moves && is_diagonal) {
            m[i] += m[i] < 0 ? -1 : 1;  // away from zero
        }
        if (is_free && subject.positive_entries) {
            m[i] = std::fabs(m[i]) + 0.5;
        }
        if (is_free && subject.small_variables && o.is_variable) {
            m[i] *= 0.01;
        }
    }
    return m;
}

/// Of some problems: values[operand][problem], of a shared operand one.
using Values = std::vector<std::vector<Entries>>;

template <typename T>
Values draw_all(const Subject& subject, std::size_t problems) {
    Values values;
    std::uint64_t seed = 1;
    for (const Operand& o : subject.operands) {
        std::vector<Entries> all;
        for (std::size_t p = 0; p < (o.is_shared ? 1 : problems); ++p) {
            Random random(seed++);
            all.push_back(draw(subject, o, random));
            for (double& entry : all.back()) {
                entry = static_cast<double>(static_cast<T>(entry));
            }
        }
        values.push_back(std::move(all));
    }
    return values;
}

/// A batch in device memory, with its results. Problems beyond those of `values` are these again.
template <typename T>
class Batch {
public:
    Batch(const Subject& subject, const Kernel& kernel, const std::vector<Result>& results,
          const Values& values, long long problems)
        : kernel_(kernel),
          results_(results),
          problems_(problems),
          resident_(resident_blocks(kernel)),
          status_(bytes<int>(1)) {
        std::vector<Strided> operands;
        for (std::size_t i = 0; i < subject.operands.size(); ++i) {
            const Operand& o = subject.operands[i];
            const std::size_t count = count_of(o.rows, o.cols);
            std::vector<T> host(count * (o.is_shared ? 1 : static_cast<std::size_t>(problems)));
            for (std::size_t k = 0; k < host.size(); ++k) {
                host[k] = static_cast<T>(values[i][k / count % values[i].size()][k % count]);
            }
            memory_.emplace_back(host.size() * sizeof(T));
            check(cudaMemcpy(memory_.back().get(), host.data(), host.size() * sizeof(T),
                             cudaMemcpyHostToDevice),
                  "cudaMemcpy");
            operands.push_back(
                {memory_.back().get(), o.is_shared ? 0 : static_cast<long long>(count), o.cols, 1});
        }
        for (const Result& r : results) {
            const std::size_t count = count_of(r.rows, r.cols);
            memory_.emplace_back(bytes<T>(count));
            const auto stride = static_cast<long long>(count);
            made_.push_back(r.is_transposed ? Strided{memory_.back().get(), stride, 1, r.cols}
                                            : Strided{memory_.back().get(), stride, r.cols, 1});
        }
        for (const Slot& slot : kernel.slots) {
            matrices_.push_back(
                (slot.is_result ? made_ : operands)[static_cast<std::size_t>(slot.index)]);
        }
    }

    void launch() const {
        kernel_.launch(kernel_, matrices_, static_cast<int*>(status_.get()), problems_, resident_);
    }
    std::vector<T> result(std::size_t i) const {
        std::vector<T> host(static_cast<std::size_t>(problems_) *
                            count_of(results_[i].rows, results_[i].cols));
        check(
            cudaMemcpy(host.data(), made_[i].data, host.size() * sizeof(T), cudaMemcpyDeviceToHost),
            "cudaMemcpy");
        return host;
    }
    std::vector<int> status() const {
        std::vector<int> host(static_cast<std::size_t>(problems_));
        check(cudaMemcpy(host.data(), status_.get(), host.size() * sizeof(int),
                         cudaMemcpyDeviceToHost),
              "cudaMemcpy");
        return host;
    }

private:
    template <typename Entry>
    std::size_t bytes(std::size_t count) const {
        return static_cast<std::size_t>(problems_) * count * sizeof(Entry);
    }

    const Kernel& kernel_;
    const std::vector<Result>& results_;
    long long problems_, resident_;
    DeviceMemory status_;
    std::vector<DeviceMemory> memory_;
    std::vector<Strided> made_, matrices_;
};

/// The function in double, by the second kernel; NaN where it fails.
inline std::vector<double> function_at(const Subject& subject, const Values& values,
                                       std::size_t problems) {
    const std::vector<Result> results = {{"value", 1, 1, false, -1}};
    const Batch<double> batch(subject, subject.value, results, values,
                              static_cast<long long>(problems));
    batch.launch();
    std::vector<double> found = batch.result(0);
    const std::vector<int> status = batch.status();
    for (std::size_t p = 0; p < problems; ++p) {
        found[p] = status[p] == 0 ? found[p] : std::nan("");
    }
    return found;
}

/// The operands, each entry by some parts in a million larger or smaller.
inline Values disturbed(const Subject& subject, Values values, double part) {
    Random random(12345);
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (Entries& m : values[i]) {
            Entries factors(m.size());
            for (double& factor : factors) {
                factor = random.uniform() < 0.5 ? -part : part;
            }
            // A symmetric matrix stays one.
            factors = kept_part(subject.operands[i], std::move(factors));
            for (std::size_t k = 0; k < m.size(); ++k) {
                m[k] *= 1 + factors[k];
            }
        }
    }
    return values;
}

/// Along the direction: X + size * D.
inline Values moved(Values values, std::size_t variable, const std::vector<Entries>& direction,
                    double size) {
    for (std::size_t p = 0; p < values[variable].size(); ++p) {
        for (std::size_t k = 0; k < values[variable][p].size(); ++k) {
            values[variable][p][k] += size * direction[p][k];
        }
    }
    return values;
}

/// What comparisons have found.
struct Verdict {
    long long compared = 0, wrong = 0;
    long long blunt = 0;  ///< where roundings may be so large that nothing is said
    long long failed = 0;
    double worst = 0;  ///< the largest error, in parts of its bound

    void add(double expected, double found, double bound, double magnitude) {
        constexpr double kBlunt = 0.02;  // of what is compared
        if (!std::isfinite(expected) || !std::isfinite(bound) || bound > kBlunt * magnitude) {
            blunt += magnitude > 0 || !std::isfinite(expected) ? 1 : 0;
            return;
        }
        const double error = std::fabs(found - expected);
        ++compared;
        if (!(error <= bound)) {
            ++wrong;
        }
        worst = std::max(worst, bound > 0 && std::isfinite(error) ? error / bound : 0);
    }
    bool print(const char* name) const {
        std::printf("%-16s %lld compared, %lld wrong, largest error %.2g of its bound", name,
                    compared, wrong, worst);
        if (blunt > 0) {
            std::printf("; %lld without digits at such data", blunt);
        }
        if (failed > 0) {
            std::printf("; %lld failed", failed);
        }
        std::printf("\n");
        return wrong == 0 && compared > 0 && 4 * compared >= blunt;
    }
};

template <typename T>
struct Check {
    const Subject& subject;
    std::size_t problems;
    Values values;
    std::vector<int> status;
    double unit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;

    static constexpr double kPart = 1e-6;  ///< of a disturbance
    static constexpr double kStep = 1e-4;
    /// One disturbance says less than the worst that roundings may do.
    static constexpr double kSafety = 100;

    /// Of each problem's gradients: how many times a relative disturbance of the operands is found again.
    std::vector<double> conditions = std::vector<double>(problems, 1.0);

    double rounding_factor(std::size_t p) const {
        return kSafety * unit * (subject.is_fast ? conditions[p] : 1);
    }

    /// Roundings that an entry gathers.
    double roundings() const {
        int most = 1;
        for (const Operand& o : subject.operands) {
            most = std::max(most, o.rows + o.cols);
        }
        return 8 * unit * most;
    }

    Verdict of_value(const std::vector<T>& found) const {
        const std::vector<double> f = function_at(subject, values, problems);
        const std::vector<double> near =
            function_at(subject, disturbed(subject, values, kPart), problems);
        Verdict verdict;
        for (std::size_t p = 0; p < problems; ++p) {
            if (status[p] != 0) {
                ++verdict.failed;
                continue;
            }
            const double change = std::fabs(near[p] - f[p]) / kPart;
            const double bound = rounding_factor(p) * change + roundings() * std::fabs(f[p]);
            verdict.add(f[p], static_cast<double>(found[p]), bound, std::fabs(f[p]));
        }
        return verdict;
    }

    /// <G, D> against differences of values at X + hD and X - hD, and 2h: their error is of order 4.
    Verdict of_gradient(const Result& result, const std::vector<T>& found) {
        const auto variable = static_cast<std::size_t>(result.variable);
        const Operand& o = subject.operands[variable];
        std::vector<Entries> direction;
        for (std::size_t p = 0; p < values[variable].size(); ++p) {
            Random random(1000003 + p);
            direction.push_back(kept_part(o, normal_entries(o, random)));
        }
        const double step = kStep * (subject.small_variables ? 0.01 : 1);
        const auto slopes = [&](const Values& at, double size) {
            const auto up = function_at(subject, moved(at, variable, direction, size), problems);
            const auto down = function_at(subject, moved(at, variable, direction, -size), problems);
            std::vector<double> slope(problems);
            for (std::size_t p = 0; p < problems; ++p) {
                slope[p] = (up[p] - down[p]) / (2 * size);
            }
            return slope;
        };
        const std::vector<double> f = function_at(subject, values, problems);
        const std::vector<double> one = slopes(values, step);
        const std::vector<double> two = slopes(values, 2 * step);
        const std::vector<double> near = slopes(disturbed(subject, values, kPart), step);
        const bool is_free = subject.free_entries && (o.structure == Structure::symmetric ||
                                                      o.structure == Structure::positive);
        Verdict verdict;
        for (std::size_t p = 0; p < problems; ++p) {
            if (status[p] != 0) {
                ++verdict.failed;
                continue;
            }
            const Entries& d = direction[p % direction.size()];
            double inner = 0;
            double magnitude = 0;
            for (std::size_t k = 0; k < d.size(); ++k) {
                const std::size_t row = k / static_cast<std::size_t>(o.cols);
                const std::size_t col = k % static_cast<std::size_t>(o.cols);
                const double term =
                    is_free && col > row ? 0 : static_cast<double>(found[p * d.size() + k]) * d[k];
                inner += term;
                magnitude += std::fabs(term);
            }
            const double expected = one[p] + (one[p] - two[p]) / 3;
            const double of_difference =
                std::fabs(one[p] - two[p]) + 16 * 0x1p-53 * std::fabs(f[p]) / step;
            const double change = std::fabs(near[p] - one[p]) / kPart;
            if (magnitude > 0) {
                conditions[p] = std::max(conditions[p], change / magnitude);
            }
            const double bound =
                rounding_factor(p) * change + roundings() * magnitude + of_difference;
            verdict.add(expected, inner, bound, std::max(magnitude, std::fabs(expected)));
        }
        return verdict;
    }
};

/// Problems of the same data have the same bits, wherever they are in the batch.
template <typename T>
long long other_bits(const std::vector<T>& found, std::size_t count, std::size_t distinct) {
    const std::size_t period = count * distinct;
    long long others = 0;
    for (std::size_t k = period; k < found.size(); ++k) {
        others += std::memcmp(&found[k], &found[k - period], sizeof(T)) != 0 ? 1 : 0;
    }
    return others;
}

/// Of one launch among several, one after the other: the median of some rounds.
template <typename T>
double seconds_of(const Batch<T>& batch) {
    constexpr int kWarmUp = 1;
    constexpr int kRounds = 5;
    constexpr int kLaunches = 10;
    cudaEvent_t begin{};
    cudaEvent_t end{};
    check(cudaEventCreateWithFlags(&begin, cudaEventDefault), "cudaEventCreateWithFlags");
    check(cudaEventCreateWithFlags(&end, cudaEventDefault), "cudaEventCreateWithFlags");
    std::vector<float> times;
    for (int i = 0; i < kWarmUp + kRounds; ++i) {
        check(cudaEventRecord(begin, nullptr), "cudaEventRecord");
        for (int k = 0; k < kLaunches; ++k) {
            batch.launch();
        }
        check(cudaEventRecord(end, nullptr), "cudaEventRecord");
        check(cudaEventSynchronize(end), "cudaEventSynchronize");
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
        if (i >= kWarmUp) {
            times.push_back(milliseconds / kLaunches);
        }
    }
    check(cudaEventDestroy(begin), "cudaEventDestroy");
    check(cudaEventDestroy(end), "cudaEventDestroy");
    std::sort(times.begin(), times.end());
    return 1e-3 * static_cast<double>(times[times.size() / 2]);
}

/// Exit status 77 where there is no GPU, 1 where a result is wrong.
template <typename T>
int check_subject(const Subject& subject, int argc, char** argv) {
    constexpr long long kMostDistinct = 64;
    int devices = 0;
    const cudaError_t code = cudaGetDeviceCount(&devices);
    if (code != cudaSuccess || devices == 0) {
        std::printf("no GPU: %s\n",
                    code != cudaSuccess ? cudaGetErrorString(code) : "there is none");
        return kNoGpu;
    }
    char* end = nullptr;
    const long long problems = argc > 1 ? std::strtoll(argv[1], &end, 10) : subject.problems;
    if (argc > 2 || (end != nullptr && *end != 0) || problems < 1) {
        std::fprintf(stderr, "usage: %s [PROBLEMS]\n", argv[0]);
        return kWrongCall;
    }
    const auto distinct = static_cast<std::size_t>(std::min(problems, kMostDistinct));
    const Values values = draw_all<T>(subject, distinct);
    const Batch<T> batch(subject, subject.kernel, subject.results, values, problems);
    batch.launch();
    Check<T> held{subject, distinct, values, batch.status()};

    std::printf("%s, %lld problems\n", subject.function, problems);
    bool is_right = true;
    // The value, which is the first, comes last: gradients tell the condition of the problems.
    for (std::size_t i = subject.results.size(); i-- > 0;) {
        const Result& r = subject.results[i];
        const std::vector<T> found = batch.result(i);
        const Verdict verdict = r.variable < 0 ? held.of_value(found) : held.of_gradient(r, found);
        is_right = verdict.print(r.name) && is_right;
        const long long others = other_bits(found, count_of(r.rows, r.cols), distinct);
        if (others > 0) {
            std::printf("%-16s %lld entries differ between problems of the same data\n", r.name,
                        others);
            is_right = false;
        }
    }
    const double seconds = seconds_of(batch);
    const double bytes =
        static_cast<double>(problems) * subject.problem_bytes + subject.shared_bytes;
    std::printf("%-16s %.4g us, %.4g GB/s of inputs and results\n", "time", 1e6 * seconds,
                1e-9 * bytes / seconds);
    std::printf("%s\n", is_right ? "passed" : "FAILED");
    return is_right ? kPassed : kFailed;
}

}  // namespace standalone
