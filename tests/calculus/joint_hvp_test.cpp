// The Hessian over several variables: its products are the differentials of the gradients, cross terms and all,
// as the reference takes them forward.

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "expression/node.hpp"
#include "matgrad/calculus.hpp"
#include "reference/reference.hpp"

namespace matgrad {
namespace {

struct JointCase {
    const char* f;
    std::vector<std::string> declarations;
    std::vector<std::string> variables;
};

const JointCase kCases[] = {
    {"sum(c.*softplus(-s.*(X*w + t*ones(m,1))))",
     {"X=m,n", "w=n", "t=1", "s=m", "c=m"},
     {"w", "t"}},
    {"0.5*norm2(X - U*V')^2", {"X=m,p", "U=m,n", "V=p,n"}, {"U", "V"}},
    {"-logdet(P) + tr(A*P) + x'*P*x", {"P=n,n:spd", "A=n,n:sym", "x=n"}, {"P", "x"}},
    {"x'*y + sum(z.^2)", {"x=n", "y=n", "z=m"}, {"x", "y", "z"}},
    {"tr(A*B)*t", {"A=n,n", "B=n,n", "t=1"}, {"A", "t"}},
};

class JointHvp : public ::testing::TestWithParam<JointCase> {};
INSTANTIATE_TEST_SUITE_P(Functions, JointHvp, ::testing::ValuesIn(kCases));

TEST_P(JointHvp, IsTheDifferentialOfTheGradient) {
    std::vector<Declaration> declared;
    for (const std::string& d : GetParam().declarations) {
        declared.push_back(parse_declaration(d));
    }
    const Expr f = parse(GetParam().f, declared);
    const std::map<std::string, std::int64_t> sizes{{"m", 4}, {"n", 3}, {"p", 2}};
    const auto size = [&](const Dim& dim) {
        return dim.name.empty() ? dim.size : sizes.at(dim.name);
    };
    MatrixMap values;
    MatrixMap moved;
    std::vector<std::string> directions;
    std::srand(7);
    for (const Declaration& d : declared) {
        const auto random = [&] {
            Eigen::MatrixXd a = Eigen::MatrixXd::Random(size(d.shape.rows), size(d.shape.cols));
            return d.structure == Structure::general ? a : Eigen::MatrixXd((a + a.transpose()) / 2);
        };
        values[d.name] = random();
        if (d.structure == Structure::positive) {
            values[d.name] += 4 * Eigen::MatrixXd::Identity(3, 3);
        }
        for (const std::string& variable : GetParam().variables) {
            if (variable == d.name) {
                moved[d.name] = random();
            }
        }
    }
    for (const std::string& variable : GetParam().variables) {
        directions.push_back("D" + variable);
        values[directions.back()] = moved.at(variable);
    }
    const std::vector<Gradient> products =
        hessian_vector_product(f, GetParam().variables, directions);
    ASSERT_EQ(products.size(), GetParam().variables.size());
    for (std::size_t i = 0; i < products.size(); ++i) {
        EXPECT_EQ(products[i].variable->name, GetParam().variables[i]);
        const Expr gradient = differentiate(f, GetParam().variables[i]);
        const Eigen::MatrixXd want =
            evaluate_differential(gradient, values, moved, sizes).differential;
        const Eigen::MatrixXd found = evaluate_reference(products[i].form, values, sizes);
        // Products of at most four matrices of four rows with entries below 5.
        EXPECT_LE((found - want).norm(), 1e4 * std::numeric_limits<double>::epsilon())
            << to_text(products[i].form);
        EXPECT_GT(want.norm(), 1e-3);
    }
}

TEST(JointHvp, OfOneVariableIsTheHessianVectorProduct) {
    const Expr f = parse("sum(exp(A*x))");
    const std::string variables[] = {"x"};
    const std::string directions[] = {"v"};
    EXPECT_EQ(hessian_vector_product(f, variables, directions)[0].form,
              hessian_vector_product(f, "x", "v"));
}

TEST(JointHvp, NamesWhatIsWrongWithItsDirections) {
    const Expr f = parse("x'*y");
    const auto message = [&](const std::vector<std::string>& directions) -> std::string {
        try {
            (void)hessian_vector_product(f, std::vector<std::string>{"x", "y"}, directions);
        } catch (const CallerError& error) {
            return error.what();
        }
        return "no error";
    };
    EXPECT_EQ(message({"v"}), "1 directions are given: expected 2, one for each variable");
    EXPECT_EQ(message({"v", "v"}), "direction v is given to two variables");
    EXPECT_EQ(message({"v", "x"}), "direction x occurs in x'*y");
}

}  // namespace
}  // namespace matgrad
