// What the builders rewrite on their own: each row is one identity.

#include <gtest/gtest.h>

#include "matgrad/expression.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct RewriteCase {
    const char* from;
    const char* to;
    const char* declarations = "";
};

std::string rewritten(const RewriteCase& c) {
    return to_text(parse(c.from, parse_declarations(c.declarations)));
}

void expect_all(std::span<const RewriteCase> cases) {
    for (const RewriteCase& c : cases) {
        EXPECT_EQ(rewritten(c), c.to) << "from " << c.from;
    }
}

TEST(Rewrite, TransposesStandAtTheLeaves) {
    const RewriteCase cases[] = {
        {"(A')'", "A"},
        {"(A*B)'", "B'*A'"},
        {"(A*B*C)'", "C'*B'*A'"},
        {"(A + B)'", "(A + B)'"},
        {"C + (A + B)'", "C + A' + B'"},
        {"(A.*B)'.*C", "A'.*B'.*C"},
        {"exp(A)'", "exp(A)'"},
        {"(2*A)'", "2*A'"},
        {"inv(A')", "inv(A)'"},
        {"tril(A)'", "triu(A')"},
        {"rowsum(A)'", "colsum(A')"},
        {"S'", "S", "S=n,n:sym"},
        {"S'", "S", "S=n,n:spd"},
        {"S'", "S", "S=n,n:diag"},
        {"(A'*A)'", "A'*A"},
        {"(X*S*X')'", "X*S*X'", "S=n,n:sym X=m,n"},
        {"(A + A')'", "A + A'"},
        {"t'", "t", "t=1"},
        {"eye(n)'", "eye(n)", "A=n,n"},
        {"ones(m,n)'", "ones(n,m)", "A=m,n"},
        {"inv(A'*A)'", "inv(A'*A)", "A=m,n"},
    };
    expect_all(cases);
}

TEST(Rewrite, SumsMergeEqualTerms) {
    const RewriteCase cases[] = {
        {"A + A", "2*A"},
        {"A - A", "0*ones(m,n)"},
        {"2*A + 3*A", "5*A"},
        {"A + 0*A", "A"},
        {"A + (B - A)", "B"},
        {"-(A - B)", "-(A - B)"},
        {"A + B - (A + B)", "0*ones(m,n)"},
        {"A - 2*A", "-A"},
        {"A*B + A*B", "2*A*B"},
        {"3 + 4", "7"},
        {"t + t", "2*t", "t=1"},
    };
    expect_all(cases);
}

TEST(Rewrite, ProductsGatherNumbersAndScalars) {
    const RewriteCase cases[] = {
        {"2*A*3", "6*A"},
        {"A*t*B", "t*A*B", "t=1 A=m,n B=n,p"},
        {"t*t", "t^2", "t=1"},
        {"t*t^-1", "1", "t=1"},
        {"t/t*A", "A", "t=1 A=m,n"},
        {"A*eye(n)", "A", "A=m,n"},
        {"0*A*B", "0*ones(m,p)", "A=m,n B=n,p"},
        {"(2*A)*(3*B)", "6*A*B"},
        {"(t/s)^2", "t^2/s^2", "t=1 s=1"},
        {"(x'*y)*(y'*x)", "(x'*y)^2"},
        {"A/2", "0.5*A"},
    };
    expect_all(cases);
}

TEST(Rewrite, InversesCancelAndSplitOnlyOverSquareFactors) {
    const RewriteCase cases[] = {
        {"A*inv(A)", "eye(n)", "A=n,n"},
        {"inv(A)*A*B", "B", "A=n,n B=n,p"},
        {"inv(A')*A'", "eye(n)", "A=n,n"},
        {"inv(inv(A))", "A", "A=n,n"},
        {"inv(A*B)", "inv(B)*inv(A)", "A=n,n B=n,n"},
        {"inv(X'*X)", "inv(X'*X)", "X=m,n"},
        {"inv(X'*X)*X'*X", "eye(n)", "X=m,n"},
        {"X*inv(X'*X)*X'*X", "X", "X=m,n"},
        {"inv(2*A)", "0.5*inv(A)", "A=n,n"},
        {"inv(diag(v))", "diag(1./v)"},
        {"A^-1", "inv(A)", "A=n,n"},
        {"A^0", "eye(n)", "A=n,n"},
        {"inv(eye(n))", "eye(n)", "A=n,n"},
    };
    expect_all(cases);
}

