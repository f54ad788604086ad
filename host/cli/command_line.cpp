#include "cli/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>
#include <string_view>

#include "cli/commands.hpp"

namespace matgrad {
namespace {

std::int64_t parse_integer(const std::string& option, std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        throw CallerError(
            fmt::format("{}: found '{}', expected a whole number within 64 bits", option, text));
    }
    return value;
}

std::int64_t parse_integer(const std::string& option, std::string_view text, std::int64_t least,
                           std::int64_t most) {
    const std::int64_t value = parse_integer(option, text);
    if (value < least || value > most) {
        throw CallerError(
            fmt::format("{}: found {}, expected {} to {}", option, value, least, most));
    }
    return value;
}

double parse_seconds(const std::string& option, const std::string& text) {
    constexpr double kMost = 3600;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() ||
        !(value > 0 && value <= kMost)) {
        throw CallerError(
            fmt::format("{}: found '{}', expected seconds, up to {}", option, text, kMost));
    }
    return value;
}

/// One of a few words.
template <typename T>
T parse_choice(const std::string& option, const std::string& word,
               std::initializer_list<std::pair<const char*, T>> choices) {
    std::string known;
    for (const auto& [name, value] : choices) {
        if (word == name) {
            return value;
        }
        known += (known.empty() ? "" : ", ") + std::string(name);
    }
    throw CallerError(fmt::format("{}: found '{}', expected one of {}", option, word, known));
}

Entry parse_entry(const std::string& text) {
    const std::size_t comma = text.find(',');
    if (comma == std::string::npos) {
        throw CallerError(
            fmt::format("--entry: found '{}', expected i,j (row and column from 0)", text));
    }
    const std::string_view all = text;
    return {parse_integer("--entry", all.substr(0, comma)),
            parse_integer("--entry", all.substr(comma + 1))};
}

/// Bytes: a number with an optional K, M or G (powers of 1024).
std::int64_t parse_memory(const std::string& option, const std::string& text) {
    int shift = 0;
    std::string_view digits = text;
    if (!digits.empty()) {
        const std::size_t unit = std::string_view("KMG").find(digits.back());
        if (unit != std::string_view::npos) {
            shift = 10 * (static_cast<int>(unit) + 1);
            digits.remove_suffix(1);
        }
    }
    return parse_integer(option, digits, 1, std::int64_t{1} << 30) << shift;
}

/// `m=64,n=16`.
std::map<std::string, std::int64_t> parse_dims(const std::string& text) {
    std::map<std::string, std::int64_t> dims;
    std::size_t first = 0;
    while (first <= text.size() && !text.empty()) {
        const std::size_t last = std::min(text.find(',', first), text.size());
        const std::string part = text.substr(first, last - first);
        const std::size_t equals = part.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw CallerError(
                fmt::format("--dims: found '{}', expected NAME=SIZE,... such as m=64,n=16", part));
        }
        const std::string name = part.substr(0, equals);
        if (!dims.emplace(name, parse_integer("--dims", part.substr(equals + 1), 0, 1 << 20))
                 .second) {
            throw CallerError(fmt::format("--dims: {} is given twice", name));
        }
        first = last + 1;
    }
    return dims;
}

Device parse_device(const std::string& text) {
    try {
        return device_from_text(text);
    } catch (const OperandError& error) {
        throw CallerError(fmt::format("--{}", error.what()));
    }
}

GpuExecutor parse_executor(const std::string& text) {
    return parse_choice<GpuExecutor>("--executor", text,
                                     {{"auto", GpuExecutor::automatic},
                                      {"library", GpuExecutor::library},
                                      {"fused", GpuExecutor::fused}});
}

Accuracy parse_accuracy(const std::string& text) {
    return parse_choice<Accuracy>("--accuracy", text,
                                  {{"robust", Accuracy::robust}, {"fast", Accuracy::fast}});
}

ScalarType parse_type(const std::string& text) {
    return parse_choice<ScalarType>(
        "--type", text, {{"float32", ScalarType::float32}, {"float64", ScalarType::float64}});
}

