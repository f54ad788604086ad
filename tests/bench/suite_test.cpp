#include "bench/suite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "bench/inputs.hpp"
#include "bench/suite_fields.hpp"
#include "support/cookbook.hpp"
#include "support/test_data.hpp"

namespace matgrad::bench {
namespace {

Suite own_suite(const std::string& name) {
    return load_suite(source_file("bench/suites/" + name + ".json"));
}

std::vector<std::string> names_of(const Suite& suite) {
    std::vector<std::string> names;
    for (const Case& c : suite.cases) {
        names.push_back(c.name);
    }
    return names;
}

TEST(Suites, AllParseAndEveryRowCanBePlanned) {
    for (const char* name : {"core", "cookbook", "four", "scaling", "smoke", "training"}) {
        const Suite suite = own_suite(name);
        EXPECT_EQ(suite.name, name);
        EXPECT_FALSE(suite.about.empty());
        for (const Case& c : suite.cases) {
            EXPECT_NO_THROW((void)make_plan(c.expression(), c.operands(), c.options(Device{}, 1)))
                << c.name;
        }
    }
}

TEST(TrainingSuite, HasEachSumOverTheBatchBesideTheSameLossAsOneMatrixProblem) {
    const Suite suite = own_suite("training");
    ASSERT_EQ(suite.cases.size() % 2, 0U);
    for (std::size_t i = 0; i < suite.cases.size(); i += 2) {
        const Case& summed = suite.cases[i];
        const Case& whole = suite.cases[i + 1];
        EXPECT_EQ(summed.reduction, Reduction::sum) << summed.name;
        EXPECT_EQ(summed.function + "_as_matrix", whole.function);
        EXPECT_EQ(summed.wrt, whole.wrt);
        EXPECT_EQ(summed.type, whole.type);
        EXPECT_EQ(whole.batch, 1);
        const auto rows = std::find_if(whole.sizes.begin(), whole.sizes.end(),
                                       [](const auto& size) { return size.first == "b"; });
        ASSERT_NE(rows, whole.sizes.end()) << whole.name;
        EXPECT_EQ(rows->second, summed.batch);
        Sizes sizes = whole.sizes;
        sizes.erase(sizes.begin() + (rows - whole.sizes.begin()));
        EXPECT_EQ(sizes, summed.sizes);
    }
}

TEST(CoreSuite, SpansFunctionsSizesBatchesTypesAndOutputs) {
    const Suite suite = own_suite("core");
    EXPECT_GE(suite.cases.size(), 55);
    EXPECT_LE(suite.cases.size(), 70);
    std::map<std::string, std::set<std::string>> seen;
    for (const Case& c : suite.cases) {
        std::int64_t longest = 0;
        for (const auto& [name, size] : c.sizes) {
            longest = std::max(longest, size);
        }
        const char* size = longest <= 16     ? "tiny"
                           : longest <= 64   ? "small"
                           : longest <= 256  ? "middle"
                           : longest >= 1024 ? "large"
                                             : "another";
        const std::int64_t bytes = c.batch * c.bytes_per_problem() + c.shared_bytes();
        for (const std::string& what :
             {std::string(size), std::string(to_text(c.type)), std::string(to_text(c.outputs)),
              std::string(c.batch == 1          ? "one"
                          : c.batch == 1000     ? "thousand"
                          : bytes > 900'000'000 ? "gigabyte"
                                                : "some"),
              std::string(c.batched.size() == c.declare.size() ? "batched" : "shared")}) {
            seen[c.function].insert(what);
        }
    }
    for (const char* function : {"log_det_gram", "frobenius", "least_squares", "bilinear_trace"}) {
        for (const char* what : {"tiny", "small", "middle", "large", "float32", "float64", "value",
                                 "gradient", "both", "one", "thousand", "gigabyte", "batched"}) {
            EXPECT_TRUE(seen[function].count(what) == 1) << function << ": " << what;
        }
    }
    EXPECT_EQ(seen["frobenius"].count("shared"), 1);
}

const Case& case_of_core(const Suite& core, const std::string& function) {
    return *std::find_if(core.cases.begin(), core.cases.end(),
                         [&](const Case& c) { return c.function == function; });
}

TEST(CoreSuite, HasWhatAnOptimiserCalls) {
    const Suite core = own_suite("core");
    for (const char* function : {"squared_loss", "logistic_loss", "softmax_loss"}) {
        const Case& c = case_of_core(core, function);
        EXPECT_EQ(c.reduction, Reduction::sum) << function;
        EXPECT_EQ(std::count(c.batched.begin(), c.batched.end(), c.wrt), 0) << function;
        EXPECT_GE(c.batch, 1797) << function;
    }
    EXPECT_GE(case_of_core(core, "gaussian_nll").batch, 1000);
    EXPECT_GE(case_of_core(core, "logistic").sizes.front().second, 20000);
}

/// The sizes of a case of the suite at a size that is looked at entry by entry.
std::vector<Operand> small_operands(const Case& c) {
    Case small = c;
    small.batch = 1;
    for (auto& [name, size] : small.sizes) {
        size = name == "m" ? 6 : 3;
    }
    std::vector<Operand> operands = small.operands();
    for (Operand& operand : operands) {
        operand.batched = false;
    }
    return operands;
}

/// What a plan for one problem gives, each operand drawn.
std::vector<double> only_result(const Expr& f, std::vector<Operand> operands,
                                const PlanOptions& options) {
    const Plan plan = make_plan(f, operands, options);
    std::map<std::string, std::vector<double>> data;
    std::vector<OperandView> views;
    for (const Operand& operand : plan.operands()) {
        std::vector<double>& entries = data[operand.name];
        entries.resize(static_cast<std::size_t>(operand.rows * operand.cols));
        fill_inputs({operand.name, {}, Structure::general}, operand.rows, operand.cols, 1,
                    ScalarType::float64, entries.data());
        views.emplace_back(operand.name, ConstView(entries.data(), ScalarType::float64,
                                                   operand.rows, operand.cols, operand.cols, 1));
    }
    const OutputInfo& output = plan.outputs().front();
    std::vector<double> result(static_cast<std::size_t>(output.rows * output.cols));
    const View to(result.data(), ScalarType::float64, output.rows, output.cols, output.cols, 1);
    EXPECT_EQ(plan.run(views, {to}).failed, 0);
    return result;
}

// A suite has no field for them: the row is the gradient of <grad f, V>.
TEST(CoreSuite, ItsHessianVectorProductsAreThoseOfTheirFunctions) {
    const Suite core = own_suite("core");
    for (const auto& [function, f, direction] :
         {std::tuple{"log_det_gram_hvp", "logdet(X'*X)", "V"},
          std::tuple{"logistic_hvp", "sum(softplus(-(y.*(A*x))))", "v"}}) {
        const Case& c = case_of_core(core, function);
        const std::vector<Operand> operands = small_operands(c);
        PlanOptions options;
        options.value = false;
        options.wrt = {c.wrt};
        const std::vector<double> by_suite = only_result(c.expression(), operands, options);
        options.wrt = {};
        options.hvp = {{c.wrt, direction}};
        std::vector<Declaration> declare = c.declare;
        std::erase_if(declare, [name = direction](const Declaration& d) { return d.name == name; });
        const std::vector<double> by_plan = only_result(parse(f, declare), operands, options);
        ASSERT_EQ(by_suite.size(), by_plan.size());
        for (std::size_t i = 0; i < by_plan.size(); ++i) {
            EXPECT_NEAR(by_suite[i], by_plan[i], 1e-12 * (1 + std::abs(by_plan[i]))) << function;
        }
    }
}

TEST(CookbookSuite, HasEveryRowOfTheTableTwice) {
    std::map<std::string, int> seen;
    for (const Case& c : own_suite("cookbook").cases) {
        ++seen[c.f + " wrt " + c.wrt];
    }
    std::map<std::string, int> expected;
    for (const CookbookRow& row : read_cookbook()) {
        expected[row.f + " wrt " + row.wrt] += 2;
    }
    EXPECT_EQ(seen, expected);
}

TEST(Suite, OfTheCatalogueNeedsSizesAlone) {
    const Suite suite = parse_suite(
        R"({"name": "s", "cases": [{"function": "frobenius", "sizes": {"m": 3, "n": 4, "p": 5}}]})",
        "s");
    ASSERT_EQ(suite.cases.size(), 1);
    const Case& c = suite.cases[0];
    EXPECT_EQ(c.f, "0.5*norm2(X*A')^2");
    EXPECT_EQ(c.wrt, "X");
    EXPECT_THAT(c.batched, ::testing::ElementsAre("X", "A"));
    EXPECT_EQ(c.batch, 1);
    EXPECT_EQ(c.type, ScalarType::float64);
    EXPECT_EQ(c.accuracy, Accuracy::robust);
    EXPECT_EQ(c.outputs, Outputs::both);
    EXPECT_EQ(c.name, "frobenius/3x4x5/f64/b1/both");
    const std::vector<Operand> operands = c.operands();
    EXPECT_EQ(operands[0].rows, 3);
    EXPECT_EQ(operands[0].cols, 4);
    EXPECT_EQ(operands[1].rows, 5);
    EXPECT_TRUE(operands[1].batched);
}

TEST(Suite, MultipliesOutItsListsTheLastFastest) {
    const Suite suite = parse_suite(R"({"name": "s", "cases": [
        {"function": "log_det_gram", "sizes": {"m": 8, "n": 4},
         "for": {"type": ["float32", "float64"], "batch": [1, 10],
                 "accuracy": ["robust", "fast"]}}]})",
                                    "s");
    EXPECT_THAT(names_of(suite),
                ::testing::ElementsAre(
                    "log_det_gram/8x4/f32/b1/both", "log_det_gram/8x4/f32/b1/both/fast",
                    "log_det_gram/8x4/f32/b10/both", "log_det_gram/8x4/f32/b10/both/fast",
                    "log_det_gram/8x4/f64/b1/both", "log_det_gram/8x4/f64/b1/both/fast",
                    "log_det_gram/8x4/f64/b10/both", "log_det_gram/8x4/f64/b10/both/fast"));
}