TEST(Rewrite, ScalarFunctionsOfAMatrix) {
    const RewriteCase cases[] = {
        {"tr(A')", "tr(A)", "A=n,n"},
        {"tr(2*A)", "2*tr(A)", "A=n,n"},
        {"tr(x*y')", "y'*x", "x=n y=n"},
        {"tr(A*x*y')", "y'*A*x", "A=n,n x=n y=n"},
        {"tr(t)", "t", "t=1"},
        {"det(A')", "det(A)", "A=n,n"},
        {"det(inv(A))", "1/det(A)", "A=n,n"},
        {"logdet(inv(A))", "-logdet(A)", "A=n,n"},
        {"log(det(X'*X))", "logdet(X'*X)", "X=m,n"},
        {"log(det(A))", "log(det(A))", "A=n,n"},
        {"sum(2*A')", "2*sum(A)"},
        {"sum(rowsum(A))", "sum(A)"},
        {"sum(diag(A))", "tr(A)", "A=n,n"},
        {"norm2(-3*A)", "3*norm2(A)"},
        {"norm2(A')", "norm2(A)"},
        {"dot(A,ones(m,n))", "sum(A)", "A=m,n"},
        {"diag(diag(v))", "v"},
        {"rowsum(x)", "x"},
    };
    expect_all(cases);
}

TEST(Rewrite, EntrywiseFactorsMerge) {
    const RewriteCase cases[] = {
        {"A.*A", "A.^2"},
        {"(A.^2).^3", "A.^6"},
        {"A./A", "ones(m,n)"},
        {"(2*A).*(3*B)", "6*A.*B"},
        {"A.*B./A", "B"},
        {"A.^1", "A"},
        {"(2*A).^2", "4*A.^2"},
        {"exp(0)", "1"},
        {"abs(exp(t))", "exp(t)", "t=1"},
        {"abs(cosh(t))", "cosh(t)", "t=1"},
        {"max(2,3) + min(2,3)", "5"},
        {"max(A,A)", "A"},
        {"min(A,A)", "A"},
        {"max(A,0)", "relu(A)"},
        {"max(0,A)", "relu(A)"},
        {"max(A,0*A)", "relu(A)"},
        {"min(0,A)", "min(A, 0)"},
        {"max(2,A)", "max(A, 2)"},
        {"max(2*ones(m,n),A)", "max(A, 2)"},
        {"max(t,A)", "max(t, A)", "t=1"},
        {"max(A,B)'", "max(A, B)'"},
        {"max(A',B')' - max(A,B)", "0*ones(m,n)"},
        {"erf(0)", "0"},

    };
    expect_all(cases);
}

TEST(Rewrite, LogarithmsOfExponentialsDoNotOverflow) {
    const RewriteCase cases[] = {
        {"log(exp(A))", "A"},
        {"log(1 + exp(x))", "softplus(x)"},
        {"log(exp(-2*X) + 1)", "softplus(-2*X)"},
        {"log1p(exp(X))", "softplus(X)"},
        {"log(1 + exp(x).^2)", "softplus(2*x)"},
        {"log(1 + exp(-t*a'*x))", "softplus(-t*a'*x)", "t=1"},
        {"log(1 + exp(X'))", "softplus(X')"},
        {"log(1 + exp(X)')", "softplus(X')"},
        {"log(normcdf(x))", "lognormcdf(x)"},
        {"log(normcdf(-A*x).^2)", "2*lognormcdf(-A*x)"},
        {"log(1 - normcdf(x))", "lognormcdf(-x)"},
        {"log1p(-normcdf(x))", "lognormcdf(-x)"},
        {"log(sigmoid(x))", "-softplus(-x)"},
        {"log(1 - sigmoid(X))", "-softplus(X)"},
        {"log1p(-sigmoid(x))", "-softplus(x)"},
        {"log(1 ./ (1 + exp(-x)))", "-softplus(-x)"},
        {"log(sigmoid(x).^3)", "-3*softplus(-x)"},
        {"log(sqrt(exp(x)))", "0.5*x"},
        {"log(A.*exp(B))", "log(A) + B"},
        {"log(1 + sin(x))", "log(1 + sin(x))"},
        {"log(exp(x) - 1)", "log(exp(x) - 1)"},
        {"log(-exp(x))", "log(-exp(x))"},
    };
    expect_all(cases);
    const auto of = [](const char* text) { return parse(text); };
    EXPECT_EQ(of("log(2 + exp(x))"), of("log(2) + softplus(x - log(2))"));
}

