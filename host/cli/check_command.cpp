#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "api/check.hpp"
#include "cli/command.hpp"
#include "cli/question.hpp"
#include "cli/result_check.hpp"
#include "matgrad/plan.hpp"
#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

using Dims = std::map<std::string, std::int64_t>;

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kDefaultSizes[] = {9, 7, 5, 4, 3, 2};

/// How the problems are drawn.
struct Draw {
    Dims dims;
    /// For functions such as log and sqrt, whose domain normal data would leave.
    bool positive_entries = false;
    /// For functions such as log(b - A*x), where positive data alone does not help.
    bool small_variables = false;
};

std::vector<std::string> dimension_names(const std::vector<Declaration>& symbols) {
    std::vector<std::string> names;
    for (const Declaration& symbol : symbols) {
        for (const Dim& dim : {symbol.shape.rows, symbol.shape.cols}) {
            if (!dim.name.empty() && std::count(names.begin(), names.end(), dim.name) == 0) {
                names.push_back(dim.name);
            }
        }
    }
    return names;
}

/// Sizes for all names: the given ones, and falling (or rising) ones for the others.
Dims fill_dims(const Dims& given, const std::vector<std::string>& names, bool rising) {
    Dims dims;
    const std::size_t count = std::size(kDefaultSizes);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::size_t place = rising ? names.size() - 1 - i : i;
        const auto at = given.find(names[i]);
        dims[names[i]] = at != given.end() ? at->second : kDefaultSizes[std::min(place, count - 1)];
    }
    return dims;
}

void check_dims_known(const Dims& given, const std::vector<std::string>& names) {
    for (const auto& [name, size] : given) {
        if (std::count(names.begin(), names.end(), name) == 0) {
            throw NameError(fmt::format("--dims: no dimension is named {}, expected one of {}",
                                        name, fmt::join(names, ", ")));
        }
    }
}

/// One problem, its entries rounded to the type of the data.
MatrixMap draw_problem(const Question& question, const Draw& draw, ScalarType type,
                       std::uint64_t seed) {
    constexpr double kSmall = 0.01;
    MatrixMap values = random_values(question.symbols, draw.dims, seed);
    for (const Declaration& symbol : question.symbols) {
        Eigen::MatrixXd& value = values.find(symbol.name)->second;
        if (draw.positive_entries && symbol.structure == Structure::general) {
            value = value.cwiseAbs().array() + 0.5;
        }
        const bool is_variable =
            std::count(question.wrt.begin(), question.wrt.end(), symbol.name) != 0;
        if (draw.small_variables && is_variable && symbol.structure == Structure::general) {
            value *= kSmall;
        }
        if (type == ScalarType::float32) {
            value = value.cast<float>().cast<double>().eval();
        }
    }
    return values;
}

/// How much of the digits a problem of this draw leaves: its bound relative to its value.
double difficulty(const Question& question, const Draw& draw) {
    const DifferentialCheck check(question.f, ScalarType::float64, Accuracy::robust);
    const MatrixMap values = draw_problem(question, draw, ScalarType::float64, kSeed);
    const double value = evaluate_reference(question.f, values, draw.dims)(0, 0);
    const double bound = check.value(values, value).bound / (1 + std::abs(value));
    return std::isfinite(value) && std::isfinite(bound) ? bound
                                                        : std::numeric_limits<double>::infinity();
}

/// Falling sizes make X'*X invertible, rising ones X*X'; what suits the function is tried.
Draw choose_draw(const Question& question, const Dims& given) {
    constexpr double kGood = 1e-9;
    const std::vector<std::string> names = dimension_names(question.symbols);
    check_dims_known(given, names);
    Draw best;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [positive, small] : {std::pair(false, false), {true, false}, {true, true}}) {
        for (const bool rising : {false, true}) {
            const Draw draw{fill_dims(given, names, rising), positive, small};
            const double found = difficulty(question, draw);
            if (found < kGood) {
                return draw;
            }
            if (found < least) {
                best = draw;
                least = found;
            }
        }
    }
    if (!std::isfinite(least)) {
        throw CallerError(
            fmt::format("{} has no finite value at random data of these sizes: expected a function "
                        "that has one (eval --check takes data of your own)",
                        question.text));
    }
    return best;
}

