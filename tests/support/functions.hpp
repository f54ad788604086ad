#pragma once
/// \file Scalar functions that between them use every operation of the language.

#include <ostream>

namespace matgrad {

struct FunctionCase {
    const char* f;
    const char* wrt;
    const char* declarations = "";
};

/// What a test's name shows of a case.
inline void PrintTo(const FunctionCase& c, std::ostream* out) {
    *out << c.f;
}

inline const FunctionCase kFunctions[] = {
    {"sum(A.*(B*X))", "X"},
    {"sum((A.*X).*X./B)", "X", "A=m,n B=m,n X=m,n"},
    {"sum(X.^3)", "X"},
    {"sum(abs(X).^2.5)", "X"},
    {"sum(1./X)", "X"},
    {"dot(A,X)", "X"},
    {"dot(X*B,X*B)", "X"},
    {"norm2(A*X)", "X"},
    {"norm1(A*X)", "X"},
    {"logsumexp(A*x)", "x"},
    {"logsumexp(X)", "X"},
    {"sum(rowsum(X).^2)", "X"},
    {"sum(colsum(X).^3)", "X"},
    {"sum(rownorm2(X))", "X"},
    {"sum(colnorm2(A*X - y).^3)", "X"},
    {"norm2(A*X./y)^2", "y"},
    {"sum(A.*max(X,r).^2)", "r", "A=m,n X=m,n r=1,n"},
    {"sum(exp(X - x + r))", "x", "X=m,n x=m r=1,n"},
    {"sum(rowsoftmax(X).*A)", "X", "X=m,n A=m,n"},
    {"dot(softmax(A*x),b)", "x"},
    {"sum(rowlogsumexp(X).^2) + sum(collogsumexp(X))", "X"},
    {"var(A*x) + mean(x.^2)/rows(A)", "x"},
    {"norm2(X - rowmean(X) - colmean(X))^2/m/n", "X", "X=m,n"},
    {"tr(diag(x)*A)", "x", "A=n,n x=n"},
    {"sum(diag(X*A).^2)", "X", "A=n,m X=m,n"},
    {"tr(A*tril(X))", "X", "A=n,n X=n,n"},
    {"sum(triu(X).^2)", "X", "X=n,n"},
    {"sum(exp(X))", "X"},
    {"sum(log(exp(X) + 1))", "X"},
    {"sum(sqrt(exp(X)))", "X"},
    {"sum(abs(X).*X)", "X"},
    {"sum(sin(X).*cos(X))", "X"},
    {"sum(tanh(A*X))", "X"},
    {"sum(sigmoid(A*X))", "X"},
    {"sum(softplus(A*x))", "x"},
    {"sum(relu(A*X).^2)", "X"},
    {"sum(tan(0.3*X))", "X"},
    {"sum(atan(A*X))", "X"},
    {"sum(log1p(X.^2))", "X"},
    {"sum(expm1(X))", "X"},
    {"sum(cosh(A*x))", "x"},
    {"sum(A.*sinh(X))", "X"},
    {"sum(erf(A*X))", "X"},
    {"sum(max(X,A).^2)", "X"},
    {"sum(max(A*X,B*X).^3)", "X"},
    {"sum(A.*min(X,A))", "X", "A=m,n X=m,n"},
    {"sum(min(x,y).^2.*max(x,y))", "y", "x=n y=n"},
    {"sum(max(t,X).*X + A.*min(X,t))", "t", "t=1 A=m,n X=m,n"},
    {"max(norm2(x),t)^2 + erf(t)", "t", "t=1 x=n"},
    {"sum(X.*step(X) + sign(X).*X)", "X"},
    {"sum(asinh(A*X))", "X"},
    {"sum(acosh(1.1 + X.^2))", "X"},
    {"sum(atanh(0.9*tanh(X)))", "X"},
    {"sum(A.*normcdf(A*X))", "X", "A=m,m X=m,m"},
    {"sum(log(normcdf(A*x)))", "x"},
    {"sum(normhazard(X).*A + normexcess(-X))", "X", "A=m,n X=m,n"},
    {"sum(lgamma(0.5 + X.^2))", "X"},
    {"sum(digamma(0.5 + X.^2).*A)", "X", "A=m,n X=m,n"},
    {"sum(trigamma(0.5 + X.^2))", "X"},
    {"lgamma(0.5*(v + p)) - lgamma(0.5*v) - 0.5*p*log(v)", "v", "v=1:pos p=1:pos"},
    {"sum(xlogy(relu(A), 1 + X.^2))", "X", "A=m,n X=m,n"},
    {"sum(xlogy(1 + X.^2, 2 + X.^2))", "X"},
    {"sum(where(X > A, X.^3, A.*X))", "X", "A=m,n X=m,n"},
    {"sum(where(X <= 0, 0, log(X)))", "X"},
    {"sum((X < t).*X.^2 + clip(A*X, -1, t))", "X", "t=1 A=m,m X=m,n"},
    {"sum((1 + x.^2).^p)", "x", "p=1"},
    {"sum((1 + x.^2).^y)", "y", "x=n y=n"},
    {"(1 + norm2(x)^2)^t", "t", "t=1 x=n"},
    {"det(X)^2/tr(X'*X)", "X", "X=n,n"},
    {"logdet(A + X*X')", "X", "A=m,m:spd X=m,n"},
    {"tr(inv(A + X*X'))", "X", "A=m,m:spd X=m,n"},
    {"-logdet(P) + tr(S*P) + 0.1*sum(exp(P))", "P", "P=n,n:spd S=n,n:sym"},
    {"t*sum(X) + t^2 + exp(t)", "t", "t=1 X=m,n"},
    {"norm2(X + t)^2", "t", "t=1 X=m,n"},
    {"norm2(X + t)^2", "X", "t=1 X=m,n"},
    {"sum((x*y').*(x*y'))", "x"},
    {"(x'*A*x)/(x'*x)", "x"},
    {"sum(exp(-(x - y).^2/2))", "x", "x=n y=n"},
    {"logsumexp(A*x)-b'*x", "x"},
    {"sum(A*diag(x)*B)", "x", "A=m,n x=n B=n,p"},
    {"norm2(x)^4 + norm2(x)^3", "x"},
    {"x'*Q*inv(Q)*x", "x", "Q=n,n:orth x=n"},
    {"a'*X^-3*b", "X", "X=n,n a=n b=n"},
    {"tr(ones(m,n)*X'*X*X')", "X", "X=m,n"},
    {"sum(X*X'*ones(m,n))", "X", "X=m,n"},
};

}  // namespace matgrad
