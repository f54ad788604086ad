// What the planner decides, pinned: steps, scopes, types and operations.

#include <gtest/gtest.h>

#include <algorithm>

#include "matgrad/build.hpp"
#include "matgrad/calculus.hpp"
#include "planner/plan_support.hpp"
#include "program/cost.hpp"
#include "support/cookbook.hpp"

namespace matgrad::testing {
namespace {

const Value& value_of(const Program& p, ValueId id) {
    return p.values[static_cast<std::size_t>(id)];
}

const Problem kFrobenius{{"X*A'*A"}, {"X=m,n", "A=p,n"}, {{"m", 64}, {"n", 16}, {"p", 32}}, {"A"}};
const Problem kLogDet{{"logdet(X'*X)", "2*X*inv(X'*X)"}, {"X=m,n"}, {{"m", 64}, {"n", 16}}, {}};
const Problem kLeastSquares{
    {"norm2(A*x-b)^2", "2*A'*(A*x - b)"}, {"A=m,n", "x=n", "b=m"}, {{"m", 64}, {"n", 16}}, {}};

TEST(Plan, OfFrobeniusWithSharedAIsOneSyrkOnceAndOneTallGemm) {
    const Program p = program_for(kFrobenius);
    ASSERT_EQ(p.steps.size(), 2U) << to_text(p);
    EXPECT_TRUE(std::holds_alternative<Syrk>(p.steps[0].operation));
    EXPECT_EQ(p.steps[0].scope, Scope::shared);
    EXPECT_TRUE(std::holds_alternative<Gemm>(p.steps[1].operation));
    EXPECT_EQ(p.steps[1].scope, Scope::problem);
    EXPECT_EQ(p.steps[1].why, "the second factor is shared by the batch");
    EXPECT_EQ(p.steps[1].operations, 2 * 64 * 16 * 16);
}

TEST(Plan, FlipsTheOrderWherePIsMuchSmallerThanN) {
    Problem wide = kFrobenius;
    wide.dims = {{"m", 64}, {"n", 64}, {"p", 2}};
    const Program p = program_for(wide);
    EXPECT_EQ(count_steps<Syrk>(p), 0);
    ASSERT_EQ(count_steps<Gemm>(p), 2) << to_text(p);
    EXPECT_EQ(value_of(p, p.steps[0].out).cols.name, "p");
    EXPECT_EQ(total_operations(p), 100.0 * 2 * (2 * 64 * 64 * 2));
}

TEST(Plan, SharesOneCholeskyBetweenValueAndGradient) {
    const Program p = program_for(kLogDet);
    EXPECT_EQ(count_steps<Syrk>(p), 1) << to_text(p);
    EXPECT_EQ(count_steps<Potrf>(p), 1);
    EXPECT_EQ(count_steps<Getrf>(p), 0);
    EXPECT_EQ(count_steps<Trsm>(p), 2);
    EXPECT_EQ(count_steps<Gemm>(p), 0);
    EXPECT_EQ(count_operations(p).matrix / 100,
              syrk_operations(16, 64) + potrf_operations(16) + 2 * trsm_operations(16, 64));
    const Syrk gram = std::get<Syrk>(steps_of<Syrk>(p)[0].operation);
    EXPECT_FALSE(gram.mirror) << "Cholesky reads one triangle";
}

TEST(Plan, OfLeastSquaresKeepsTheResidual) {
    const Program p = program_for(kLeastSquares);
    const std::vector<Step> gemms = steps_of<Gemm>(p);
    ASSERT_EQ(gemms.size(), 2U) << to_text(p);
    const Gemm residual = std::get<Gemm>(gemms[0].operation);
    EXPECT_EQ(residual.alpha, 1);
    EXPECT_EQ(residual.beta, -1);
    EXPECT_EQ(value_of(p, residual.c.value).text, "b");
    const Gemm gradient = std::get<Gemm>(gemms[1].operation);
    EXPECT_EQ(gradient.alpha, 2);
    EXPECT_EQ(gradient.b.value, gemms[0].out);
    EXPECT_EQ(p.steps.size(), 3U) << "residual, sum of squares, gradient";
}

TEST(Plan, ATraceTakesTheProductThatItsGradientNeedsAnyway) {
    const std::vector<std::string> declared{"A=p,m", "X=m,n", "B=n,p", "C=p,p"};
    const Dims dims{{"m", 24}, {"n", 16}, {"p", 9}};
    const Problem alone{{"tr(A*X*B)", "A'*B'"}, declared, dims, {}};
    const Program p = program_for(alone);
    EXPECT_EQ(count_steps<Gemm>(p), 1) << to_text(p);
    EXPECT_EQ(total_operations(p), 100.0 * (2 * 24 * 16 * 9 + 2 * 24 * 16));
    expect_matches_reference(alone);
    const Problem sum{{"tr(A*X*B + A*X*B*C)", "A'*B' + A'*C'*B'"}, declared, dims, {}};
    EXPECT_LE(count_steps<Gemm>(program_for(sum)), 3) << to_text(program_for(sum));
    expect_matches_reference(sum);
    const Problem dot{{"dot(C, A*X*B)", "A'*C*B'"}, declared, dims, {}};
    EXPECT_EQ(count_steps<Gemm>(program_for(dot)), 2) << to_text(program_for(dot));
    expect_matches_reference(dot);
}

TEST(Plan, NeverDistributesAProductOverASum) {
    // Distributed, A'*A*x - A'*b could hoist A'*A and A'*b: cheaper, and wrong in the last digits.
    Problem p = kLeastSquares;
    p.forms = {"2*A'*(A*x - b)"};
    p.shared = {"A", "b"};
    const Program program = program_for(p);
    EXPECT_EQ(count_steps<Syrk>(program), 0) << to_text(program);
    EXPECT_EQ(count_steps<Gemm>(program), 2);
    for (const Step& s : program.steps) {
        EXPECT_EQ(s.scope, Scope::problem);
    }
}

TEST(Plan, FormsNoInverseWhereASolveIsCheaper) {
    const std::vector<std::string> declared{"X=n,n", "S=n,n:spd", "B=n,p", "a=n", "T=n,n:lower"};
    const Dims dims{{"n", 8}, {"p", 20}};
    for (const char* form : {"inv(X)*B", "inv(S)*B", "B'*inv(X)'", "a'*inv(X)*a", "inv(T)*B",
                             "tr(B'*inv(S)*B)", "-inv(X)'*a*a'*inv(X)'"}) {
        const Program p = program_for({{form}, declared, dims, {}});
        for (const Step& s : p.steps) {
            if (const auto* solve = std::get_if<Solve>(&s.operation)) {
                EXPECT_NE(solve->b.value, kNoValue) << form;
            }
            if (const auto* trsm = std::get_if<Trsm>(&s.operation)) {
                EXPECT_NE(trsm->b.value, kNoValue) << form;
            }
        }
    }
    const Program whole = program_for({{"inv(X)'"}, declared, dims, {}});
    ASSERT_EQ(count_steps<Solve>(whole), 1);
    EXPECT_EQ(std::get<Solve>(steps_of<Solve>(whole)[0].operation).b.value, kNoValue);
}

TEST(Plan, OneLuServesAMatrixAndItsTranspose) {
    const Program p =
        program_for({{"det(X)", "inv(X)'*a", "inv(X)*a"}, {"X=n,n", "a=n"}, {{"n", 8}}, {}});
    EXPECT_EQ(count_steps<Getrf>(p), 1) << to_text(p);
}

TEST(Plan, ADeterminantAloneMayBeZero) {
    const std::vector<std::string> x{"X=n,n"};
    const Program alone = program_for({{"det(X)"}, x, {{"n", 4}}, {}});
    EXPECT_FALSE(std::get<Getrf>(steps_of<Getrf>(alone)[0].operation).zero_pivot_fails);
    const Program both = program_for({{"det(X)", "inv(X)'"}, x, {{"n", 4}}, {}});
    ASSERT_EQ(count_steps<Getrf>(both), 1);
    EXPECT_TRUE(std::get<Getrf>(steps_of<Getrf>(both)[0].operation).zero_pivot_fails);
    const Program cofactors = program_for({{"det(X)", "det(X)*inv(X)'"}, x, {{"n", 4}}, {}});
    ASSERT_EQ(count_steps<Getrf>(cofactors), 1);
    EXPECT_FALSE(std::get<Getrf>(steps_of<Getrf>(cofactors)[0].operation).zero_pivot_fails);
    Interpreter run(alone);
    EXPECT_EQ(run.run({{{"X", Eigen::MatrixXd::Ones(4, 4)}}}).outputs[0][0](0, 0), 0);
}

TEST(Plan, PositiveMatricesAreFactoredByCholesky) {
    const std::vector<std::string> declared{"X=m,n", "S=n,n:spd", "W=n,n:sym", "Y=n,n"};
    const Dims dims{{"m", 9}, {"n", 4}};
    for (const char* form : {"logdet(X'*X)", "logdet(S)", "logdet(S + X'*X)", "tr(inv(2*X*S*X'))",
                             "logdet(X'*X + eye(n))", "det(S)*inv(S)"}) {
        EXPECT_EQ(count_steps<Potrf>(program_for({{form}, declared, dims, {}})), 1) << form;
    }
    for (const char* form : {"logdet(W)", "logdet(Y)", "logdet(W + X'*X)", "logdet(X'*X - S)"}) {
        const Program p = program_for({{form}, declared, dims, {}});
        EXPECT_EQ(count_steps<Potrf>(p), 0) << form;
        EXPECT_EQ(count_steps<Getrf>(p), 1) << form;
    }
}

TEST(Plan, TriangularAndDiagonalMatricesAreNotFactored) {
    const std::vector<std::string> declared{"T=n,n:lower", "U=n,n:upper", "D=n,n:diag", "B=n,p"};
    for (const char* form : {"inv(T)*B", "inv(U)'*B", "inv(D)*B", "logdet(T)*B", "det(U)*B"}) {
        const Program p = program_for({{form}, declared, {{"n", 6}, {"p", 3}}, {}});
        EXPECT_EQ(count_steps<Potrf>(p) + count_steps<Getrf>(p), 0) << form;
        EXPECT_EQ(count_steps<Gemm>(p), 0) << form;
    }
}

TEST(Plan, DiagonalFactorsAndOuterProductsAreNoMatrixProducts) {
    const std::vector<std::string> declared{"X=m,n", "a=m", "b=n"};
    for (const char* form : {"diag(a)*X*diag(b)", "X + a*b'", "X*ones(n,n)", "tr(a*b'*X')"}) {
        const Program p = program_for({{form}, declared, {{"m", 6}, {"n", 3}}, {}});
        EXPECT_LE(count_steps<Gemm>(p), form == std::string("tr(a*b'*X')") ? 1 : 0) << to_text(p);
    }
    EXPECT_EQ(program_for({{"X + a*b'"}, declared, {{"m", 6}, {"n", 3}}, {}}).steps.size(), 1U);
}

TEST(Plan, LongChainsAreOrderedInParts) {
    const std::vector<std::string> declared{"X=n,n", "Y=n,n", "W=n,n:sym", "a=n"};
    const auto repeated = [](const std::string& block, int times) {
        std::string text = block;
        for (int k = 1; k < times; ++k) {
            text += "*" + block;
        }
        return text;
    };
    // Scaled so that nothing overflows: entries are standard normal, n is 3.
    const Dims dims{{"n", 3}};
    for (const std::string& form :
         {repeated("(0.3*X)", 100), repeated("(0.3*X*Y)", 50), repeated("(0.3*W)", 128),
          repeated("(0.3*X*Y*Y)", 33) + "*a", "a'*" + repeated("(0.3*X*Y*X)", 33) + "*Y",
          "tr(" + repeated("(0.3*X*Y*Y)", 25) + "*X)"}) {
        SCOPED_TRACE(form);
        expect_matches_reference(Problem{{form}, declared, dims, {"Y"}});
    }
    const Program vector =
        program_for({{repeated("(X*Y*Y)", 33) + "*a"}, declared, {{"n", 200}}, {}});
    EXPECT_EQ(count_steps<Gemm>(vector), 99);
    for (const Step& s : steps_of<Gemm>(vector)) {
        EXPECT_EQ(s.operations, 2 * 200 * 200) << "products with a vector only";
    }
    const Program power = program_for({{repeated("X", 256)}, declared, dims, {}});
    EXPECT_EQ(count_steps<Gemm>(power), 8);
}

TEST(Plan, ATraceOfAProductDoesNotFormIt) {
    const Program p = program_for({{"tr(A*B)"}, {"A=m,n", "B=n,m"}, {{"m", 30}, {"n", 20}}, {}});
    ASSERT_EQ(p.steps.size(), 1U) << to_text(p);
    EXPECT_EQ(p.steps[0].operations, 2 * 30 * 20);
}

TEST(Plan, EntrywiseChainsAndTheirSumAreOneStepWithoutMemory) {
    const Program p = program_for({{"sum(exp(2*P - 1).*sigmoid(P'))"}, {"P=n,n"}, {{"n", 10}}, {}});
    ASSERT_EQ(p.steps.size(), 1U) << to_text(p);
    EXPECT_EQ(p.problem_bytes, 8);
}

TEST(Plan, ASumOfProductsIsAccumulatedByBeta) {
    const Program p = program_for({{"2*X*Y + X'*Y' - Y"}, {"X=n,n", "Y=n,n"}, {{"n", 10}}, {}});
    EXPECT_EQ(p.steps.size(), 2U) << to_text(p);
    EXPECT_EQ(count_steps<Gemm>(p), 2);
    EXPECT_EQ(p.problem_bytes, 800) << "both write one buffer";
}

TEST(Plan, BodiesKeepWithinTheirLimits) {
    std::vector<std::string> declared{"A0=n,n", "s0=1"};
    std::string nested = "A0";
    std::string terms = "A0";
    std::string factors = "A0";
    std::string scalars = "s0";
    for (int k = 1; k < 80; ++k) {
        const std::string number = std::to_string(k);
        declared.push_back("A" + number + "=n,n");
        declared.push_back("s" + number + "=1");
        nested = "exp(" + nested + ").*A" + number;
        terms += " + A" + number;
        factors += ".*A" + number;
        scalars += "*s" + number;
    }
    for (const std::string& form : {"sum(exp(" + terms + "))", "sum(" + factors + ")",
                                    "(" + scalars + ")*A0", "tr(" + terms + ")"}) {
        SCOPED_TRACE(form);
        expect_matches_reference(Problem{{form}, declared, {{"n", 2}}, {"A1", "A2", "s3"}});
    }
    for (const std::string& form : {nested, terms, factors, "(" + scalars + ")*A0"}) {
        const Program program = program_for({{"sum(" + form + ")"}, declared, {{"n", 2}}, {}});
        EXPECT_GT(program.steps.size(), 2U);
        for (const Step& s : program.steps) {
            const auto* map = std::get_if<Map>(&s.operation);
            const auto* reduce = std::get_if<Reduce>(&s.operation);
            ASSERT_TRUE(map != nullptr || reduce != nullptr);
            const MapBody& body = map != nullptr ? map->body : reduce->body;
            EXPECT_LE(body.operands.size(), 32U);
            EXPECT_LE(body.code.size(), 128U);
        }
    }
}

TEST(Plan, WeightsThatAreNeverNegativeKeepAGramMatrixPositive) {
    const auto factored_by_cholesky = [](const char* form) {
        const Program program = program_for(
            {{form}, {"X=m,n", "w=m", "Y=n,n", "d=n"}, {{"m", 6}, {"n", 3}}, {"X", "w"}});
        return !steps_of<Potrf>(program).empty();
    };
    for (const char* form :
         {"logdet(X'*diag(exp(w))*X)", "logdet(X'*diag(w.^2)*X)", "logdet(X'*diag(3*abs(w))*X)",
          "logdet(X'*X + diag(softplus(d)))", "logdet(X'*diag(rowsum(X.^2))*X)",
          "logdet(X'*diag(where(w > 0, exp(w), 0))*X)", "logdet(X'*diag(exp(w).*sigmoid(w))*X)"}) {
        EXPECT_TRUE(factored_by_cholesky(form)) << form;
    }
    for (const char* form : {"logdet(X'*diag(w)*X)", "logdet(X'*diag(-exp(w))*X)",
                             "logdet(X'*diag(exp(w) - 1)*X)", "logdet(X'*diag(w.^3)*X)"}) {
        EXPECT_FALSE(factored_by_cholesky(form)) << form;
    }
}

TEST(Plan, GramMatricesAndFactorsAreDoubleForFloatDataUnlessFast) {
    PlanRequest request = request_for(kLogDet);
    request.type = ScalarType::float32;
    const Program robust = make_program(request);
    for (const Step& s : robust.steps) {
        if (!std::holds_alternative<Map>(s.operation)) {
            EXPECT_EQ(s.type, ScalarType::float64) << to_text(robust, s);
        }
    }
    for (const Step& s : steps_of<Potrf>(robust)) {
        const Use gram = std::get<Potrf>(s.operation).a;
        EXPECT_EQ(value_of(robust, gram.value).type, ScalarType::float64);
        EXPECT_EQ(value_of(robust, s.out).type, ScalarType::float64);
    }
    EXPECT_EQ(value_of(robust, robust.outputs[1].value).type, ScalarType::float32);
    request.accuracy = Accuracy::fast;
    for (const Value& v : make_program(request).values) {
        EXPECT_EQ(v.type, ScalarType::float32);
    }
}

TEST(Plan, OfRowsOfTheGradientSummedOverTheBatchFoldsTheInnerDimension) {
    Problem p{{"A'*R"}, {"A=m,n", "R=m,p"}, {{"m", 9}, {"n", 4}, {"p", 3}}, {}};
    PlanRequest request = request_for(p);
    set_summed(request, true);
    const Program program = make_program(request);
    EXPECT_EQ(steps_of<Gemm>(program).at(0).fold, Fold::inner);
}

TEST(Plan, OfOneEntryCostsFarLessThanTheWhole) {
    for (Problem p :
         {kFrobenius, Problem{{"2*X*inv(X'*X)"}, {"X=m,n"}, {{"m", 64}, {"n", 16}}, {}}}) {
        p.shared = {};
        PlanRequest request = request_for(p);
        const Program whole = make_program(request);
        request.outputs[0].entry = Entry{3, 5};
        const Program entry = make_program(request);
        // What must be there for any entry: the Gram matrix and its factor, if one is inverted.
        double fixed = 0;
        for (const Step& s : entry.steps) {
            if (std::holds_alternative<Potrf>(s.operation) ||
                (std::holds_alternative<Syrk>(s.operation) && count_steps<Potrf>(entry) > 0)) {
                fixed += 100 * s.operations;
            }
        }
        EXPECT_LT(total_operations(entry) - fixed, (total_operations(whole) - fixed) / 10)
            << to_text(entry);
        expect_matches_reference(request);
    }
}

TEST(Plan, ExplainsEachStepOnALine) {
    const std::string text = to_text(program_for(kLogDet));
    EXPECT_NE(text.find("G = syrk(X', X)"), std::string::npos) << text;
    EXPECT_NE(text.find("L = potrf(G, X)"), std::string::npos) << text;
    EXPECT_NE(text.find("per problem"), std::string::npos) << text;
    EXPECT_NE(text.find("Gram matrix: symmetric, Cholesky needs one triangle"), std::string::npos)
        << text;
    EXPECT_NE(text.find("workspace"), std::string::npos) << text;
}

TEST(Plan, OfADerivedGradientNeedsNoMoreThanTheTablesForm) {
    const Dims sizes[] = {{{"m", 64}, {"n", 16}, {"p", 24}, {"q", 12}},
                          {{"m", 16}, {"n", 64}, {"p", 12}, {"q", 24}},
                          {{"m", 32}, {"n", 32}, {"p", 32}, {"q", 32}}};
    for (const CookbookRow& row : read_cookbook()) {
        for (const Dims& dims : sizes) {
            Problem p;
            for (const Declaration& d : row.declarations) {
                p.declarations.push_back(to_text(d));
            }
            p.dims = dims;
            p.forms = {row.gradient};
            const OperationCount table = count_operations(program_for(p));
            PlanRequest derived = request_for(p);
            derived.outputs[0].form = differentiate(parse(row.f, row.declarations), row.wrt);
            const Program ours = make_program(derived);
            const OperationCount count = count_operations(ours);
            EXPECT_LE(count.matrix, table.matrix * (1 + 1e-12))
                << row.equation << "\n"
                << to_text(ours) << to_text(program_for(p));
            EXPECT_LE(count.entrywise, table.entrywise * 1.1 + 1e-9)
                << row.equation << "\n"
                << to_text(ours) << to_text(program_for(p));
        }
    }
}

/// The Hessian-vector product of a product of so many different factors.
PlanRequest product_of(int factors) {
    Expr product = parse("X + Y", {"X=n,n", "Y=n,n"});
    for (int k = 2; k <= factors; ++k) {
        product = product * parse("X + " + std::to_string(k) + "*Y", {"X=n,n", "Y=n,n"});
    }
    PlanRequest request =
        request_for({{"sum(X) + sum(Y) + sum(V)"}, {"X=n,n", "Y=n,n", "V=n,n"}, {{"n", 3}}, {}});
    request.outputs[0].form = hessian_vector_product(sum(product), "X", "V");
    return request;
}

TEST(Plan, OfAProductOfManyFactorsIsMadeOrRefused) {
    EXPECT_GT(make_program(product_of(12)).steps.size(), 100U);
    try {
        (void)make_program(product_of(82));
        ADD_FAILURE() << "82 factors were planned";
    } catch (const UnsupportedError& error) {
        EXPECT_NE(std::string(error.what()).find("ways to be ordered: expected at most 1.1e+09"),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
}  // namespace matgrad::testing
