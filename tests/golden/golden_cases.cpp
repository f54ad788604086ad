#include "golden/golden_cases.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <stdexcept>

#include "api/plan_making.hpp"
#include "matgrad/catalogue.hpp"
#include "support/cookbook.hpp"

namespace matgrad::golden {
namespace {

using Sizes = std::map<std::string, std::int64_t>;

/// What a case is made of, and what is asked of it.
struct Recipe {
    std::string group, name;
    std::string text;
    std::vector<std::string> wrt;
    std::vector<Declaration> declarations;
    Sizes sizes;
    std::set<std::string> shared;
    ScalarType type = ScalarType::float64;
    Reduction reduction = Reduction::none;
    std::int64_t batch = 1000;
};

Case make_case(const Recipe& recipe) {
    std::vector<Operand> operands;
    for (const Declaration& d : recipe.declarations) {
        const auto size = [&](const Dim& dim) {
            return dim.name.empty() ? dim.size : recipe.sizes.at(dim.name);
        };
        operands.push_back(
            {d.name, size(d.shape.rows), size(d.shape.cols), recipe.shared.count(d.name) == 0});
    }
    PlanOptions options;
    options.wrt = recipe.wrt;
    options.type = recipe.type;
    options.reduction = recipe.reduction;
    options.expected_batch = recipe.batch;
    return {recipe.group, recipe.name,
            make_program(
                detail::make_request(parse(recipe.text, recipe.declarations), operands, options))};
}

struct NamedSizes {
    const char* name;
    Sizes sizes;
};

const NamedSizes kThreeSizes[] = {
    {"4x3", {{"m", 4}, {"n", 3}, {"p", 2}}},
    {"64x16", {{"m", 64}, {"n", 16}, {"p", 24}}},
    {"600x400", {{"m", 600}, {"n", 400}, {"p", 500}}},
};
const Sizes kCatalogueSizes = {{"m", 40}, {"n", 12}, {"p", 7}, {"k", 10}};
const Sizes kCookbookSizes = {{"m", 9}, {"n", 6}, {"p", 5}, {"q", 4}};
/// Of which most matrices do not fit into the memory that regions are made for.
const Sizes kLongSizes = {{"m", 1024}, {"n", 12}, {"p", 200}, {"q", 6}, {"k", 10}};

Recipe recipe_of(const CatalogueEntry& entry) {
    Recipe recipe;
    recipe.group = "catalogue";
    recipe.name = entry.name;
    recipe.text = entry.text;
    recipe.wrt = {std::string(entry.wrt)};
    recipe.declarations = parse_declarations(std::string(entry.declarations));
    recipe.sizes = kCatalogueSizes;
    return recipe;
}

/// Of which no problem fits a block's memory whole in double, and few do in float.
const Sizes kTallSizes = {{"m", 2000}, {"n", 16}, {"p", 24}};

void add_four_functions(std::vector<Case>& cases) {
    for (const char* name : {"frobenius", "least_squares", "bilinear_trace", "log_det_gram"}) {
        for (const auto& [size, sizes] : kThreeSizes) {
            for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
                Recipe recipe = recipe_of(*find_in_catalogue(name));
                recipe.group = "four_functions";
                recipe.sizes = sizes;
                recipe.type = type;
                const char* const bits = type == ScalarType::float32 ? "float" : "double";
                recipe.name = fmt::format("{} {} {}", name, size, bits);
                cases.push_back(make_case(recipe));
                if (recipe.declarations.size() > 1) {
                    recipe.name += ", A shared";
                    recipe.shared = {"A"};
                    cases.push_back(make_case(recipe));
                }
            }
        }
    }
}

/// One of the catalogue for each kind of step and fusion; texts of all of them would be three times as long.
constexpr const char* kOfTheCatalogue[] = {"frobenius",
                                           "least_squares",
                                           "bilinear_trace",
                                           "log_det_gram",
                                           "weighted_least_squares",
                                           "ridge",
                                           "matrix_least_squares",
                                           "logistic",
                                           "softmax_cross_entropy",
                                           "poisson",
                                           "gaussian_nll",
                                           "graphical_ridge",
                                           "quadratic_form",
                                           "quadratic",
                                           "mahalanobis",
                                           "rayleigh_quotient",
                                           "a_optimality",
                                           "matrix_factorization",
                                           "procrustes",
                                           "log_sum_exp",
                                           "log_barrier",
                                           "smooth_l1",
                                           "perceptron_layer",
                                           "multinomial_logistic",
                                           "gaussian_process",
                                           "group_lasso",
                                           "attention"};

/// As a function of one problem, and as the loss of a batch: the variable shared, the sum asked for.
void add_catalogue(std::vector<Case>& cases) {
    for (const char* name : kOfTheCatalogue) {
        Recipe recipe = recipe_of(*find_in_catalogue(name));
        cases.push_back(make_case(recipe));
        recipe.name += ", summed over the batch";
        recipe.shared = {recipe.wrt.front()};
        recipe.type = ScalarType::float32;
        recipe.reduction = Reduction::sum;
        cases.push_back(make_case(recipe));
    }
}

Recipe recipe_of(const CookbookRow& row) {
    Recipe recipe;
    recipe.group = "cookbook";
    recipe.name = fmt::format("{}: {} wrt {}", row.equation, row.f, row.wrt);
    recipe.text = row.f;
    recipe.wrt = {row.wrt};
    recipe.declarations = row.declarations;
    recipe.sizes = kCookbookSizes;
    recipe.type = ScalarType::float32;
    return recipe;
}

void add_cookbook(std::vector<Case>& cases) {
    for (const CookbookRow& row : read_cookbook()) {
        cases.push_back(make_case(recipe_of(row)));
    }
}

}  // namespace

std::vector<Case> make_cases() {
    std::vector<Case> cases;
    add_four_functions(cases);
    add_catalogue(cases);
    add_cookbook(cases);
    return cases;
}

std::vector<Case> make_tall_cases() {
    std::vector<Case> cases;
    for (const char* name : {"frobenius", "least_squares", "bilinear_trace", "log_det_gram"}) {
        for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
            Recipe recipe = recipe_of(*find_in_catalogue(name));
            recipe.group = "panels";
            recipe.sizes = kTallSizes;
            recipe.type = type;
            recipe.name = fmt::format("{} 2000x16 {}", name,
                                      type == ScalarType::float32 ? "float" : "double");
            cases.push_back(make_case(recipe));
        }
    }
    return cases;
}

std::vector<Case> make_long_cases() {
    std::vector<Case> cases;
    const auto add = [&cases](Recipe recipe) {
        recipe.group = "regions";
        recipe.sizes = kLongSizes;
        recipe.type = ScalarType::float32;
        cases.push_back(make_case(recipe));
    };
    for (const char* name : kOfTheCatalogue) {
        add(recipe_of(*find_in_catalogue(name)));
    }
    for (const CookbookRow& row : read_cookbook()) {
        add(recipe_of(row));
    }
    return cases;
}

}  // namespace matgrad::golden
