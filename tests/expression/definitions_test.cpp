// Texts that name their parts: `K = exp(-D/l) + t*eye(n); y'*inv(K)*y + logdet(K)`.

#include <gtest/gtest.h>

#include <chrono>
#include <tuple>

#include "expression/node.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

TEST(Definitions, AreTheirValuesWrittenOut) {
    const std::pair<const char*, const char*> rows[] = {
        {"K = A*A' + B*B'; y'*inv(K)*y", "y'*inv(A*A' + B*B')*y"},
        {"K = A*A'\nL = K + eye(n)\n; tr(L*K)", "tr((A*A' + eye(n))*A*A')"},
        {"c = x'*y\nc*x + c^2*y", "(x'*y)*x + (x'*y)^2*y"},
        {"AX = A*X; AX'*AX", "(A*X)'*(A*X)"},  // two capitals, and no declaration
        {"K = x'*x; K*A", "(x'*x)*A"},         // a scalar part may have any name
        {"a = A; a*x", "A*x"},                 // and so may a matrix
        {"K = A # the kernel; of ( them\n   + A'; tr(K) # all\n", "tr(A + A')"},
        {"  # only a comment = before\nK = A ;; tr(K);", "tr(A)"},
        {"s = A*x;\r\nsum(s)\r\n", "sum(A*x)"},
    };
    for (const auto& [text, written_out] : rows) {
        EXPECT_EQ(parse(text), parse(written_out)) << text;
    }
}

TEST(Definitions, MayHaveTheNameOfAFunctionWhichThenIsNone) {
    EXPECT_EQ(parse("sum = A*x; sum'*sum"), parse("(A*x)'*(A*x)"));
    EXPECT_EQ(message_of<NameError>([] { return parse("sum = A*x; sum(sum)"); }),
              "sum is the name of a part and cannot be called; a product is written sum*(...)");
}

TEST(Definitions, HaveOneShapeWhereverTheyStand) {
    EXPECT_EQ(parse("K = A; K*x; ").shape().text(), "m-by-1");
    EXPECT_EQ(message_of<ShapeError>(
                  [] { return parse("K = A'*A; K*B + K", parse_declarations("A=m,n B=n,k")); }),
              "K*B + K: K*B is n-by-k, K is n-by-n; both operands of + must have one shape");
}

TEST(Definitions, AreGivenWithTheExpression) {
    const Reading reading =
        read_text("K = A*A' + T; a = K\\y; y'*a", parse_declarations("T=n,n:sym"));
    ASSERT_EQ(reading.parts.size(), 2U);
    EXPECT_EQ(to_text(reading.parts[0]), "K = A*A' + T");
    EXPECT_EQ(to_text(reading.parts[1]), "a = inv(A*A' + T)*y");
    EXPECT_EQ(reading.parts[0].name->structure, Structure::symmetric);
    EXPECT_EQ(reading.parts[1].name.shape().text(), "n-by-1");
    EXPECT_TRUE(reading.notes.empty());
    EXPECT_EQ(read_text("K = A; tr(B)").notes,
              std::vector<std::string>{"K is defined and not used"});
}

TEST(Definitions, WithMistakesAreRefusedAtThePlace) {
    const std::tuple<const char*, std::size_t, const char*> rows[] = {
        {"K = A;\nK = B; tr(K)", 7, "K is defined twice (position 7)"},
        {"K = A*K; tr(K)", 6,
         "K stands in its own definition; a definition ends with ; (position 6)"},
        {"K = A\n-tr(K)", 12,
         "K = ... names a part; the expression itself, which comes behind it, is missing (position "
         "12)"},
        {"K = A*L; L = B; tr(K)", 6, "L stands before its definition (position 6)"},
        {"T = A; tr(T)", 0,
         "T is both declared and defined: a part has the shape of what it stands for (position 0)"},
        {"K = A*A'", 8,
         "K = ... names a part; the expression itself, which comes behind it, is missing (position "
         "8)"},
        {"K = A;\n", 7,
         "K = ... names a part; the expression itself, which comes behind it, is missing (position "
         "7)"},
        {"K = ; A", 4, "expected an expression at position 4, found ;"},
        {"K = A L = B; A", 6,
         "expected an operator, ; or a new line at position 6, found L; a product is written with "
         "*"},
        {"A; K = B", 3,
         "expected an operator or the end at position 3, found K; parts are named before the "
         "expression, as in K = A*A'; logdet(K)"},
        {"tr(A = B)", 5,
         "expected an operator, a comma or ) at position 5, found =; a part is named before the "
         "expression, as in K = A*A'; logdet(K)"},
    };
    for (const auto& [text, position, message] : rows) {
        try {
            (void)parse(text, parse_declarations("T=n,n"));
            ADD_FAILURE() << text << " was accepted";
        } catch (const ParseError& error) {
            EXPECT_STREQ(error.what(), message);
            EXPECT_EQ(error.position(), position) << text;
        }
    }
    EXPECT_EQ(message_of<NameError>([] { return parse("dX = A; tr(dX*X)"); }),
              "dX is reserved for the differential of X");
}