template <typename T>
void store(const Eigen::MatrixXd& from, T* to) {
    for (Eigen::Index i = 0; i < from.rows(); ++i) {
        for (Eigen::Index j = 0; j < from.cols(); ++j) {
            *to++ = static_cast<T>(from(i, j));
        }
    }
}

template <typename T>
Eigen::MatrixXd load(const T* from, std::int64_t rows, std::int64_t cols) {
    return Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
               from, rows, cols)
        .template cast<double>();
}

/// Runs the batch in one type and compares every problem that succeeded. True if all is well.
template <typename T>
bool check_type(const Question& question, const Draw& draw, const CheckArguments& arguments) {
    const std::int64_t batch = arguments.batch;
    PlanOptions options;
    options.device = arguments.device.device;
    options.device_memory = arguments.device.memory;
    options.tf32 = arguments.device.tf32;
    options.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
    options.convention = arguments.question.convention;
    options.wrt = question.wrt;
    std::vector<MatrixMap> problems;
    for (std::int64_t k = 0; k < batch; ++k) {
        problems.push_back(
            draw_problem(question, draw, options.type, kSeed + static_cast<std::uint64_t>(k)));
    }
    std::vector<Operand> operands;
    std::vector<std::vector<T>> data;
    std::vector<ConstBatch> views;
    for (const Declaration& symbol : question.symbols) {
        const Eigen::MatrixXd& first = problems[0].find(symbol.name)->second;
        operands.push_back({symbol.name, first.rows(), first.cols(), true});
        data.emplace_back(static_cast<std::size_t>(first.size() * batch));
        T* to = data.back().data();
        for (const MatrixMap& problem : problems) {
            store(problem.find(symbol.name)->second, to);
            to += first.size();
        }
        views.push_back(ConstBatch::contiguous(data.back().data(), first.rows(), first.cols()));
    }
    const Plan plan = make_plan(question.f, operands, batch, options);
    std::vector<std::vector<T>> results;
    std::vector<Batch> targets;
    for (const OutputInfo& output : plan.outputs()) {
        const std::int64_t count = output.rows * output.cols * (output.batched ? batch : 1);
        results.emplace_back(static_cast<std::size_t>(count));
        targets.push_back(Batch::contiguous(results.back().data(), output.rows, output.cols));
    }
    std::vector<std::int32_t> status(static_cast<std::size_t>(batch));
    const RunSummary summary = plan.run(batch, views, targets, status);

    options.device = plan.device();
    ResultCheck check(question.f, options, plan.outputs());
    for (std::int64_t k = 0; k < batch; ++k) {
        if (status[static_cast<std::size_t>(k)] != 0) {
            continue;
        }
        std::vector<Eigen::MatrixXd> found;
        for (std::size_t i = 0; i < results.size(); ++i) {
            const OutputInfo& output = plan.outputs()[i];
            const std::int64_t first = output.batched ? k * output.rows * output.cols : 0;
            found.push_back(load(results[i].data() + first, output.rows, output.cols));
        }
        check.add(k, problems[static_cast<std::size_t>(k)], found);
    }
    const char* type = sizeof(T) == 4 ? "float32" : "float64";
    const std::string place =
        options.device.kind == DeviceKind::cpu ? "" : " on " + to_text(options.device);
    fmt::print("{}{}  {}\n", type, place, check.text());
    if (summary.failed > 0) {
        fmt::print(stderr, "matgrad: {} of {} problems failed in {}\n", summary.failed,
                   summary.problems, type);
    }
    return check.passed() && summary.failed == 0;
}

}  // namespace

int check_command(const CheckArguments& arguments) {
    const Question question = resolve_question(arguments.question, true);
    const Draw draw = choose_draw(question, arguments.dims);
    std::string sizes;
    for (const auto& [name, size] : draw.dims) {
        sizes += fmt::format("{}{}={}", sizes.empty() ? "" : ", ", name, size);
    }
    fmt::print("{}  wrt {}{}{}{}{}\n", question.text, fmt::join(question.wrt, ", "),
               sizes.empty() ? "" : ", ", sizes, draw.positive_entries ? ", entries positive" : "",
               draw.small_variables ? ", variables small" : "");
    const bool in_double = check_type<double>(question, draw, arguments);
    const bool in_float = check_type<float>(question, draw, arguments);
    return in_double && in_float ? kSuccess : kSomeFailed;
}

}  // namespace matgrad
