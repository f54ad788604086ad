// RunOptions::check_structure: operands that are not what is declared of them.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const double kRoot = std::sqrt(0.5);

/// What the error of a run says, or nothing where the run goes through.
std::string error_of(const std::string& declaration, const Operand& operand,
                     const std::vector<double>& data, bool checks = true,
                     std::int64_t first_problem = 0) {
    const std::string name = declaration.substr(0, declaration.find('='));
    const Expr f = parse("norm2(" + name + ")^2", {declaration});
    const Plan plan = make_plan(f, {operand}, {.wrt = {name}});
    const std::size_t problems =
        operand.batched ? data.size() / static_cast<std::size_t>(operand.rows * operand.cols) : 1;
    std::vector<double> value(problems, -1);
    std::vector<double> gradient(data.size(), -1);
    RunOptions options;
    options.check_structure = checks;
    options.first_problem = first_problem;
    try {
        plan.run({data}, {{"value", value}, {"gradient " + name, gradient}}, {}, options);
    } catch (const OperandError& error) {
        EXPECT_EQ(value, std::vector<double>(problems, -1)) << "computed all the same";
        return error.what();
    }
    return {};
}

TEST(StructureCheck, NamesTheFirstProblemAndTheEntries) {
    const Operand of_two = batched("S", 2, 2);
    const std::vector<double> good{2, 1, 1, 2};
    const auto second = [&good](std::vector<double> bad) {
        std::vector<double> both = good;
        both.insert(both.end(), bad.begin(), bad.end());
        return both;
    };
    EXPECT_EQ(error_of("S=n,n:sym", of_two, second({2, 1, 1.5, 2})),
              "S of problem 1 is not symmetric, as it is declared: S(2,1) is 1.5, S(1,2) is 1");
    EXPECT_EQ(error_of("S=n,n:sym", of_two, second({2, 1, 1, kNan})),
              "S of problem 1 is not symmetric, as it is declared: S(2,2) is nan");
    EXPECT_EQ(error_of("S=n,n:spd", of_two, second({1, 2, 2, 1})),
              "S of problem 1 is not symmetric positive definite, as it is declared: its least "
              "eigenvalue is -1");
    EXPECT_EQ(error_of("S=n,n:spd", of_two, second({1, 2, 3, 1})),
              "S of problem 1 is not symmetric positive definite, as it is declared: S(2,1) is 3, "
              "S(1,2) is 2");
    EXPECT_EQ(error_of("S=n,n:diag", of_two, good),
              "S of problem 0 is not diagonal, as it is declared: S(2,1) is 1");
    EXPECT_EQ(error_of("S=n,n:lower", of_two, good),
              "S of problem 0 is not lower triangular, as it is declared: S(1,2) is 1");
    EXPECT_EQ(error_of("S=n,n:upper", of_two, good),
              "S of problem 0 is not upper triangular, as it is declared: S(2,1) is 1");
    EXPECT_EQ(error_of("S=n,n:lower", of_two, {1, 5, std::numeric_limits<double>::infinity(), 1}),
              "S of problem 0 is not lower triangular, as it is declared: S(1,2) is 5");
    EXPECT_EQ(error_of("S=n,n:orth", of_two, second({})),
              "S of problem 0 is not of orthonormal columns, as it is declared: (S'*S)(1,1) is 5");
    EXPECT_EQ(error_of("s=1:pos", batched("s", 1, 1), {1, 0}),
              "s of problem 1 is not positive, as it is declared: s is 0");
    EXPECT_EQ(error_of("S=n,n:sym", shared("S", 2, 2), {2, 1, 0, 2}),
              "S is not symmetric, as it is declared: S(2,1) is 0, S(1,2) is 1");
    EXPECT_EQ(error_of("S=n,n:sym", of_two, {1, 2, 3, 4}, true, 700),
              "S of problem 700 is not symmetric, as it is declared: S(2,1) is 3, S(1,2) is 2");
}