TEST(Rewrite, LogarithmsOfSumsOfExponentialsDoNotOverflow) {
    const RewriteCase cases[] = {
        {"log(sum(exp(X)))", "logsumexp(X)"},
        {"log(sum(exp(X')))", "logsumexp(X)"},
        {"log(ones(1,m)*exp(x))", "logsumexp(x)", "x=m"},
        {"log(1 + sum(exp(x)))", "softplus(logsumexp(x))"},
        {"log(1/sum(exp(x)))", "-logsumexp(x)"},
        {"log(rowsum(exp(X)))", "rowlogsumexp(X)"},
        {"log(exp(X)*ones(n,1))", "rowlogsumexp(X)", "X=m,n"},
        {"log(colsum(exp(X)))'", "rowlogsumexp(X')"},
        {"rowsum(log(rowsum(exp(X))))", "rowlogsumexp(X)"},
        {"log(rowsum(exp(x)))", "x"},
        {"log(rowsum(exp(w)))", "logsumexp(w)", "w=1,n"},
    };
    expect_all(cases);
}

TEST(Rewrite, WhatIsSpreadIsComputedBefore) {
    const RewriteCase cases[] = {
        {"A + x*ones(1,n)", "A + x", "A=m,n"},
        {"A - ones(m,1)*r", "A - r", "A=m,n r=1,n"},
        {"A.*(x*ones(1,n))", "A.*x", "A=m,n"},
        {"A./(x*ones(1,n)).^2", "A./x.^2", "A=m,n"},
        {"x.^2./A", "x.^2./A"},
        {"exp(x*ones(1,n))", "exp(x)*ones(1,n)"},
        {"(x*ones(1,n)).^0.5", "x.^0.5*ones(1,n)"},
        {"max(A, x)", "max(A, x)"},
        {"x + r + A", "x + r + A", "r=1,n"},
        // A column and a row are no operands of one sign.
        {"A.*x.*r", "A.*(x*ones(1,n)).*(ones(m,1)*r)", "A=m,n r=1,n"},
        {"x*ones(1,n) + ones(m,1)*r", "x*ones(1,n) + ones(m,1)*r", "x=m r=1,n"},
        {"sum(x*ones(1,n) + 1)", "sum(x*ones(1,n) + 1)"},
    };
    expect_all(cases);
}

TEST(Rewrite, CountsAreDimensions) {
    const RewriteCase cases[] = {
        {"sum(ones(m,n))", "dim(m)*dim(n)"},
        {"tr(eye(n))", "dim(n)"},
        {"rowsum(ones(m,n))", "dim(n)*ones(m,1)"},
        {"colsum(ones(1,n))", "ones(1,n)"},
        {"colsum(ones(m,n))", "dim(m)*ones(1,n)"},
        {"rows(X')*cols(X)", "dim(n)^2"},
        {"rows(x)", "4", "x=4"},
        {"ones(1,m)*ones(m,1)", "dim(m)"},
        {"ones(m,3)*ones(3,n)", "3*ones(m,n)"},
        {"mean(X)", "sum(X)/dim(m)/dim(n)"},
        {"rowmean(X)", "rowsum(X)/dim(n)"},
        {"colmean(X)", "colsum(X)/dim(m)"},
        {"var(x)", "norm2(x - sum(x)/dim(m))^2/dim(m)"},
        {"var(s)", "0", "s=1"},
        {"norm2(X)^2/m", "norm2(X)^2/dim(m)", "X=m,n"},
        {"norm2(X)^2/m", "norm2(X)^2/m", "X=m,n m=1"},
        {"rownorm2(-2*X)", "2*rownorm2(X)"},
        {"rownorm2(X).^4", "rowsum(X.^2).^2"},
        {"rownorm2(x)", "abs(x)"},
        {"rownorm2(x')", "norm2(x)"},
        {"colnorm2(X)'", "rownorm2(X')"},
    };
    expect_all(cases);
}