TEST(Suite, NamesWhatIsSharedAndTheThreads) {
    const Suite suite = parse_suite(R"({"name": "s", "cases": [
        {"function": "least_squares", "sizes": {"m": 4, "n": 2}, "batched": ["x"], "threads": 2}]})",
                                    "s");
    EXPECT_EQ(suite.cases[0].name, "least_squares/4x2/f64/b1/both/shared-A/shared-b/t2");
}

TEST(Suite, MakesAsManyProblemsAsTheBytesHold) {
    // X 8x4, its gradient and the value in floats: 65 entries, 260 bytes.
    const auto batch_of = [](const char* bytes) {
        return parse_suite(std::string(R"({"name": "s", "cases": [{"function": "log_det_gram",
            "sizes": {"m": 8, "n": 4}, "type": "float32", "batch": {"bytes": )") +
                               bytes + "}}]}",
                           "s")
            .cases[0]
            .batch;
    };
    EXPECT_EQ(batch_of("2600"), 10);
    EXPECT_EQ(batch_of("2859"), 10);
    EXPECT_EQ(batch_of("2860"), 11);
    EXPECT_EQ(batch_of("3"), 1);
}

TEST(Suite, ExpandedReadsAsItself) {
    for (const Case& c : own_suite("core").cases) {
        const Json json{{"name", "again"}, {"cases", {to_json(c)}}};
        const Suite again = parse_suite(json.dump(), "again");
        ASSERT_EQ(again.cases.size(), 1);
        EXPECT_EQ(to_json(again.cases[0]), to_json(c));
    }
}

}  // namespace
}  // namespace matgrad::bench