TEST(Definitions, CaretStandsUnderThePlaceInItsLine) {
    try {
        (void)parse("K = A*A'\nL = K*M\nM = K; tr(L)");
        ADD_FAILURE() << "was accepted";
    } catch (const ParseError& error) {
        EXPECT_EQ(error.excerpt(), "L = K*M\n      ^");
    }
}

TEST(Definitions, ThatDoubleTakeNoMoreThanTheirText) {
    std::string text = "A0 = exp(X);";
    for (int i = 1; i <= 150; ++i) {
        const std::string last = "A" + std::to_string(i - 1);
        text += "A" + std::to_string(i) + " = sin(" + last + ")*cos(" + last + ");";
    }
    const auto start = std::chrono::steady_clock::now();
    const Expr f = parse(text + "tr(A150)", parse_declarations("X=n,n"));
    EXPECT_EQ(message_of<UnsupportedError>([&] { return to_text(f); }).find("the text would have"),
              0U);
    EXPECT_LT(to_text(name_repeated_parts(f)).size(), 30000U);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Definitions, KeepTheLimits) {
    const std::string brackets(129, '(');
    EXPECT_EQ(message_of<UnsupportedError>([&] { return parse("K = A; " + brackets); }),
              "parentheses are nested more than 128 deep at position 135");
    std::string text = "A0 = A;";
    for (int i = 1; i <= 10; ++i) {
        const std::string last = "A" + std::to_string(i - 1);
        text += "A" + std::to_string(i) + " = " + last + "*" + last + ";";
    }
    EXPECT_EQ(message_of<UnsupportedError>(
                  [&] { return parse(text + "tr(A10)", parse_declarations("A=n,n")); }),
              "A9*A9: the product has 1024 matrix factors, the limit is 512");
}

TEST(Solve, IsTheProductWithTheInverse) {
    const std::pair<const char*, const char*> rows[] = {
        {"solve(A, B)", "inv(A)*B"},    {"A\\b", "inv(A)*b"},
        {"X'*A\\b", "inv(X'*A)*b"},  // from left to right
        {"2*A\\b*c'", "inv(2*A)*b*c'"}, {"A\\B\\b", "inv(inv(A)*B)*b"},
        {"(x'*x)\\A", "A/(x'*x)"},      {"b'*(A\\b)", "b'*inv(A)*b"},
    };
    for (const auto& [text, product] : rows) {
        EXPECT_EQ(parse(text, parse_declarations("X=n,n A=n,n B=n,n b=n c=n")),
                  parse(product, parse_declarations("X=n,n A=n,n B=n,n b=n c=n")))
            << text;
    }
    EXPECT_EQ(message_of<ShapeError>([] { return parse("A\\b", parse_declarations("A=m,n")); }),
              "A\\b: A is m-by-n, expected a square matrix; the least squares solution is "
              "inv(A'*A)*A'*b");
    EXPECT_EQ(message_of<ShapeError>(
                  [] { return parse("solve(A, B)", parse_declarations("A=n,n B=k,n")); }),
              "A, B: A is n-by-n, B is k-by-n; columns of A (n) must equal rows of B (k)");
}

TEST(ForeignNotation, IsAnsweredWithTheRightForm) {
    const std::pair<const char*, const char*> rows[] = {
        {"X.T*X", "the transpose of X is written X'"},
        {"x^T*A*x", "the transpose of x is written x' (position 2)"},
        {"x^{T}*y", "the transpose of X is written X'"},
        {"x^\\top*y", "the transpose of X is written X'"},
        {"A@x", "a product is written with *"},
        {"A**2", "a power is written ^ (of a square matrix or a scalar) or .^ (of each entry)"},
        {"||x||^2", "the norm is written norm2(x), a determinant det(A), absolute values abs(A)"},
        {"log|A|", "the norm is written norm2(x), a determinant det(A), absolute values abs(A)"},
        {"np.exp(A)", "functions have no prefix: exp(A), inv(A)"},
        {"sum(torch.exp(A))", "functions have no prefix: exp(A), inv(A)"},
        {"A^{-1}", "an exponent is a number, as in A^-1, which is inv(A)"},
        {"x\u1d40y", "the transpose of X is written X'"},
        {"A\u00b7B", "a product is written with *"},
        {"A \u2212 B", "a minus is written -"},
    };
    for (const auto& [text, hint] : rows) {
        const std::string message = message_of<ParseError>([&text = text] { return parse(text); });
        EXPECT_TRUE(message.ends_with(hint)) << text << ": " << message;
    }
}

TEST(Notes, SayWhatATraceOfEntriesProbablyMeant) {
    EXPECT_EQ(
        read_text("tr(exp(W.*W))").notes.front(),
        "tr(exp(W.*W)): exp is of each entry; of a matrix it would be tr(expm(A)), which is not "
        "in the language: tr((eye(n) + A/64)^64) comes near it, n being the rows of A");
    EXPECT_EQ(read_text("R = log(S); tr(R)").notes.front(),
              "tr(R): log is of each entry; of a matrix it would be tr(logm(A)), which is written "
              "logdet(A)");
    EXPECT_TRUE(read_text("tr(A*exp(B)) + sum(sqrt(A))").notes.empty());
}

}  // namespace
}  // namespace matgrad