/// The options of one command over strings; what they mean is read afterwards, so that every
/// message is ours.
class Options {
public:
    explicit Options(std::string command) : command_(std::move(command)), app_("", command_) {
        app_.set_help_flag();
    }
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    void flag(const char* name, bool& target) { add(app_.add_flag(name, target)); }
    /// `--name` or `--name=word`; `--name{word}` says which word stands for the first.
    void flag(const char* name, std::string& target) { add(app_.add_flag(name, target)); }
    void text(const char* name, std::optional<std::string>& target) {
        add(app_.add_option(name, target)->expected(1));
    }
    void text(const char* name, std::string& target) {
        add(app_.add_option(name, target)->expected(1));
    }
    /// Takes one value and repeats.
    void list(const char* name, std::vector<std::string>& target) {
        add(app_.add_option(name, target)->expected(1)->allow_extra_args(false)->take_all());
    }
    void words(std::vector<std::string>& target) { app_.add_option("OPERANDS", target); }
    void question(QuestionArguments& target) {
        list("--wrt", target.wrt);
        list("--declare", target.declare);
        text("--convention", convention_);
    }

    void device() {
        text("--device", device_);
        text("--device-memory", device_memory_);
        text("--executor", executor_);
        flag("--tf32", tf32_);
    }

    /// Takes the expression from the front and the options from the rest.
    void parse(const std::vector<std::string>& words, QuestionArguments& question) {
        if (words.empty()) {
            throw CallerError(
                fmt::format("{}: the expression is missing, expected matgrad {} EXPR --wrt X",
                            command_, command_));
        }
        if (words[0].rfind("--", 0) == 0 && app_.get_option_no_throw(words[0]) != nullptr) {
            throw CallerError(
                fmt::format("{}: found {} first, expected the expression: matgrad {} EXPR --wrt X",
                            command_, words[0], command_));
        }
        question.expression = words[0];
        parse({words.begin() + 1, words.end()});
        question.convention = parse_choice<Convention>(
            "--convention", convention_,
            {{"projected", Convention::projected}, {"free-entries", Convention::free_entries}});
    }

    /// Takes options alone.
    void parse(const std::vector<std::string>& words) {
        check_rows();
        try {
            app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // from the end
        } catch (const CLI::ParseError& error) {
            std::string message = error.what();
            std::replace(message.begin(), message.end(), '\n', ' ');
            throw CallerError(
                fmt::format("{}: {} (see matgrad {} --help)", command_, message, command_));
        }
    }

    /// What was read by parse for device().
    [[nodiscard]] DeviceArguments device_arguments() const {
        DeviceArguments result{parse_device(device_), 0, tf32_, parse_executor(executor_)};
        if (result.executor != GpuExecutor::automatic) {
            if (result.device.kind == DeviceKind::cpu) {
                throw CallerError(
                    fmt::format("--executor {}: needs a GPU, found --device cpu", executor_));
            }
            result.device.kind = DeviceKind::cuda;  // which auto might not have chosen
        }
        if (device_memory_) {
            result.memory =
                static_cast<std::size_t>(parse_memory("--device-memory", *device_memory_));
        }
        return result;
    }

private:
    void add(const CLI::Option* option) { names_.insert(option->get_name()); }

    /// What is parsed is what `--help`, the manual and a shell know of.
    void check_rows() const {
        std::set<std::string> rows;
        for (const OptionRow& row : find_command(command_)->options) {
            rows.emplace(row.name);
        }
        if (rows != names_) {
            throw std::logic_error(fmt::format("{}: the parser has {}; the rows have {}", command_,
                                               fmt::join(names_, " "), fmt::join(rows, " ")));
        }
    }

    std::string command_;
    CLI::App app_;
    std::set<std::string> names_;
    std::string convention_ = "projected";
    std::string device_ = "auto", executor_ = "auto";
    std::optional<std::string> device_memory_;
    bool tf32_ = false;
};

}  // namespace

DeriveArguments parse_derive(const std::vector<std::string>& words) {
    DeriveArguments result;
    std::string format = "text";
    Options options("derive");
    options.question(result.question);
    options.text("--format", format);
    options.flag("--steps", result.steps);
    bool names = false, no_names = false;
    options.flag("--names", names);
    options.flag("--no-names", no_names);
    options.parse(words, result.question);
    if (names && no_names) {
        throw CallerError("derive: found --names and --no-names, expected one of them");
    }
    result.names = names ? PartNames::always : no_names ? PartNames::never : PartNames::automatic;
    result.format = parse_choice<DerivationFormat>("--format", format,
                                                   {{"text", DerivationFormat::text},
                                                    {"latex", DerivationFormat::latex},
                                                    {"numpy", DerivationFormat::numpy},
                                                    {"json", DerivationFormat::json}});
    return result;
}

