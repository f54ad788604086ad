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
    {"x(1)^2*x(3) + x(2)", "x", "x=4"},
    {"sum(X(2,:).^2) + X(1,2)*X(2,1)", "X", "X=3,4"},
    {"norm2(X(2:3,1:2)*A)^4", "X", "X=3,4 A=2,n"},
    {"logdet(X(1:q,:)*X(1:q,:)' + S)", "X", "X=m,n S=q,q:spd"},
    {"inv(X)(1,2)*det(X(1:2,2:3))", "X", "X=4,4"},
    {"sum(exp(eye(4)(:,2:3)*X + A*X(1,:)))", "X", "X=2,n A=4,1"},
    {"sum(rowmax(A*X).^2)", "X"},
    {"colmax(X)*rowmax(A*X)", "X", "X=m,n A=n,m"},
    {"sum(isrowmax(X).*X.^3 + iscolmax(X).*X)", "X"},
    {"sum(chol(S).^3)", "S", "S=n,n:spd"},
    {"norm2(inv(chol(X'*X))*X'*A)^2 + sum(A.*(X*chol(X'*X)))", "X", "X=m,n A=m,n"},
    {"logdet(chol(A + X*X'))^2 + tr(chol(A + X*X')*B)", "X", "A=m,m:spd X=m,n B=m,m"},
    {"x'*Q*inv(Q)*x", "x", "Q=n,n:orth x=n"},
    {"a'*X^-3*b", "X", "X=n,n a=n b=n"},
    {"tr(ones(m,n)*X'*X*X')", "X", "X=m,n"},
    {"sum(X*X'*ones(m,n))", "X", "X=m,n"},
};

}  // namespace matgrad
