// Every function of the catalogue is what it says it is.

#include "matgrad/catalogue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "check/differential_check.hpp"
#include "matgrad/calculus.hpp"
#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

std::vector<Declaration> declarations_of(const CatalogueEntry& entry) {
    std::vector<Declaration> result;
    std::istringstream words{std::string(entry.declarations)};
    for (std::string word; words >> word;) {
        result.push_back(parse_declaration(word));
    }
    return result;
}

class Catalogue : public ::testing::TestWithParam<CatalogueEntry> {};

TEST_P(Catalogue, EntryDeclaresEachOfItsSymbolsAndNoOther) {
    const std::vector<Declaration> declared = declarations_of(GetParam());
    const Expr f = parse(GetParam().text, declared);
    EXPECT_TRUE(f.shape().is_scalar());
    std::set<std::string> names;
    for (const Declaration& symbol : symbols(f)) {
        names.insert(symbol.name);
    }
    std::set<std::string> declared_names;
    for (const Declaration& declaration : declared) {
        declared_names.insert(declaration.name);
    }
    EXPECT_EQ(names, declared_names);
    EXPECT_EQ(names.count(std::string(GetParam().wrt)), 1u);
}

TEST_P(Catalogue, EntryHasDescriptionAndSource) {
    EXPECT_FALSE(GetParam().description.empty());
    EXPECT_FALSE(GetParam().source.empty());
    EXPECT_EQ(find_in_catalogue(GetParam().name)->text, GetParam().text);
}

TEST_P(Catalogue, EntryHasTheGradientThatTheReferenceFinds) {
    const std::vector<Declaration> declared = declarations_of(GetParam());
    const Expr f = parse(GetParam().text, declared);
    const std::string variable(GetParam().wrt);
    const Expr gradient = differentiate(f, variable);
    const std::map<std::string, std::int64_t> sizes{{"m", 6}, {"n", 4}, {"p", 3}, {"k", 5}};
    MatrixMap values = random_values(symbols(f), sizes, 11);
    for (const Declaration& symbol : symbols(f)) {
        if (symbol.structure == Structure::general) {  // within the domain of logarithm and root
            Eigen::MatrixXd& value = values.find(symbol.name)->second;
            value = 0.5 * value.cwiseAbs().array() + 0.1;
            const bool is_bound = GetParam().name == "log_barrier" && symbol.name == "b";
            value.array() += is_bound ? 20 : 0;  // A x < b
        }
    }
    const DifferentialCheck check(f, ScalarType::float64, Accuracy::robust);
    const Comparison found = check.gradient(variable, Convention::projected, values,
                                            evaluate_reference(gradient, values, sizes), 3);
    EXPECT_LE(found.residual, found.bound);
    EXPECT_GT(found.bound, 0);
    EXPECT_LT(found.bound, 1e-6);  // the bound says something
}

INSTANTIATE_TEST_SUITE_P(All, Catalogue,
                         ::testing::ValuesIn(catalogue().begin(), catalogue().end()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CatalogueNames, AreUnique) {
    std::set<std::string_view> names;
    for (const CatalogueEntry& entry : catalogue()) {
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    }
}

TEST(CatalogueNames, ThatAreUnknownAreNotFound) {
    EXPECT_EQ(find_in_catalogue("no_such_function"), nullptr);
    EXPECT_EQ(find_in_catalogue(""), nullptr);
}

TEST(CatalogueNames, HoldTheFourFunctions) {
    const std::pair<const char*, const char*> four[] = {{"frobenius", "X*A'*A"},
                                                        {"least_squares", "2*A'*(A*x - b)"},
                                                        {"bilinear_trace", "A'*B'"},
                                                        {"log_det_gram", "2*X*inv(X'*X)"}};
    for (const auto& [name, gradient] : four) {
        const CatalogueEntry* entry = find_in_catalogue(name);
        ASSERT_NE(entry, nullptr) << name;
        const Expr f = parse(entry->text, declarations_of(*entry));
        EXPECT_EQ(to_text(differentiate(f, std::string(entry->wrt))), gradient);
    }
}

}  // namespace
}  // namespace matgrad