EvalArguments parse_eval(const std::vector<std::string>& words) {
    EvalArguments result;
    std::optional<std::string> entry, memory, threads;
    std::string reduce = "none", accuracy = "robust", explain;
    std::optional<std::string> type;
    Options options("eval");
    options.question(result.question);
    options.words(result.operands);
    options.list("--grad", result.gradients);
    options.text("--value", result.value);
    options.text("--hvp", result.hvp);
    options.text("--hvp-out", result.hvp_out);
    options.text("--status", result.status);
    options.text("--rcond", result.rcond);
    options.text("--error", result.error);
    options.flag("--jitter", result.jitter);
    options.text("--entry", entry);
    options.text("--reduce", reduce);
    options.text("--accuracy", accuracy);
    options.text("--type", type);
    options.text("--threads", threads);
    options.device();
    options.text("--memory", memory);
    options.flag("--check", result.check);
    options.flag("--verify", result.verify);
    options.flag("--explain{plan}", explain);
    options.parse(words, result.question);

    result.reduction = parse_choice<Reduction>(
        "--reduce", reduce,
        {{"none", Reduction::none}, {"sum", Reduction::sum}, {"mean", Reduction::mean}});
    result.explain = !explain.empty();
    result.explain_passes =
        result.explain &&
        parse_choice<bool>("--explain", explain, {{"plan", false}, {"passes", true}});
    result.accuracy = parse_accuracy(accuracy);
    result.device = options.device_arguments();
    if (type) {
        result.type = parse_type(*type);
    }
    if (entry) {
        result.entry = parse_entry(*entry);
    }
    if (memory) {
        result.memory = parse_memory("--memory", *memory);
    }
    if (threads) {
        result.threads = static_cast<int>(parse_integer("--threads", *threads, 1, 4096));
    }
    return result;
}

BenchArguments parse_bench(const std::vector<std::string>& words) {
    BenchArguments result;
    result.words = words;
    std::string device = "auto";
    std::optional<std::string> seconds, budget, threads;
    Options options("bench");
    options.text("--suite", result.suite);
    options.text("--device", device);
    options.text("--filter", result.filter);
    options.text("--json", result.json);
    options.text("--csv", result.csv);
    options.text("--differentials", result.differentials);
    options.text("--seconds", seconds);
    options.text("--budget", budget);
    options.text("--threads", threads);
    options.parse(words);
    result.device = parse_device(device);
    if (budget) {
        result.budget = parse_seconds("--budget", *budget);
    }
    if (seconds) {
        result.seconds = parse_seconds("--seconds", *seconds);
    }
    if (threads) {
        result.threads = static_cast<int>(parse_integer("--threads", *threads, 1, 4096));
    }
    return result;
}

CheckArguments parse_check(const std::vector<std::string>& words) {
    CheckArguments result;
    std::string dims;
    std::optional<std::string> batch;
    Options options("check");
    options.question(result.question);
    options.text("--dims", dims);
    options.text("--batch", batch);
    options.device();
    options.parse(words, result.question);
    result.device = options.device_arguments();
    result.dims = parse_dims(dims);
    if (batch) {
        result.batch = parse_integer("--batch", *batch, 1, 1 << 20);
    }
    return result;
}

KernelArguments parse_kernel(const std::vector<std::string>& words) {
    KernelArguments result;
    std::string dims, accuracy = "robust", type = "float64", architecture = "sm_90";
    std::optional<std::string> batch;
    Options options("kernel");
    options.question(result.question);
    options.text("--dims", dims);
    options.text("--batch", batch);
    options.list("--shared", result.shared);
    options.text("--type", type);
    options.text("--accuracy", accuracy);
    options.text("--arch", architecture);
    options.text("--standalone", result.standalone);
    options.parse(words, result.question);
    result.dims = parse_dims(dims);
    result.type = parse_type(type);
    result.accuracy = parse_accuracy(accuracy);
    result.architecture =
        parse_choice<int>("--arch", architecture, {{"sm_80", 80}, {"sm_90", 90}, {"sm_100", 100}});
    if (batch) {
        result.batch = parse_integer("--batch", *batch, 1, std::int64_t{1} << 40);
    }
    return result;
}

}  // namespace matgrad
