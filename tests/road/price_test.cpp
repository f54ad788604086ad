// What a value and its gradient cost together beside the dearer of the two, for every row of the catalogue and of the
// table of known gradients. The list: road_test --gtest_filter='Prices.*'

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "api/plan_making.hpp"
#include "matgrad/catalogue.hpp"
#include "planner/planner.hpp"
#include "program/cost.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

using Sizes = std::map<std::string, std::int64_t>;

const Sizes kSmall = {{"m", 8}, {"n", 4}, {"p", 6}, {"q", 5}, {"k", 5}};
const Sizes kMiddle = {{"m", 64}, {"n", 16}, {"p", 32}, {"q", 24}, {"k", 10}};

/// Beyond this a row is named below.
constexpr double kMostTogether = 1.15;

struct Row {
    std::string name;
    std::string f, wrt;
    std::vector<Declaration> declarations;
};

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const CatalogueEntry& entry : catalogue()) {
        rows.push_back({std::string(entry.name), std::string(entry.text), std::string(entry.wrt),
                        parse_declarations(std::string(entry.declarations))});
    }
    for (const CookbookRow& row : read_cookbook()) {
        rows.push_back(
            {fmt::format("{}: {}", row.equation, row.f), row.f, row.wrt, row.declarations});
    }
    return rows;
}

enum class Results { value, gradient, both };

/// Operations of one of many problems, of which all operands are its own.
double operations_of(const Row& row, const Sizes& sizes, Results results,
                     const PlanOptions& given) {
    std::vector<Operand> operands;
    for (const Declaration& d : row.declarations) {
        const auto size = [&](const Dim& dim) {
            return dim.name.empty() ? dim.size : sizes.at(dim.name);
        };
        operands.push_back(batched(d.name, size(d.shape.rows), size(d.shape.cols)));
    }
    PlanOptions options = given;
    options.value = results != Results::gradient;
    if (results != Results::value) {
        options.wrt = {row.wrt};
    }
    const Program program =
        make_program(detail::make_request(parse(row.f, row.declarations), operands, options));
    return total_operations(program) / static_cast<double>(program.batch);
}

/// Both results beside the dearer of them; a line of the list.
double ratio_of(const Row& row, const Sizes& sizes, const PlanOptions& options) {
    const double value = operations_of(row, sizes, Results::value, options);
    const double gradient = operations_of(row, sizes, Results::gradient, options);
    const double both = operations_of(row, sizes, Results::both, options);
    const double ratio = both / std::max(value, gradient);
    fmt::print("{:<55} {:>9.0f} {:>9.0f} {:>9.0f} {:>6.2f}\n", row.name, value, gradient, both,
               ratio);
    return ratio;
}

/// Rows that are dearer together, each for one of these reasons.
struct Exception {
    const char* start;  ///< of the row's name
    double ratio;       ///< its most
};

/// The gradient is a multiple of an operand, an outer product, or another function of each entry (digamma beside lgamma),
/// that no sum of the value has in it: one pass over the entries for each, and nothing in common.
constexpr Exception kNothingInCommon[] = {
    {"70: a'*X*b", 1.50},        {"71: a'*X'*b", 1.50},   {"72: a'*X*a", 1.51},
    {"106: tr(X^2)", 1.51},      {"115: tr(X'*X)", 1.51}, {"131: norm2(x)^2", 1.51},
    {"132: norm2(X)^2", 1.51},   {"dirichlet", 1.66},     {"kl_divergence", 1.67},
    {"negative_binomial", 1.30},
};

/// At small sizes: the value sums entries that the gradient has, once or twice, which only large products outweigh.
constexpr Exception kSumsOfTheValue[] = {
    {"weighted_least_squares", 1.18},
    {"ridge", 1.20},
    {"poisson", 1.18},
    {"gaussian_nll", 1.30},
    {"graphical_ridge", 1.44},
    {"quadratic_form", 1.17},
    {"81: x'*B*x", 1.17},
    {"96: x'*A*x+b'*x", 1.44},
    {"111: tr(X*B*X')", 1.24},
    {"112: tr(B*X'*X)", 1.24},
    {"113: tr(X'*X*B)", 1.24},
    {"kl_gaussians", 1.30},
    {"bradley_terry", 1.17},
    {"huber", 1.35},
    {"hinge", 1.16},
    {"elastic_net", 1.25},
    {"kernel_ridge", 1.25},
    {"nonnegative_factorization", 1.16},
    {"itakura_saito", 1.18},
    {"graph_smoothness", 1.38},
    {"mean_variance", 1.17},
    {"risk_parity", 1.17},
};

/// In `robust`: a sum of squares of a product loses digits as a trace.
constexpr Exception kSquaresOfProducts[] = {
    {"frobenius", 1.79},
    {"seed-1: 0.5*norm2(X*A')^2", 1.79},
};

double most_of(const Row& row, bool small, bool squares) {
    double most = kMostTogether;
    const auto allow = [&](std::span<const Exception> exceptions) {
        for (const Exception& e : exceptions) {
            most = row.name.rfind(e.start, 0) == 0 ? e.ratio : most;
        }
    };
    allow(kNothingInCommon);
    if (small) {
        allow(kSumsOfTheValue);
    }
    if (squares) {
        allow(kSquaresOfProducts);
    }
    return most;
}

void expect_prices(const PlanOptions& options) {
    for (const Sizes* sizes : {&kSmall, &kMiddle}) {
        const bool small = sizes == &kSmall;
        fmt::print("\n{:<55} {:>9} {:>9} {:>9}\n",
                   fmt::format("operations at m = {}, n = {}", sizes->at("m"), sizes->at("n")),
                   "value", "gradient", "both");
        for (const Row& row : all_rows()) {
            EXPECT_LE(ratio_of(row, *sizes, options),
                      most_of(row, small, options.accuracy == Accuracy::robust))
                << row.name;
        }
    }
}

TEST(Prices, OfValueAndGradientAreThatOfTheDearerInDouble) {
    expect_prices({});
}

TEST(Prices, OfValueAndGradientAreThatOfTheDearerInFloatFast) {
    PlanOptions options;
    options.type = ScalarType::float32;
    options.accuracy = Accuracy::fast;
    expect_prices(options);
}

TEST(Prices, EveryExceptionIsOfARowThatThereIs) {
    const std::vector<Row> rows = all_rows();
    const auto expect_rows = [&](std::span<const Exception> exceptions) {
        for (const Exception& e : exceptions) {
            EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
                return row.name.rfind(e.start, 0) == 0;
            })) << e.start;
        }
    };
    expect_rows(kNothingInCommon);
    expect_rows(kSumsOfTheValue);
    expect_rows(kSquaresOfProducts);
}

}  // namespace
}  // namespace matgrad
