#include <fmt/format.h>

#include <algorithm>
#include <tao/pegtl.hpp>
#include <utility>

#include "expression/ast_builder.hpp"
#include "expression/foreign_notation.hpp"
#include "expression/grammar.hpp"
#include "expression/names.hpp"
#include "matgrad/error.hpp"

namespace matgrad::detail {
namespace {

template <typename Rule>
struct Action : pegtl::nothing<Rule> {};

template <typename Input>
std::size_t begin_of(const Input& in) {
    return in.position().byte;
}
template <typename Input>
std::size_t end_of(const Input& in) {
    return begin_of(in) + in.size();
}

template <>
struct Action<grammar::literal_number> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.push_number(begin_of(in), end_of(in));
    }
};
template <>
struct Action<grammar::name> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.push_name(begin_of(in), end_of(in));
    }
};
template <>
struct Action<grammar::open_bracket> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.open(begin_of(in));
    }
};
template <>
struct Action<grammar::open_call> : Action<grammar::open_bracket> {};
template <>
struct Action<grammar::close_bracket> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.close_bracket(end_of(in));
    }
};
template <>
struct Action<grammar::close_call> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.close_call(end_of(in));
    }
};
template <>
struct Action<grammar::index_all> {
    static void apply0(AstBuilder& b) { b.push_index({}); }
};
template <>
struct Action<grammar::index_first> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.push_index(Range(b.read_index(begin_of(in), end_of(in))));
    }
};
template <>
struct Action<grammar::index_last> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.end_index(Dim::literal(b.read_index(begin_of(in), end_of(in))));
    }
};
template <>
struct Action<grammar::index_name> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.end_index(Dim::named(in.string()));
    }
};
template <>
struct Action<grammar::close_part> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.close_part(end_of(in));
    }
};
template <>
struct Action<grammar::begin_factor> {
    static void apply0(AstBuilder& b) { b.begin_factor(); }
};
template <>
struct Action<grammar::end_factor> {
    static void apply0(AstBuilder& b) { b.end_factor(); }
};
template <>
struct Action<grammar::minus_sign> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.minus(begin_of(in));
    }
};
template <>
struct Action<grammar::quote_mark> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.push_suffix({SuffixKind::transpose, 0, 0, end_of(in)});
    }
};
template <>
struct Action<grammar::power_sign> {
    static void apply0(AstBuilder& b) { b.power(SuffixKind::power); }
};
template <>
struct Action<grammar::entry_power_sign> {
    static void apply0(AstBuilder& b) { b.power(SuffixKind::entry_power); }
};
template <>
struct Action<grammar::begin_exponent> {
    static void apply0(AstBuilder& b) { b.begin_factor(); }
};
template <>
struct Action<grammar::exponent_minus> : Action<grammar::minus_sign> {};
template <>
struct Action<grammar::end_exponent> {
    static void apply0(AstBuilder& b) {
        b.end_factor();
        b.exponent();
    }
};
template <>
struct Action<grammar::begin_chain> {
    static void apply0(AstBuilder& b) { b.begin_chain(); }
};
template <>
struct Action<grammar::end_product> {
    static void apply0(AstBuilder& b) { b.end_chain(AstKind::product); }
};
template <>
struct Action<grammar::end_sum> {
    static void apply0(AstBuilder& b) { b.end_chain(AstKind::sum); }
};
template <>
struct Action<grammar::end_comparison> {
    static void apply0(AstBuilder& b) { b.end_chain(AstKind::comparison); }
};
template <BinaryOp kOp>
struct PushOperator {
    static void apply0(AstBuilder& b) { b.push_operator(kOp); }
};
template <>
struct Action<grammar::times> : PushOperator<BinaryOp::times> {};
template <>
struct Action<grammar::divide> : PushOperator<BinaryOp::divide> {};
template <>
struct Action<grammar::left_divide> : PushOperator<BinaryOp::left_divide> {};
template <>
struct Action<grammar::entry_times> : PushOperator<BinaryOp::entry_times> {};
template <>
struct Action<grammar::entry_divide> : PushOperator<BinaryOp::entry_divide> {};
template <>
struct Action<grammar::plus_operator> : PushOperator<BinaryOp::plus> {};
template <>
struct Action<grammar::minus_operator> : PushOperator<BinaryOp::minus> {};
template <>
struct Action<grammar::less> : PushOperator<BinaryOp::less> {};
template <>
struct Action<grammar::less_equal> : PushOperator<BinaryOp::less_equal> {};
template <>
struct Action<grammar::greater> : PushOperator<BinaryOp::greater> {};
template <>
struct Action<grammar::greater_equal> : PushOperator<BinaryOp::greater_equal> {};
template <>
struct Action<grammar::defined_name> {
    template <typename Input>
    static void apply(const Input& in, AstBuilder& b) {
        b.begin_definition(begin_of(in), end_of(in));
    }
};
template <>
struct Action<grammar::end_definition> {
    static void apply0(AstBuilder& b) { b.end_definition(); }
};