TEST(Rewrite, QuotientsOfExponentialsDoNotOverflow) {
    const RewriteCase cases[] = {
        {"exp(X)/sum(exp(X))", "exp(X - logsumexp(X))"},
        {"exp(X)'/sum(exp(X))", "exp(X - logsumexp(X))'"},
        {"a'*exp(x)/sum(exp(x))", "a'*exp(x - logsumexp(x))"},
        {"sum(A.*exp(X))/sum(exp(X))", "sum(A.*exp(X - logsumexp(X)))"},
        {"exp(t)/sum(exp(x))", "exp(t - logsumexp(x))", "t=1"},
        {"exp(t)*exp(x)/sum(exp(x))", "exp(t)*exp(x - logsumexp(x))", "t=1"},
        {"log(exp(x)/sum(exp(x)))", "x - logsumexp(x)"},
        {"exp(X)./(rowsum(exp(X))*ones(1,n))", "exp(X - rowlogsumexp(X))", "X=m,n"},
        {"exp(X)./(ones(m,1)*colsum(exp(X)))", "exp(X - collogsumexp(X))", "X=m,n"},
        {"inv(diag(rowsum(exp(X))))*exp(X)*B", "exp(X - rowlogsumexp(X))*B", "X=m,n"},
        {"exp(X)./rowsum(exp(X))", "exp(X - rowlogsumexp(X))"},
        {"exp(X)./(exp(X)*ones(n,1))", "exp(X - rowlogsumexp(X))", "X=m,n"},
        {"exp(X)./(exp(X)*ones(n,n))", "exp(X - rowlogsumexp(X))", "X=m,n"},
        {"exp(X)./(ones(m,m)*exp(X))", "exp(X - collogsumexp(X))", "X=m,n"},
        {"exp(X)./(exp(X)*ones(n,1)*ones(1,n))", "exp(X - rowlogsumexp(X))", "X=m,n"},
        {"exp(X)./colsum(exp(X))", "exp(X - collogsumexp(X))"},
        {"rowsoftmax(X)", "exp(X - rowlogsumexp(X))"},
        {"colsoftmax(X)", "exp(X - collogsumexp(X))"},
        {"softmax(x)", "exp(x - logsumexp(x))"},
        {"sqrt(rowsum(X.^2) + rowsum(Y.^2)' - 2*X*Y')",
         "where(4e-15*(rowsum(X.^2)*ones(1,p) + ones(m,1)*colsum((Y.^2)')) < "
         "rowsum(X.^2) + colsum((Y.^2)') - 2*X*Y', "
         "sqrt(rowsum(X.^2) + colsum((Y.^2)') - 2*X*Y'), 0)"},
        {"(diag(G) + diag(G)' - 2*G).^0.5",
         "where(4e-15*(diag(G)*ones(1,n) + ones(n,1)*diag(G)') < diag(G) + diag(G)' - 2*G, "
         "(diag(G) + diag(G)' - 2*G).^0.5, 0)",
         "G=n,n:sym"},
        {"sqrt(diag(G) + diag(G)' - 2*G)", "sqrt(diag(G) + diag(G)' - 2*G)", "G=n,n"},
        {"sqrt(rowsum(X.^2) + rowsum(Y.^2)' - 2*X*Z')",
         "sqrt(rowsum(X.^2) + colsum((Y.^2)') - 2*X*Z')"},
        {"tril(A) + triu(A) - diag(diag(A))", "A", "A=n,n"},
        {"B + 2*tril(A) - 2*diag(diag(A)) + 2*triu(A)", "B + 2*A", "A=n,n"},
        {"tril(A) + triu(A)", "tril(A) + triu(A)", "A=n,n"},
        {"tril(A) + triu(A) - 2*diag(diag(A))", "tril(A) + triu(A) - 2*diag(diag(A))", "A=n,n"},
        {"cumsum(x)", "tril(ones(m,m))*x"},
        {"cumsum(x')'", "tril(ones(m,m))*x"},
        {"rowcumsum(X)", "X*triu(ones(n,n))"},
        {"colcumsum(X)", "tril(ones(m,m))*X"},
        {"exp(X)*diag(1 ./ colsum(exp(X))')", "exp(X - collogsumexp(X))", "X=m,n"},
        {"(exp(X)*b)./rowsum(exp(X))", "exp(X - rowlogsumexp(X))*b", "X=m,n"},
        {"1 ./ (1 + exp(-x))", "sigmoid(x)"},
        {"exp(x)./(1 + exp(x))", "sigmoid(x)"},
        {"exp(t)/(1 + exp(t))", "sigmoid(t)", "t=1"},
        {"1/sum(exp(x))", "1/sum(exp(x))"},
        {"exp(x)./(1 + cosh(x))", "exp(x)./(1 + cosh(x))"},
    };
    expect_all(cases);
}

