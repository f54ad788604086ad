// A value made of what its gradient computes anyway.

#include <gtest/gtest.h>

#include "planner/plan_support.hpp"
#include "program/cost.hpp"

namespace matgrad::testing {
namespace {

const Problem kFrobenius{
    {"0.5*norm2(X*A')^2", "X*A'*A"}, {"X=m,n", "A=p,n"}, {{"m", 64}, {"n", 16}, {"p", 32}}, {}};

Program frobenius(ScalarType type, Accuracy accuracy, bool shared) {
    Problem problem = kFrobenius;
    problem.shared = shared ? std::set<std::string>{"A"} : std::set<std::string>{};
    PlanRequest request = request_for(problem);
    request.type = type;
    request.accuracy = accuracy;
    return make_program(request);
}

TEST(ValueLast, OfFrobeniusInFastIsOneProductWithTheGradient) {
    const Program p = frobenius(ScalarType::float64, Accuracy::fast, false);
    EXPECT_EQ(count_steps<Syrk>(p), 1) << to_text(p);
    EXPECT_EQ(count_steps<Gemm>(p), 1) << to_text(p);
    EXPECT_EQ(total_operations(p) / 100,
              syrk_operations(16, 32) + gemm_operations(64, 16, 16) + 2 * 64 * 16 + 2)
        << "and a half of what is not negative";
}

TEST(ValueLast, OfFrobeniusInRobustStaysASumOfSquares) {
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        for (const bool shared : {false, true}) {
            const Program p = frobenius(type, Accuracy::robust, shared);
            EXPECT_EQ(count_steps<Gemm>(p), 2) << to_text(p);
        }
    }
}

TEST(ValueLast, NeverMultipliesOutAResidual) {
    // norm2(X*A' - B)^2 as tr(X*A'*A*X') - 2*tr(..) + tr(B*B') has lost all digits where X*A' is close to B.
    Problem p = kFrobenius;
    p.forms = {"norm2(X*A' - B)^2", "2*(X*A' - B)*A"};
    p.declarations.emplace_back("B=m,p");
    PlanRequest request = request_for(p);
    request.accuracy = Accuracy::fast;
    const Program program = make_program(request);
    EXPECT_EQ(count_steps<Syrk>(program), 0) << to_text(program);
    EXPECT_EQ(count_steps<Gemm>(program), 2) << to_text(program);
}

TEST(ValueLast, AloneItIsPlannedAsEver) {
    Problem p = kFrobenius;
    p.forms = {"tr(X'*B*X)"};
    p.declarations = {"X=m,n", "B=m,m"};
    const Program program = program_for(p);
    EXPECT_EQ(program.steps.size(), 2U) << to_text(program);
    EXPECT_EQ(total_operations(program) / 100, syrk_operations(64, 16) + 2 * 64 * 64)
        << "X*X' and B";
}

/// A quadratic form, its gradient, and the products with a matrix that the two need together.
struct Form {
    const char* f;
    const char* gradient;
    int gemms;
};

TEST(ValueLast, OfAQuadraticFormTakesTheProductWithTheSymmetricPart) {
    const std::vector<std::string> declared{"X=m,n", "B=m,m", "S=n,n:sym", "C=n,n",
                                            "x=m",   "b=n",   "c=m"};
    const Form forms[] = {
        {"x'*B*x", "B*x + B'*x", 1},
        {"x'*B*x + c'*x", "B*x + B'*x + c", 1},
        {"dot(x, B*x)", "(B + B')*x", 1},
        {"tr(X'*B*X)", "B*X + B'*X", 1},
        {"tr(B*X*X')", "B*X + B'*X", 1},
        {"tr(X*X'*B)", "B*X + B'*X", 1},
        {"dot(X, B*X)", "B*X + B'*X", 1},
        {"tr(X*C*X')", "X*C + X*C'", 1},
        {"tr(X'*B*X + 3*C)", "B*X + B'*X", 1},
        {"tr(X'*B*X*S)", "B*X*S + B'*X*S", 2},
        {"(X*b + c)'*B*(X*b + c)", "B*(X*b + c)*b' + B'*(X*b + c)*b'", 2},
    };
    for (const Form& form : forms) {
        SCOPED_TRACE(form.f);
        const Problem p{{form.f, form.gradient}, declared, {{"m", 24}, {"n", 16}}, {}};
        const Program program = program_for(p);
        EXPECT_EQ(count_steps<Gemm>(program), form.gemms) << to_text(program);
        expect_matches_reference(p);
        PlanRequest fast = request_for(p);
        fast.accuracy = Accuracy::fast;
        expect_matches_reference(fast);
    }
}

TEST(ValueLast, OfATraceIsTheDiagonalOfAProductThatIsThere) {
    const std::vector<std::string> declared{"A=p,n", "B=n,p", "X=n,n"};
    const Dims dims{{"n", 16}, {"p", 32}};
    const Problem inverse{{"tr(A*inv(X)*B)", "-(inv(X)*B*A*inv(X))'"}, declared, dims, {}};
    const Program p = program_for(inverse);
    EXPECT_EQ(count_steps<Gemm>(p), 1) << to_text(p);
    EXPECT_EQ(count_steps<Solve>(p), 2) << to_text(p);
    expect_matches_reference(inverse);
    const Problem cube{{"tr(C*X^3)", "(X*X*C + X*C*X + C*X*X)'"}, {"C=n,n", "X=n,n"}, dims, {}};
    EXPECT_EQ(count_steps<Gemm>(program_for(cube)), 4) << to_text(program_for(cube));
    expect_matches_reference(cube);
}

TEST(ValueLast, OfSquaresMatchesTheReferenceWhereverItIsATrace) {
    const std::vector<std::string> declared{"A=p,n", "B=p,p", "X=m,n"};
    for (const char* f :
         {"norm2(X*A')^2", "norm2(A*X')^4", "norm2(X*A'*B)^2", "norm2(2*B*A*X')^2"}) {
        SCOPED_TRACE(f);
        Problem p{{f, "X*A'*A", "X*A'*B*B'*A", "X*A'*B'*B*A"},
                  declared,
                  {{"m", 12}, {"n", 3}, {"p", 5}},
                  {"A"}};
        PlanRequest request = request_for(p);
        request.accuracy = Accuracy::fast;
        expect_matches_reference(request);
    }
}

}  // namespace
}  // namespace matgrad::testing
