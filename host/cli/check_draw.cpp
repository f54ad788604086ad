#include "cli/check_draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "check/differential_check.hpp"
#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kDefaultSizes[] = {9, 7, 5, 4, 3, 2};

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

/// One problem, its entries rounded to the type of the data.
MatrixMap draw_problem(const Question& question, const Draw& draw, ScalarType type,
                       std::uint64_t seed) {
    constexpr double kSmall = 0.01;
    MatrixMap values = random_values(question.symbols, draw.dims, seed);
    for (const Declaration& symbol : question.symbols) {
        Eigen::MatrixXd& value = values.find(symbol.name)->second;
        const bool is_free =
            symbol.structure == Structure::general || symbol.structure == Structure::symmetric;
        if (draw.positive_entries && is_free) {
            value = value.cwiseAbs().array() + 0.5;
        }
        const bool is_variable =
            std::count(question.wrt.begin(), question.wrt.end(), symbol.name) != 0;
        if (draw.small_variables && is_variable && is_free) {
            value *= kSmall;
        }
        if (type == ScalarType::float32) {
            value = value.cast<float>().cast<double>().eval();
        }
    }
    return values;
}

/// Bounds relative to value and gradient: what is looked for, and what still tells a right result from
/// a wrong one.
struct Digits {
    double good;
    double enough;
};

Digits digits_of(ScalarType type) {
    return type == ScalarType::float32 ? Digits{1e-3, 5e-2} : Digits{1e-9, 1e-3};
}

DifferentialCheck check_of(const Question& question, ScalarType type) {
    return {question.f, type, Accuracy::robust};
}

/// The best of a few problems of this draw.
double difficulty(const Question& question, const Draw& draw, const DifferentialCheck& check) {
    constexpr std::uint64_t kTries = 4;
    double least = std::numeric_limits<double>::infinity();
    for (std::uint64_t k = 0; k < kTries && !(least < digits_of(ScalarType::float64).good); ++k) {
        const MatrixMap values = draw_problem(question, draw, ScalarType::float64, kSeed + k);
        least = std::min(least, check.difficulty(question.wrt, values));
    }
    return least;
}

/// One that leaves digits, or nothing.
std::optional<MatrixMap> draw_good(const Question& question, const Draw& draw, ScalarType type,
                                   const DifferentialCheck& check, std::uint64_t seed,
                                   bool& drawn_again) {
    constexpr std::uint64_t kTries = 24;
    constexpr std::uint64_t kStride = 1 << 20;  // beyond any batch
    const Digits digits = digits_of(type);
    std::optional<MatrixMap> best;
    double least = digits.enough;
    for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
        MatrixMap values = draw_problem(question, draw, type, seed + attempt * kStride);
        const double found = check.difficulty(question.wrt, values);
        if (found < least) {
            best = std::move(values);
            least = found;
            drawn_again = attempt > 0;
        }
        if (least < digits.good) {
            break;
        }
    }
    return best;
}

}  // namespace

// Falling sizes make X'*X invertible, rising ones X*X'; what suits the function is tried.
Draw choose_draw(const Question& question, const Dims& given) {
    const Digits digits = digits_of(ScalarType::float64);
    const DifferentialCheck check = check_of(question, ScalarType::float64);
    const std::vector<std::string> names = dimension_names(question.symbols);
    check_dims_known(given, names);
    Draw best;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [positive, small] : {std::pair(false, false), {true, false}, {true, true}}) {
        for (const bool rising : {false, true}) {
            const Draw draw{fill_dims(given, names, rising), positive, small};
            const double found = difficulty(question, draw, check);
            if (found < digits.good) {
                return draw;
            }
            if (found < least) {
                best = draw;
                least = found;
            }
        }
    }
    if (!(least < digits.enough)) {
        throw CallerError(fmt::format(
            "{} has no value and gradient with digits to compare at random data of these sizes "
            "(singular, undefined or too large there): expected other --dims, or data of your own "
            "with eval --check",
            question.text));
    }
    return best;
}

DrawnProblems draw_problems(const Question& question, const Draw& draw, ScalarType type,
                            std::int64_t batch) {
    const DifferentialCheck check = check_of(question, type);
    DrawnProblems drawn;
    for (std::int64_t k = 0; k < batch; ++k) {
        bool again = false;
        std::optional<MatrixMap> values =
            draw_good(question, draw, type, check, kSeed + static_cast<std::uint64_t>(k), again);
        if (!values) {
            return {};
        }
        drawn.values.push_back(std::move(*values));
        drawn.drawn_again += again ? 1 : 0;
    }
    return drawn;
}

}  // namespace matgrad
