// The language is closed under differentiation: functions nobody wrote have a gradient and a
// Hessian-vector product, each a text of the language.

#include <gtest/gtest.h>

#include <random>

#include "expression/random_text.hpp"
#include "matgrad/calculus.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

Expr random_function(std::mt19937_64& random) {
    std::vector<std::uint8_t> choices(8 + random() % 24);
    for (std::uint8_t& c : choices) {
        c = static_cast<std::uint8_t>(random());
    }
    try {
        return parse(RandomText(choices).text('1', '1'),
                     parse_declarations(RandomText::kDeclarations));
    } catch (const UnsupportedError&) {
        return {};  // a constant that overflows
    }
}

/// Differentiates twice by each variable; every form is a text of the language.
void expect_closed(const Expr& f) {
    const std::vector<Declaration> variables = symbols(f);
    for (const Declaration& variable : variables) {
        std::vector<Declaration> known = variables;
        known.push_back({"V", variable.shape, Structure::general});
        SCOPED_TRACE(to_text(f) + " by " + variable.name);
        try {
            (void)differentiate(f, variable.name);
            (void)hessian_vector_product(f, variable.name, "V");
        } catch (const UnsupportedError& error) {
            const std::string what = error.what();
            // Numbers, not constructs: a constant factor may overflow.
            EXPECT_TRUE(what.find("flow") != std::string::npos) << what;
        }
    }
}

TEST(Language, IsClosedUnderDifferentiation) {
    int functions = 0;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 random(seed);
        const Expr f = random_function(random);
        if (f) {
            ++functions;
            expect_closed(f);
        }
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(functions, 1500);
}

/// The function of X, and of A where it has two arguments.
std::string written(Entrywise f) {
    switch (f) {
        case Entrywise::less:
            return "(X < A)";
        case Entrywise::less_equal:
            return "(X <= A)";
        case Entrywise::entry_power:
            return "X.^A";
        case Entrywise::mask:
            return "where(A, X, 0)";
        case Entrywise::unmask:
            return "where(A, 0, X)";
        case Entrywise::polygamma:
            return "polygamma(2, X)";
        default:
            return std::string(name_of(f)) + (arity_of(f) == 2 ? "(X, A)" : "(X)");
    }
}

TEST(Language, IsClosedForEveryFunctionBesideItsTransposedTwin) {
    const auto declared = parse_declarations("X=n,n A=n,n");
    std::vector<std::string> parts{"X",
                                   "X.^3",
                                   "X.^0.5",
                                   "inv(X)",
                                   "tril(X)",
                                   "triu(X)",
                                   "diag(diag(X))",
                                   "X*A*X",
                                   "X.*A.*X",
                                   "det(X)*X",
                                   "logdet(X)*X",
                                   "norm2(X)*X",
                                   "norm1(X)*X",
                                   "logsumexp(X)*X",
                                   "tr(X)*X",
                                   "rowsum(X)*ones(1,n)",
                                   "ones(n,1)*colsum(X)",
                                   "rowlogsumexp(X) + X",
                                   "X.*collogsumexp(X)",
                                   "X./rownorm2(X)",
                                   "X - colnorm2(X)",
                                   "X - rowmean(X) - colmean(X) + mean(X)",
                                   "var(X)*rowsoftmax(X)",
                                   "exp(X)/sum(exp(X))"};
    for (const Entrywise f : kEntrywiseFunctions) {
        parts.push_back(written(f));
    }
    for (const std::string& part : parts) {
        std::string twin = part;
        for (std::size_t at = twin.find('X'); at != std::string::npos;
             at = twin.find('X', at + 2)) {
            twin.replace(at, 1, "X'");
        }
        for (const std::string& f :
             {"sum((" + part + ")*(" + twin + "))", "sum((" + part + ").*(" + twin + "))",
              "tr((" + part + ")'*A*(" + twin + "))"}) {
            expect_closed(parse(f, declared));
        }
        ASSERT_FALSE(HasFailure());
    }
}

}  // namespace
}  // namespace matgrad
