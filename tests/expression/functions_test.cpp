// The table of functions: what stands in a row agrees with what is built, and with the documents.

#include "expression/functions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "expression/build.hpp"
#include "support/test_data.hpp"

namespace matgrad {
namespace {

using detail::Function;
using detail::FunctionKind;

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// True if `name` stands in the text as a word of its own.
bool has_word(const std::string& text, std::string_view name) {
    const auto is_part = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const bool begins = at == 0 || !is_part(text[at - 1]);
        if (begins && !is_part(text[at + name.size()])) {
            return true;
        }
    }
    return false;
}

TEST(Functions, EveryNameIsInTheDocumentAndTheFuzzersDictionary) {
    const std::string page = content_of(source_file("docs/language.md"));
    const std::string dictionary = content_of(source_file("tests/fuzz/parser.dict"));
    const std::string functions =
        page.substr(page.find("## Functions"), page.find("## Shapes") - page.find("## Functions"));
    for (const Function& f : detail::functions()) {
        EXPECT_TRUE(has_word(functions, f.name)) << f.name;
        EXPECT_NE(dictionary.find("\"" + std::string(f.name) + "("), std::string::npos) << f.name;
    }
}

TEST(Functions, OneRowAName) {
    std::set<std::string_view> names;
    for (const Function& f : detail::functions()) {
        const bool is_new = names.insert(f.name).second;
        EXPECT_TRUE(is_new || f.op == Op::diag_vector) << f.name;
        if (f.made_of != nullptr) {
            continue;  // a word for what others say: nothing prints it
        }
        EXPECT_EQ(function_name(f.op), f.name);
        EXPECT_EQ(detail::function_of(f.op), &f);
        EXPECT_EQ(is_entrywise(f.op), f.kind == FunctionKind::entrywise) << f.name;
    }
    EXPECT_EQ(detail::find_function("diag")->op, Op::diag_matrix);
    EXPECT_EQ(detail::function_of(Op::product), nullptr);
}

TEST(Functions, NumpyTextsHaveAPlaceForEachArgument) {
    for (const Function& f : detail::functions()) {
        if (f.made_of != nullptr) {
            continue;
        }
        std::size_t places = 0;
        for (std::size_t at = f.numpy.find("{}"); at != std::string_view::npos;
             at = f.numpy.find("{}", at + 1)) {
            ++places;
        }
        const bool is_printed = f.kind != FunctionKind::constant && f.made_of == nullptr;
        EXPECT_EQ(places, is_printed ? f.arity : 0) << f.name;
    }
}

TEST(Functions, EntrywiseOnesFoldConstantsToTheirValue) {
    for (const Function& f : detail::functions()) {
        if (f.kind != FunctionKind::entrywise || f.made_of != nullptr) {
            continue;
        }
        const double first = f.op == Op::polygamma ? 2 : 0.75;  // an order is a whole number
        const double value = f.value(first, 0.25);
        const Expr arguments[] = {number(first), number(0.25)};
        const Expr folded = call(f.op, std::span(arguments).first(f.arity));
        EXPECT_EQ(folded->op == Op::number, std::isfinite(value)) << f.name;
        if (std::isfinite(value)) {
            EXPECT_EQ(folded->number, value) << f.name;
        }
    }
}

/// The row of a function, also of one that is written as an operator.
const Function* function_row(Entrywise f) {
    switch (f) {
#define MATGRAD_ROW(name, ...) \
    case Entrywise::name:      \
        return detail::function_of(Op::name);
        MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    }
    return nullptr;
}

TEST(Functions, NeverNegativeMeansSo) {
    for (const Entrywise f : kEntrywiseFunctions) {
        if ((facts_of(f) & EntrywiseFact::kNeverNegative) == 0) {
            continue;
        }
        const Function* row = function_row(f);
        for (const double x : {-30.0, -1.0, -0.5, 0.0, 0.5, 1.0, 30.0}) {
            for (const double y : {-2.0, 0.0, 2.0}) {
                EXPECT_FALSE(row->value(x, y) < 0) << row->name << " of " << x << ", " << y;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad
