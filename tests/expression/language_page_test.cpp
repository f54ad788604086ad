// Every example of docs/language.md is what the page says it is.

#include <gtest/gtest.h>

#include <fstream>

#include "support/cookbook.hpp"
#include "support/test_data.hpp"

namespace matgrad {
namespace {

struct Example {
    std::string text;
    std::string declarations;
    std::string shape;
};

/// `text   [declarations]   # shape`, with two blanks at least between text and declarations.
Example read_example(const std::string& line) {
    Example example;
    const std::size_t hash = line.find('#');
    if (hash == std::string::npos || hash + 2 > line.size()) {
        throw std::runtime_error("no shape in: " + line);
    }
    const std::size_t gap = line.find("  ");
    example.text = line.substr(0, gap);
    example.declarations = line.substr(gap, hash - gap);
    example.shape = line.substr(hash + 2);
    return example;
}

TEST(LanguagePage, EveryExampleParsesToTheShapeItStates) {
    std::ifstream page(source_file("docs/language.md"));
    ASSERT_TRUE(page);
    int examples = 0;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.rfind("```", 0) == 0) {
            inside = line == "```matgrad";
            continue;
        }
        if (!inside) {
            continue;
        }
        const Example example = read_example(line);
        const Expr e = parse(example.text, parse_declarations(example.declarations));
        EXPECT_EQ(e.shape().text(), example.shape) << line;
        ++examples;
    }
    EXPECT_GE(examples, 15);
}

}  // namespace
}  // namespace matgrad