TEST(Rewrite, LogarithmsOfDeterminantsKeepTheSign) {
    const RewriteCase cases[] = {
        {"log(det(A))", "log(det(A))", "A=n,n"},
        {"log(det(A)^2)", "2*logdet(A)", "A=n,n"},
        {"log(det(A)^3)", "3*log(det(A))", "A=n,n"},
        {"log(1/det(A))", "-log(det(A))", "A=n,n"},
        {"log(det(inv(A)))", "-log(det(A))", "A=n,n"},
        {"log(sqrt(det(A)))", "0.5*log(det(A))", "A=n,n"},
        {"log(det(S))", "logdet(S)", "S=n,n:spd"},
    };
    expect_all(cases);
    const auto declared = parse_declarations("A=n,n");
    EXPECT_EQ(parse("log(2*det(A))", declared), parse("log(2) + log(det(A))", declared));
}

TEST(Rewrite, WhatIsNoFiniteNumberIsNeverFoldedAway) {
    const RewriteCase cases[] = {
        {"0/0", "0*0^-1"},
        {"0*log(0)", "0*log(0)"},
        {"log(0) - log(0)", "0*log(0)"},
        {"log(0)/log(0)", "0*log(0)"},
        {"0*(1 + log(0))", "0*(1 + log(0))"},
        {"0/0*ones(m,n).*A", "0*0^-1*A", "A=m,n"},
        {"1/0", "0^-1"},
        {"0/0*sum(A) + sum(B)", "0*0^-1*sum(A) + sum(B)"},
        {"0*log(1)", "0"},
        {"0*sigmoid(1)", "0"},
        {"sum(x - x)", "0"},
    };
    expect_all(cases);
}

TEST(Rewrite, ConstantsThatUnderflowAreRefused) {
    EXPECT_THROW((void)parse("1e-200*1e-200*A"), UnsupportedError);
    EXPECT_THROW((void)parse("(1e-200*A).*(1e-200*B)"), UnsupportedError);
    EXPECT_THROW((void)parse("1e-200^2*sum(A)"), UnsupportedError);
    EXPECT_THROW((void)parse("1e-400*A"), ParseError);
    EXPECT_EQ(to_text(parse("1e-310*A")), "1e-310*A");
    EXPECT_EQ(to_text(parse("1e-200*1e-100*A")), "1e-300*A");
}

TEST(Rewrite, NeverMultipliesOutASum) {
    const RewriteCase cases[] = {
        {"A*(B + C)", "A*(B + C)"},
        {"(A*x - b)'*(A*x - b)", "(A*x - b)'*(A*x - b)"},
        {"2*(A + B)", "2*(A + B)"},
    };
    expect_all(cases);
}

TEST(Equality, IgnoresTheOrderOfTermsAndScalarFactors) {
    EXPECT_EQ(parse("A + B"), parse("B + A"));
    const auto form = parse_declarations("A=m,n x=m y=n");
    EXPECT_EQ(parse("x'*A*y", form), parse("y'*A'*x", form));
    EXPECT_EQ(parse("dot(A,B)"), parse("dot(B,A)"));
    EXPECT_EQ(parse("(A + B)'"), parse("A' + B'"));
    EXPECT_EQ(parse("exp(A.*B)'"), parse("exp(A'.*B')"));
    EXPECT_FALSE(parse("A*B") == parse("A*B'"));
    const auto square = parse_declarations("A=n,n B=n,n");
    EXPECT_FALSE(parse("A*B", square) == parse("B*A", square));
}

