#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "check/differential_check.hpp"
#include "cli/command.hpp"
#include "cli/own_matrices.hpp"
#include "cli/question.hpp"
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

PlanOptions options_of(const Question& question, const CheckArguments& arguments, ScalarType type) {
    PlanOptions options;
    options.device = arguments.device.device;
    options.device_memory = arguments.device.memory;
    options.tf32 = arguments.device.tf32;
    options.type = type;
    options.expected_batch = arguments.batch;
    options.convention = arguments.question.convention;
    options.wrt = question.wrt;
    return options;
}

/// The operands of a batch of random problems.
struct Problems {
    std::vector<Operand> operands;
    std::vector<OwnMatrices> matrices;
    std::vector<OperandView> views;
};

Problems draw_problems(const Question& question, const Draw& draw, ScalarType type,
                       std::int64_t batch) {
    Problems problems;
    for (std::int64_t k = 0; k < batch; ++k) {
        const MatrixMap values =
            draw_problem(question, draw, type, kSeed + static_cast<std::uint64_t>(k));
        for (std::size_t i = 0; i < question.symbols.size(); ++i) {
            const std::string& name = question.symbols[i].name;
            const Eigen::MatrixXd& value = values.find(name)->second;
            if (k == 0) {
                problems.operands.push_back({name, value.rows(), value.cols(), true});
                problems.matrices.emplace_back(type, value.rows(), value.cols(), batch);
            }
            problems.matrices[i].store(k, value);
        }
    }
    for (const OwnMatrices& matrices : problems.matrices) {
        problems.views.emplace_back(matrices.view().batched(batch));
    }
    return problems;
}

/// Runs the batch in one type and compares every problem that succeeded. True if all is well.
bool check_type(const Question& question, const Draw& draw, const CheckArguments& arguments,
                ScalarType type) {
    const std::int64_t batch = arguments.batch;
    const Problems problems = draw_problems(question, draw, type, batch);
    const Plan plan =
        make_plan(question.f, problems.operands, options_of(question, arguments, type));
    OwnResults results(plan, type, batch);
    const RunSummary summary = plan.run(problems.views, results.views(), results.status());

    std::vector<std::int64_t> all(static_cast<std::size_t>(batch));
    std::iota(all.begin(), all.end(), 0);
    const CheckReport report = plan.check(problems.views, results.views(), results.status(), all);
    const char* name = type == ScalarType::float32 ? "float32" : "float64";
    const std::string place =
        plan.device().kind == DeviceKind::cpu ? "" : " on " + to_text(plan.device());
    fmt::print("{}{}  {}\n", name, place, report.text());
    if (summary.failed > 0) {
        fmt::print(stderr, "matgrad: {} of {} problems failed in {}\n", summary.failed,
                   summary.problems, name);
    }
    return report.passed() && summary.failed == 0;
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
    const bool in_double = check_type(question, draw, arguments, ScalarType::float64);
    const bool in_float = check_type(question, draw, arguments, ScalarType::float32);
    return in_double && in_float ? kSuccess : kSomeFailed;
}

}  // namespace matgrad
