// The printed text of any expression reads back as an equal expression.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>

#include "expression/build.hpp"
#include "random_text.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

class RoundTrip : public testing::Test {
protected:
    static void SetUpTestSuite() { setenv("RC_PARAMS", "seed=20240229 max_success=3000", 0); }
};

/// A random expression; `unsupported` counts those that a stated limit refuses.
Expr random_expression(int& unsupported) {
    static const std::vector<Declaration> kDeclarations =
        parse_declarations(RandomText::kDeclarations);
    const auto choices = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    const char rows = *rc::gen::element('m', 'n', '1');
    const char cols = *rc::gen::element('m', 'n', '1');
    const std::string text = RandomText(choices).text(rows, cols);
    RC_LOG() << "text " << text << std::endl;
    try {
        return parse(text, kDeclarations);
    } catch (const UnsupportedError&) {
        ++unsupported;
        return number(0);
    }
}

TEST_F(RoundTrip, TextOfAnyExpressionReadsBackEqual) {
    int unsupported = 0;
    EXPECT_TRUE(rc::check([&unsupported] {
        const Expr e = random_expression(unsupported);
        const std::string printed = to_text(e);
        RC_LOG() << "printed " << printed << std::endl;
        const Expr again = parse(printed, symbols(e));
        RC_LOG() << "again " << to_text(again) << std::endl;
        RC_ASSERT(again == e);
        RC_ASSERT(again.shape() == e.shape());
    }));
    EXPECT_LT(unsupported, 100);
}

TEST_F(RoundTrip, TextIsStable) {
    int unsupported = 0;
    EXPECT_TRUE(rc::check([&unsupported] {
        const Expr e = random_expression(unsupported);
        const std::string printed = to_text(e);
        RC_ASSERT(to_text(parse(printed, symbols(e))) == printed);
    }));
}

TEST_F(RoundTrip, TextWithNamesReadsBackEqual) {
    int unsupported = 0;
    EXPECT_TRUE(rc::check([&unsupported] {
        // What is squared repeats its parts.
        const Expr a = random_expression(unsupported);
        const Expr e = subtract(multiply(a, transpose(a)), multiply(hadamard(a, a), transpose(a)));
        const std::string printed = to_text(name_repeated_parts(e));
        RC_LOG() << "printed " << printed << std::endl;
        try {
            RC_ASSERT(parse(printed, symbols(e)) == parse(to_text(e), symbols(e)));
        } catch (const UnsupportedError&) {
            ++unsupported;
        }
    }));
    EXPECT_LT(unsupported, 200);
}

TEST_F(RoundTrip, TransposesPrintAndReadBackToo) {
    int unsupported = 0;
    EXPECT_TRUE(rc::check([&unsupported] {
        const Expr e = transpose(random_expression(unsupported));
        RC_LOG() << "printed " << to_text(e) << std::endl;
        RC_ASSERT(parse(to_text(e), symbols(e)) == e);
        RC_ASSERT(transpose(transpose(e)) == e);
    }));
}

TEST_F(RoundTrip, EveryExpressionHasLatexAndNumpyText) {
    int unsupported = 0;
    EXPECT_TRUE(rc::check([&unsupported] {
        const Expr e = random_expression(unsupported);
        const std::string latex = to_latex(e);
        const auto count = [&latex](std::string_view word) {
            std::size_t found = 0;
            for (std::size_t at = latex.find(word); at != std::string::npos;
                 at = latex.find(word, at + 1)) {
                ++found;
            }
            return found;
        };
        RC_ASSERT(count("\\left") == count("\\right"));
        RC_ASSERT(count("{") == count("}"));
        RC_ASSERT(!to_numpy(e).empty());
    }));
}

}  // namespace
}  // namespace matgrad