TEST(Rewrite, ComparisonsAndMasks) {
    const RewriteCase cases[] = {
        {"A > B", "B < A"},
        {"A >= B", "B <= A"},
        {"A > 0", "A > 0"},
        {"0 < A", "A > 0"},
        {"A <= t", "A <= t", "t=1"},
        {"(2 < 3) + (3 <= 2)", "1"},
        {"2*(A < B) + 1", "2*(A < B) + 1"},
        {"where(A < B, A, 0)", "where(A < B, A, 0)"},
        {"where(A < B, 0, B)", "where(A < B, 0, B)"},
        {"where(A < B, A, B)", "where(A < B, A, 0) + where(A < B, 0, B)"},
        {"where(C, -2*A, t)", "where(C, 0, t) - 2*where(C, A, 0)", "t=1"},
        {"where(A < B, 1, 0)", "A < B"},
        {"where(C, 1, 0).*A", "where(C, A, 0)"},
        {"where(1, A, B)", "A"},
        {"where(0*C, A, B)", "B", "A=m,n B=m,n"},
        {"(A < B).*A", "where(A < B, A, 0)"},
        {"A.*(A < B).*B", "where(A < B, A.*B, 0)"},
        {"A.*where(C, B, 0)./C", "where(C, A.*B./C, 0)"},
        {"where(C, where(C, A, 0), 0)", "where(C, A, 0)"},
        {"where(C, where(C, 0, A), 0)", "0*ones(m,n)"},
        {"where(t, x, 0)", "x", "t=1:pos"},
        {"where(t > 0, s, 0)*log(s)", "where(t > 0, s, 0)*log(s)", "s=1 t=1"},
        {"clip(A, -1, 1)", "min(max(A, -1), 1)"},
    };
    expect_all(cases);
}

TEST(Rewrite, PowersToAnOperand) {
    const RewriteCase cases[] = {
        {"x.^p", "x.^p", "p=1"},
        {"x.^-p", "x.^(-p)", "p=1"},
        {"x.^(1 + 1)", "x.^2"},
        {"x.^(1/2)", "x.^0.5"},
        {"x.^p'", "(x.^p)'", "p=1"},
        {"(x.^p).^2", "(x.^p).^2", "p=1"},
        {"2*t^p*A", "2*t^p*A", "t=1 p=1"},
        {"2.^x", "2.^x"},
        {"(-A).^B", "(-A).^B"},
        {"1.^x", "ones(m,1)"},
        {"A.^exp(t)", "A.^exp(t)", "t=1"},
    };
    expect_all(cases);
}

TEST(Rewrite, LogarithmsTimesWhatMayBeZero) {
    const RewriteCase cases[] = {
        {"xlogy(A, B)", "xlogy(A, B)"},
        {"xlogy(2, B)", "2*log(B)"},
        {"xlogy(A, sigmoid(B))", "-where(A, A.*softplus(-B), 0)"},
        {"xlogy(3, 2) - 3*log(2)", "0"},
        {"polygamma(0, A) + polygamma(1, B)", "digamma(A) + trigamma(B)"},
        {"polygamma(2, A)", "polygamma(2, A)"},
    };
    expect_all(cases);
}

TEST(Rewrite, TheOrderOfPolygammaIsAWholeNumber) {
    const std::pair<const char*, const char*> cases[] = {{"polygamma(0.5, A)", "0.5"},
                                                         {"polygamma(-1, A)", "-1"},
                                                         {"polygamma(21, A)", "21"},
                                                         {"polygamma(B, A)", "no number"}};
    for (const auto& [text, found] : cases) {
        EXPECT_EQ(message_of<UnsupportedError>([&, text = text] { return parse(text); }),
                  std::string("polygamma: the order is ") + found +
                      ", expected a whole number from 0 to 20");
    }
}

}  // namespace
}  // namespace matgrad
