// One row for each operation of the language and for the ways they meet: planned, run in the
// planned buffers and compared with the reference.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expression/build.hpp"
#include "planner/plan_support.hpp"
#include "program/cost.hpp"

namespace matgrad::testing {
namespace {

struct Row {
    const char* form;
    std::vector<std::string> declarations;
};

const std::vector<std::string> kDeclared = {
    "A=m,n",     "B=n,p",       "C=m,n",       "X=n,n",      "Y=n,n",      "S=n,n:spd",
    "W=n,n:sym", "T=n,n:lower", "U=n,n:upper", "D=n,n:diag", "Q=n,n:orth", "a=n",
    "b=n",       "c=m",         "t=1",         "u=1"};

const char* const kForms[] = {
    "3.5",
    "A",
    "A'",
    "eye(n)*2 - X",
    "ones(m,n) + A",
    "2*ones(n,n)*X",
    "A + C - 2*A",
    "t*A + u*C",
    "A*B",
    "(A*B)'",
    "t*A*B",
    "A.*C",
    "A./(2 + C.*C)",
    "A.^3",
    "(A.*A + 1).^-1",
    "(A.*A + 1).^0.5",
    "t^3",
    "1/(t^2 + 1)",
    "(A.*A + 1).^-1.5",
    "A'.*C'",
    "inv(X)",
    "inv(X)'",
    "inv(S)",
    "inv(T)",
    "inv(U)",
    "inv(D)",
    "inv(Q)",
    "inv(T')",
    "inv(U)'",
    "inv(X)*B",
    "inv(S)*B",
    "inv(T)*B",
    "inv(T)'*B",
    "inv(U)*B",
    "inv(U')*B",
    "inv(D)*B",
    "B'*inv(S)",
    "A*inv(X)",
    "A*inv(X)'",
    "A*inv(T)",
    "A*inv(U)'",
    "A*inv(D)",
    "inv(X)*inv(Y)",
    "inv(S)*inv(S)",
    "inv(X)'*inv(X)",
    "inv(A'*A + S)",
    "A*inv(A'*A + S)*A'",
    "B'*inv(S)*B",
    "a'*inv(S)*a",
    "a'*inv(S)*b",
    "a'*inv(X)*b",
    "det(X)",
    "det(S)",
    "det(T)",
    "det(U)",
    "det(D)",
    "det(S)*inv(S)",
    "det(X)*inv(X)'",
    "det(diag(a))",
    "logdet(X)",
    "logdet(S)",
    "logdet(T)",
    "logdet(U)",
    "logdet(D)",
    "logdet(diag(a))",
    "logdet(A'*A + eye(n))",
    "logdet(X')",
    "tr(X)",
    "tr(A*B*B'*A')",
    "tr(inv(X))",
    "tr(inv(S))",
    "tr(B'*inv(S)*B)",
    "tr(inv(S)*X)",
    "tr(X*Y)",
    "tr(X*Y*X)",
    "tr(X + Y*X)",
    "tr(D*X)",
    "tr(X.*Y)",
    "tr(t*X*Y)",
    "dot(A,C)",
    "dot(A,A)",
    "dot(X*Y,W)",
    "dot(A*X,C)",
    "dot(t*A*X,2*C)",
    "dot(inv(S),X)",
    "dot(X*Y,Y*X)",
    "sum(A)",
    "sum(A*B)",
    "sum(A*X*B)",
    "sum(exp(A))",
    "sum(A.*C)",
    "sum(A'.*C')",
    "sum((A*X).*C)",
    "sum(2*A)",
    "sum(a*b')",
    "sum(ones(m,n)*X)",
    "logsumexp(a)",
    "logsumexp(A)",
    "logsumexp(1000*a)",
    "norm2(A)",
    "norm2(A*B)",
    "norm2(A*B)^2",
    "norm1(A)",
    "norm1(A*B)",
    "rowsum(A)",
    "colsum(A)",
    "rowsum(A*B)",
    "colsum(A*B)",
    "rowsum(A.*C)",
    "rowsum(exp(A))*a'",
    "rownorm2(A)",
    "colnorm2(A)",
    "rownorm2(A*B)",
    "rowlogsumexp(A)",
    "collogsumexp(A)",
    "A - rowmean(A)",
    "A./colnorm2(A)",
    "rowsum(A)*ones(1,n)",
    "ones(m,1)*colmean(A)",
    "dim(m)*A",
    "rowsoftmax(A)",
    "colsoftmax(A)",
    "exp(A' - logsumexp(A))",
    "exp(X' - logsumexp(X))",
    "exp(C*B - rowlogsumexp(A))",
    "diag(a)",
    "diag(X)",
    "diag(A*A')",
    "diag(X*Y)",
    "diag(X*inv(Y))",
    "diag(inv(S))",
    "diag(a)*X",
    "X*diag(a)",
    "diag(a)*inv(S)*diag(b)",
    "D*X",
    "A*D",
    "D*D",
    "D*D*X",
    "diag(a)*diag(b)*X",
    "tril(X)",
    "triu(X)",
    "tril(X*Y)",
    "tril(X)*triu(Y)",
    "tril(X')'",
    "exp(A)",
    "log(A.*A + 1)",
    "sqrt(A.*A)",
    "abs(A)",
    "sign(A)",
    "step(A)",
    "sin(A)",
    "cos(A)",
    "tanh(A)",
    "sigmoid(A)",
    "softplus(A)",
    "relu(A)",
    "tan(A)",
    "atan(A)",
    "log1p(A.*A)",
    "expm1(A)",
    "cosh(A)",
    "sinh(A)",
    "erf(A)",
    "max(A, C)",
    "min(A, C)",
    "max(A, t)",
    "min(2, A)",
    "max(A', C')",
    "max(t, u)",
    "max(A*X, C) - min(A, C*Y)",
    "asinh(A)",
    "acosh(1 + A.*A)",
    "atanh(0.9*tanh(A))",
    "normcdf(A)",
    "lognormcdf(A)",
    "normhazard(A) - normexcess(A)",
    "lgamma(A.*A + 0.1)",
    "digamma(A)",
    "trigamma(A)",
    "polygamma(2, A.*A + 0.1)",
    "xlogy(A.*A, C.*C)",
    "A < C",
    "A >= t",
    "where(A < C, A*X, C*Y)",
    "where(step(A), log(A), 0)",
    "clip(A, -0.5, t)",
    "abs(A).^C",
    "abs(t)^u",
    "abs(A).^t - 2.^A",
    "sigmoid(A*X)",
    "exp(t)",
    "log(t^2)",
    "t*u",
    "t + u",
    "t + A*0.5",
    "a*b'",
    "a*b' + b*a'",
    "X + a*b'",
    "X*a + b",
    "X*a - b",
    "2*X'*(X*a - b)",
    "A*B*B'",
    "A'*A",
    "A*A'",
    "2*A'*A + S",
    "X*X'*X",
    "X*Y + Y*X",
    "X*Y + Y'*X'",
    "X*Y - 3*Y*X + 2*W",
    "X*Y + W'",
    "(X*Y)' + X",
    "A*ones(n,n)",
    "ones(m,m)*A",
    "ones(m,m)*A*ones(n,n)",
    "c*ones(1,n)",
    "T*B",
    "T'*B",
    "Q'*B",
    "W*W",
    "W*X*W",
    "X^3",
    "X^-2",
    "S^-1*a",
    "(t*A)*(u*B)",
    "t*inv(X)",
    "exp(A*X).*C",
    "diag(exp(a))*X*diag(a)",
    "A*(X + diag(a))",
    "X - eye(n)",
    "eye(n) - X*Y",
    "tril(X) + triu(Y)'",
    "relu(A)*relu(A)'",
    "-logdet(S) + tr(W*S) + 0.1*sum(exp(S))",
    "tr(inv(W + X*X'))",
    "tr(inv(S + X*X'))",
    "log(sum(exp(a)))",
    "sum(log(sigmoid(A*a)))",
    "rowmax(A)",
    "colmax(A)",
    "rowmax(A*X)",
    "colmax(a)",
    "rowmax(a')",
    "isrowmax(A)",
    "iscolmax(A)",
    "isrowmax(A*X)",
    "isrowmax(A)'",
    "tr(isrowmax(X))",
    "rowmax(A)*a' + isrowmax(A.*C)",
    "chol(S)",
    "chol(S)'",
    "chol(W*W + S)",
    "inv(chol(S))*B",
    "chol(S)'*B",
    "B'*inv(chol(S))'",
    "logdet(chol(S)) + logdet(S)",
    "chol(A'*A + S) - inv(A'*A + S)",
};

/// Of matrices that are large enough for their indices.
const char* const kParts[] = {
    "A(2,:)",
    "A(:,2)",
    "A(2,1)",
    "c(2)",
    "c(1:2)",
    "A(1:2,2:3)",
    "A(1:p,:)",
    "A'(2:3,:)",
    "(A*X)(2,3)",
    "(A*X)(:,2)",
    "(A.*C)(2,:)",
    "exp(A)(1:2,:)",
    "inv(X)(1:2,3)",
    "inv(S)(2,2)",
    "S(1:2,1:2)",
    "inv(S(1:2,1:2))*a(1:2)",
    "diag(a)(:,1:2)",
    "D(2:3,:)",
    "eye(n)(:,2)",
    "eye(n)(2:3,:)",
    "eye(n)(:,1:p)*B'(1:p,:)",
    "eye(m)(:,2)*a'",
    "eye(m)(:,2:3)*A(1:2,2:3)*eye(n)(2:3,:)",
    "t*eye(n)(:,1) - 2*a(3)*eye(n)(:,3)",
    "ones(m,n)(1:2,:)",
    "tr(A(1:2,:)*X*A(1:2,:)')",
    "dot(A(1:2,:),C(2:3,:))",
    "sum(A(1:2,:))",
    "rowsum(A(2:3,:))",
    "norm2(A(:,2:3))",
    "(A + C)(1,:)",
    "(t*A)(1:2,:)",
    "A(1:2,:)*B*B'*A(1:2,:)'",
    "chol(S)(2:3,1:2)",
    "rowmax(A)(2)",
    "isrowmax(A)(:,2)",
};

std::vector<std::string> used_declarations() {
    return kDeclared;
}

TEST(EveryOperation, GivesWhatTheReferenceGives) {
    const Dims sizes[] = {{{"m", 5}, {"n", 3}, {"p", 4}}, {{"m", 2}, {"n", 6}, {"p", 1}}};
    for (const char* form : kForms) {
        SCOPED_TRACE(form);
        for (const Dims& dims : sizes) {
            expect_matches_reference(Problem{{form}, used_declarations(), dims, {}});
            expect_matches_reference(
                Problem{{form}, used_declarations(), dims, {"A", "S", "a", "t", "Y", "D"}});
        }
    }
}

TEST(EveryOperation, OfParts) {
    for (const char* form : kParts) {
        SCOPED_TRACE(form);
        for (const Dims& dims :
             {Dims{{"m", 5}, {"n", 3}, {"p", 3}}, Dims{{"m", 4}, {"n", 17}, {"p", 2}}}) {
            expect_matches_reference(Problem{{form}, used_declarations(), dims, {}});
            expect_matches_reference(
                Problem{{form}, used_declarations(), dims, {"A", "S", "a", "t", "Y", "D"}});
        }
    }
}

TEST(EveryOperation, OfSizeOneAndZero) {
    for (const char* form : kForms) {
        SCOPED_TRACE(form);
        expect_matches_reference(
            Problem{{form}, used_declarations(), {{"m", 1}, {"n", 1}, {"p", 1}}, {}});
        const PlanRequest empty =
            request_for({{form}, used_declarations(), {{"m", 0}, {"n", 0}, {"p", 0}}, {}});
        const Program program = make_program(empty);
        Interpreter interpreter(program);
        EXPECT_EQ(interpreter.run(random_problems(empty, 2, 3)).succeeded, 2);
    }
}

TEST(EveryOperation, AllAtOnceShareOneProgram) {
    std::vector<std::string> forms(std::begin(kForms), std::end(kForms));
    const Problem all{forms, used_declarations(), {{"m", 5}, {"n", 3}, {"p", 4}}, {"A", "b"}};
    expect_matches_reference(all);
}

TEST(EveryOperation, OneEntryIsThatOfTheWhole) {
    const Dims dims{{"m", 5}, {"n", 3}, {"p", 4}};
    for (const char* form : kForms) {
        SCOPED_TRACE(form);
        PlanRequest request = request_for({{form}, used_declarations(), dims, {"Y"}});
        const Shape shape = request.outputs[0].form.shape();
        const auto size = [&](const Dim& d) { return d.name.empty() ? d.size : dims.at(d.name); };
        for (const Entry e : {Entry{0, 0}, Entry{size(shape.rows) - 1, size(shape.cols) / 2}}) {
            request.outputs[0].entry = e;
            expect_matches_reference(request);
        }
    }
}

TEST(EveryOperation, LogsumexpNeitherOverflowsNorLosesInfinities) {
    const PlanRequest request = request_for({{"logsumexp(a)"}, {"a=n"}, {{"n", 3}}, {}});
    const Program program = make_program(request);
    const double inf = std::numeric_limits<double>::infinity();
    const auto vector = [](double x, double y, double z) {
        Eigen::MatrixXd v(3, 1);
        v << x, y, z;
        return Operands{{"a", v}};
    };
    Interpreter interpreter(program);
    const RunResult run = interpreter.run(
        {vector(800, 800, -1e300), vector(-inf, -inf, -inf), vector(1, inf, 2),
         vector(1, std::nan(""), 2), vector(-800, -800, -inf), vector(-1e308, -1e308, -1e308)});
    EXPECT_NEAR(run.outputs[0][0](0, 0), 800 + std::log(2.0), 1e-12);
    EXPECT_EQ(run.outputs[1][0](0, 0), -inf);
    EXPECT_EQ(run.outputs[2][0](0, 0), inf);
    EXPECT_TRUE(std::isnan(run.outputs[3][0](0, 0)));
    EXPECT_NEAR(run.outputs[4][0](0, 0), -800 + std::log(2.0), 1e-12);
    EXPECT_EQ(run.outputs[5][0](0, 0), -1e308);

    const PlanRequest none = request_for({{"logsumexp(a)"}, {"a=n"}, {{"n", 0}}, {}});
    const Program empty = make_program(none);
    Interpreter empty_interpreter(empty);
    EXPECT_EQ(empty_interpreter.run({{{"a", Eigen::MatrixXd(0, 1)}}}).outputs[0][0](0, 0), -inf);
}

TEST(EveryOperation, OfADerivationAtomIsRefused) {
    PlanRequest request;
    request.outputs.push_back({OutputKind::value, "", differential(parse("X")), {}});
    request.operands.push_back({"X", 2, 2, true});
    try {
        (void)make_program(request);
        FAIL() << "d(X) was planned";
    } catch (const UnsupportedError& e) {
        EXPECT_NE(std::string(e.what()).find("d(X)"), std::string::npos) << e.what();
    }
}

TEST(Reduced, OutputsAreSumsOverTheProblems) {
    Problem p{
        {"norm2(A*a-c)^2", "2*A'*(A*a - c)"}, {"A=m,n", "a=n", "c=m"}, {{"m", 5}, {"n", 3}}, {"a"}};
    PlanRequest request = request_for(p);
    const std::vector<Operands> problems = random_problems(request, 4, 9);
    const Program each = make_program(request);
    set_summed(request, true);
    const Program summed = make_program(request);
    EXPECT_EQ(count_steps<BatchReduce>(summed), 2);
    for (const ProgramOutput& o : summed.outputs) {
        EXPECT_EQ(summed.values[static_cast<std::size_t>(o.value)].scope, Scope::reduced);
    }
    const RunResult parts = Interpreter(each).run(problems);
    const RunResult total = Interpreter(summed).run(problems);
    for (std::size_t o = 0; o < 2; ++o) {
        Eigen::MatrixXd expected = parts.outputs[0][o];
        for (std::size_t k = 1; k < 4; ++k) {
            expected += parts.outputs[k][o];
        }
        EXPECT_LE((total.outputs.back()[o] - expected).norm(), 1e-12 * expected.norm());
    }
}

TEST(Reduced, ASharedValueCountsOncePerProblem) {
    PlanRequest request = request_for({{"tr(X)"}, {"X=n,n"}, {{"n", 2}}, {"X"}});
    set_summed(request, true);
    const Program program = make_program(request);
    const Operands operands{{"X", Eigen::MatrixXd::Identity(2, 2)}};
    const RunResult run = Interpreter(program).run({operands, operands, operands});
    EXPECT_EQ(run.outputs.back()[0](0, 0), 6);
}

}  // namespace
}  // namespace matgrad::testing
