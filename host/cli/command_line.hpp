#pragma once
/// \file Parses command lines into plain data.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench_command.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

/// The words that say which function is meant, as they were typed.
struct QuestionArguments {
    std::string expression;  ///< or `@name`
    std::vector<std::string> wrt;
    std::vector<std::string> declare;
    Convention convention = Convention::projected;
};

enum class DerivationFormat { text, latex, numpy, json };

struct DeriveArguments {
    QuestionArguments question;
    DerivationFormat format = DerivationFormat::text;
    bool steps = false;
    PartNames names = PartNames::automatic;
};

/// Where it is computed.
struct DeviceArguments {
    Device device{DeviceKind::automatic, 0};
    std::size_t memory = 0;  ///< bytes to take on each GPU; 0: what is free
    bool tf32 = false;
    GpuExecutor executor = GpuExecutor::automatic;
};

struct EvalArguments {
    QuestionArguments question;
    std::vector<std::string> operands;   ///< `X=X.npy`, `t=0.5`
    std::vector<std::string> gradients;  ///< `G.npy` or `X=G.npy`
    std::optional<std::string> value;
    std::optional<std::string> hvp;  ///< `V=V.npy`
    std::optional<std::string> hvp_out;
    std::optional<std::string> status, rcond, error;
    bool jitter = false;
    std::optional<Entry> entry;
    Reduction reduction = Reduction::none;
    Accuracy accuracy = Accuracy::robust;
    std::optional<ScalarType> type;
    int threads = 0;
    std::int64_t memory = std::int64_t{256} << 20;  ///< bytes for the problems in flight
    DeviceArguments device;
    bool check = false;
    bool verify = false;
    bool explain = false;
    bool explain_passes = false;
};

struct CheckArguments {
    QuestionArguments question;
    std::map<std::string, std::int64_t> dims;
    std::int64_t batch = 16;
    DeviceArguments device;
};

struct KernelArguments {
    QuestionArguments question;
    std::map<std::string, std::int64_t> dims;
    std::vector<std::string> shared;  ///< operands that all problems have in common
    std::int64_t batch = 10000;
    ScalarType type = ScalarType::float64;
    Accuracy accuracy = Accuracy::robust;
    int architecture = 90;                  ///< for sm_90
    std::optional<std::string> standalone;  ///< the path of a file to write
};

/// The words after `derive`, `eval`, `check` or `kernel`. The first is the expression, even if it begins with
/// `-`. `--help` must have been dealt with.
/// Errors   CallerError that names the option, what was found and what was expected.
[[nodiscard]] DeriveArguments parse_derive(const std::vector<std::string>& words);
[[nodiscard]] EvalArguments parse_eval(const std::vector<std::string>& words);
[[nodiscard]] CheckArguments parse_check(const std::vector<std::string>& words);
[[nodiscard]] KernelArguments parse_kernel(const std::vector<std::string>& words);
/// The same for `bench`, which has options alone.
[[nodiscard]] BenchArguments parse_bench(const std::vector<std::string>& words);

}  // namespace matgrad