TEST(StructureCheck, LetsThroughWhatIsSoButForRoundings) {
    const double next = std::nextafter(1.0, 2.0);
    EXPECT_EQ(error_of("S=n,n:sym", batched("S", 2, 2), {2, 1, next, 2}), "");
    EXPECT_EQ(error_of("S=n,n:spd", batched("S", 2, 2), {2, 1, next, 2, 1, 0, 0, 1e-300}), "");
    EXPECT_EQ(error_of("Q=n,n:orth", shared("Q", 2, 2), {kRoot, -kRoot, kRoot, kRoot}), "");
    EXPECT_EQ(error_of("Q=m,n:orth", shared("Q", 2, 1), {kRoot, kRoot}), "");
    EXPECT_EQ(error_of("L=n,n:lower", shared("L", 2, 2), {1, 0, 5, 2}), "");
    EXPECT_EQ(error_of("U=n,n:upper", shared("U", 2, 2), {1, 5, 0, 2}), "");
    EXPECT_EQ(error_of("D=n,n:diag", shared("D", 2, 2), {1, 0, 0, -2}), "");
    EXPECT_EQ(error_of("s=1:pos", batched("s", 1, 1), {1, 1e-300}), "");
    EXPECT_EQ(error_of("A=m,n", shared("A", 2, 2), {kNan, 1, 2, 3}), "");  // nothing is declared
}

TEST(StructureCheck, IsMadeWhereItIsAskedFor) {
    EXPECT_EQ(error_of("S=n,n:sym", shared("S", 2, 2), {2, 1, 0, 2}, false), "");
}

TEST(StructureCheck, MeasuresByTheTypeOfTheData) {
    const Expr f = parse("norm2(S)^2", {"S=n,n:sym"});
    const float off = 1 + 4 * std::numeric_limits<float>::epsilon();
    const std::vector<float> data{2, 1, off, 2};
    std::vector<float> value(1);
    const Plan plan = make_plan(f, {shared("S", 2, 2)}, {.type = ScalarType::float32});
    RunOptions options;
    options.check_structure = true;
    EXPECT_NO_THROW(plan.run({data}, {value}, {}, options));
    EXPECT_NE(error_of("S=n,n:sym", shared("S", 2, 2), {2, 1, static_cast<double>(off), 2}), "");
}

TEST(Explain, SaysWhatIsKnownOfStructure) {
    const Expr f = parse("logdet(X'*X + S) + tr(L*X'*X)", {"S=n,n:spd", "L=n,n:lower"});
    const Plan plan =
        make_plan(f, {batched("X", 5, 3), shared("S", 3, 3), shared("L", 3, 3)}, {.wrt = {"X"}});
    const std::string text = plan.explain();
    const std::size_t at = text.find("known structure\n");
    ASSERT_NE(at, std::string::npos) << text;
    for (const char* line :
         {"\n  S                          symmetric positive definite, declared\n",
          "\n  L                          lower triangular, declared\n",
          "\n  X'*X                       symmetric, positive semidefinite\n",
          "\n  X'*X + S                   symmetric, positive semidefinite\n",
          "\n  L + L' + 2*inv(X'*X + S)   symmetric\n"}) {
        EXPECT_NE(text.find(line, at), std::string::npos) << line << text;
    }
    // What would be longer than any text has a name that is not.
    std::string deep = "a0 = X*X'; ";
    for (int i = 0; i < 24; ++i) {
        deep += "a" + std::to_string(i + 1) + " = a" + std::to_string(i) + "^2 + a" +
                std::to_string(i) + ".^2; ";
    }
    const Plan long_one = make_plan(parse(deep + "tr(a24)"), {batched("X", 5, 3)}, {.wrt = {"X"}});
    EXPECT_NE(long_one.explain().find("  X*X' "), std::string::npos);
    const Plan plain = make_plan(parse("sum(A)"), {batched("A", 5, 3)});
    EXPECT_EQ(plain.explain().find("known structure"), std::string::npos);
}

}  // namespace
}  // namespace matgrad
