#pragma once
/// \file What a text says, before anybody knows names or shapes.
///
/// Chains are flat (`a + b - c` is one node), so the depth of the tree is bounded by the nesting of
/// brackets, which is limited before parsing. Positions are byte offsets into the text.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/build.hpp"

namespace matgrad::detail {

enum class AstKind {
    number,      ///< `number`
    name,        ///< `name`
    call,        ///< `name` ( children )
    part,        ///< children[0] ( `ranges` )
    negate,      ///< - children[0]
    postfix,     ///< children[0] followed by `suffixes`
    product,     ///< children joined by `operators`, read from the left
    sum,         ///< children joined by `operators`, read from the left
    comparison,  ///< two children and the operator between them
};

enum class BinaryOp {
    times,
    divide,
    left_divide,
    entry_times,
    entry_divide,
    plus,
    minus,
    less,
    less_equal,
    greater,
    greater_equal,
};

enum class SuffixKind { transpose, power, entry_power };

struct Suffix {
    SuffixKind kind = SuffixKind::transpose;
    double exponent = 0;
    std::size_t operand = 0;  ///< the child that is the exponent, where that is no number; else 0
    std::size_t end = 0;      ///< one past its last byte
};

struct Ast {
    AstKind kind = AstKind::number;
    std::size_t begin = 0;  ///< with any brackets around it
    std::size_t end = 0;
    double number = 0;
    std::string name;
    std::vector<Ast> children;
    std::vector<BinaryOp> operators;  ///< operators[i] stands before children[i + 1]
    std::vector<Suffix> suffixes;
    std::vector<Range> ranges;
};

/// `name = value`, before the expression of a text.
struct Definition {
    std::string name;
    std::size_t begin = 0;  ///< of the name
    Ast value;
};

/// A whole text: definitions, in order, then the expression.
struct TextAst {
    std::vector<Definition> definitions;
    Ast expression;
};

/// 2^53: all whole numbers up to it are exact.
inline constexpr double kLargestWhole = 9007199254740992.0;
inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr int kMaxNesting = 128;

/// Reads the text by the grammar of the language.
///
/// Errors   UnsupportedError past kMaxTextBytes or kMaxNesting; ParseError.
[[nodiscard]] TextAst parse_ast(std::string_view text);

/// The bytes [begin, end) of the text for a message: blanks collapsed, long text shortened.
[[nodiscard]] std::string quote(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace matgrad::detail