/// What reading stopped at, in words; `expected` is empty where `message` says it all.
struct Trouble {
    std::string_view expected;
    std::string_view message;
};

// One entry per rule that can raise.
template <typename Rule>
inline constexpr Trouble kTrouble = {"an expression", {}};
template <>
inline constexpr Trouble kTrouble<grammar::token<grammar::close_bracket>> = {"an operator or )",
                                                                             {}};
template <>
inline constexpr Trouble kTrouble<grammar::token<grammar::close_call>> = {
    "an operator, a comma or )", {}};
template <>
inline constexpr Trouble kTrouble<grammar::exponent> = {"an exponent", {}};
template <>
inline constexpr Trouble kTrouble<grammar::not_chained> = {
    {}, "a power of a power needs parentheses, as in (A^2)^3"};
template <>
inline constexpr Trouble kTrouble<grammar::not_compared> = {
    {}, "a comparison of a comparison needs parentheses, as in (a < b) < c"};
template <>
inline constexpr Trouble kTrouble<grammar::not_transposed> = {{},
                                                              "the transpose of x is written x'"};
template <>
inline constexpr Trouble kTrouble<grammar::end_of_definition> = {"an operator, ; or a new line",
                                                                 {}};
template <>
inline constexpr Trouble kTrouble<grammar::end_of_text> = {"an operator or the end", {}};

/// Thrown by the grammar; `parse_ast` makes the ParseError of it.
struct Raised {
    Trouble trouble;
    std::size_t position;
    bool wants_close = false;
};

template <typename Rule>
struct Control : pegtl::normal<Rule> {
    template <typename Input, typename... States>
    [[noreturn]] static void raise(const Input& in, States&&...) {
        constexpr bool wants_close = std::is_same_v<Rule, grammar::token<grammar::close_bracket>> ||
                                     std::is_same_v<Rule, grammar::token<grammar::close_call>>;
        throw Raised{kTrouble<Rule>, in.position().byte, wants_close};
    }
};

/// What stands at `position`, for a message.
std::string found_at(std::string_view text, std::size_t position) {
    if (position >= text.size()) {
        return "the end";
    }
    std::size_t end = position + 1;
    const auto byte = static_cast<unsigned char>(text[position]);
    if (is_name_char(text[position])) {
        while (end < text.size() && is_name_char(text[end])) {
            ++end;
        }
    } else if (byte >= 0xc2 && byte < 0xf5) {  // one UTF-8 character
        while (end < text.size() && end < position + 4 &&
               (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            ++end;
        }
    } else if (byte < 0x20 || byte >= 0x7f) {
        return fmt::format("the byte 0x{:02x}", byte);
    }
    return quote(text, position, end);
}

[[noreturn]] void report(std::string_view text, const Raised& raised, const AstBuilder& builder) {
    const std::size_t at = raised.position;
    const std::string source(text);
    if (raised.wants_close && at == text.size()) {
        const std::size_t open = builder.last_open_bracket();
        throw ParseError(fmt::format("the ( at position {} is never closed", open), source, open);
    }
    if (raised.trouble.expected.empty()) {
        throw ParseError(fmt::format("{} (position {})", raised.trouble.message, at), source, at);
    }
    const bool after_operand = raised.trouble.expected.find("operator") != std::string_view::npos;
    const Definition* last = builder.last_definition();
    if (at == text.size() && last != nullptr &&
        (builder.defines() ? after_operand : !builder.has_begun())) {
        throw ParseError(fmt::format("{} = ... names a part; the expression itself, which comes "
                                     "behind it, is missing (position {})",
                                     last->name, at),
                         source, at);
    }
    throw ParseError(fmt::format("expected {} at position {}, found {}{}", raised.trouble.expected,
                                 at, found_at(text, at), hint_for(text, at, after_operand)),
                     source, at);
}

void check_limits(std::string_view text) {
    if (text.size() > kMaxTextBytes) {
        throw UnsupportedError(fmt::format("the expression has {} bytes, the limit is {}",
                                           text.size(), kMaxTextBytes));
    }
    int nesting = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '#') {  // a comment
            i = std::min(text.find('\n', i), text.size() - 1);
        }
        if (text[i] == '(' && ++nesting > kMaxNesting) {
            throw UnsupportedError(fmt::format(
                "parentheses are nested more than {} deep at position {}", kMaxNesting, i));
        }
        if (text[i] == ')' && nesting > 0) {
            --nesting;
        }
    }
}

}  // namespace

TextAst parse_ast(std::string_view text) {
    check_limits(text);
    AstBuilder builder(text);
    pegtl::memory_input<pegtl::tracking_mode::eager, pegtl::eol::lf, const char*> in(
        text.data(), text.data() + text.size(), "expression");
    try {
        pegtl::parse<grammar::text, Action, Control>(in, builder);
    } catch (const Raised& raised) {
        report(text, raised, builder);
    }
    return builder.result();
}

}  // namespace matgrad::detail
