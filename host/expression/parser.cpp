#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <tao/pegtl.hpp>
#include <utility>

#include "expression/ast.hpp"
#include "matgrad/error.hpp"

namespace matgrad::detail {
namespace {

namespace pegtl = tao::pegtl;

// The grammar. A rule that has begun either matches or raises: there is no backtracking past the
// actions below.
namespace grammar {

using pegtl::at;
using pegtl::eof;
using pegtl::if_must;
using pegtl::must;
using pegtl::not_at;
using pegtl::one;
using pegtl::opt;
using pegtl::plus;
using pegtl::seq;
using pegtl::sor;
using pegtl::star;
using pegtl::string;
using pegtl::success;

struct blank : star<one<' ', '\t', '\r', '\n'>> {};
template <typename... Rules>
struct token : seq<Rules..., blank> {};

struct expression;

struct digits : plus<pegtl::digit> {};
// A dot before an operator never belongs to a number: 2.*A is 2 .* A.
struct fraction : seq<one<'.'>, not_at<one<'*', '/', '^', '\'', '+', '-'>>, star<pegtl::digit>> {};
struct mantissa : sor<seq<digits, opt<fraction>>, seq<one<'.'>, digits>> {};
struct decimal_exponent : seq<one<'e', 'E'>, opt<one<'+', '-'>>, digits> {};
struct number : seq<mantissa, opt<decimal_exponent>> {};

struct name : seq<pegtl::alpha, star<sor<pegtl::alnum, one<'_'>>>> {};

struct open_bracket : one<'('> {};
struct close_bracket : one<')'> {};
struct bracket : if_must<token<open_bracket>, expression, token<close_bracket>> {};
struct open_call : one<'('> {};
struct close_call : one<')'> {};
struct arguments : seq<expression, star<if_must<token<one<','>>, expression>>> {};
struct call : if_must<token<open_call>, arguments, token<close_call>> {};
struct word : seq<token<name>, opt<call>> {};
struct literal : token<number> {};
struct operand : sor<literal, word, bracket> {};

struct exponent_number : seq<opt<one<'-'>>, number> {};
struct exponent_close : one<')'> {};
struct exponent : sor<token<exponent_number>,
                      if_must<token<one<'('>>, token<exponent_number>, token<exponent_close>>> {};
struct not_chained : not_at<sor<one<'^'>, string<'.', '^'>>> {};
struct power_sign : one<'^'> {};
struct entry_power_sign : string<'.', '^'> {};
struct quote_mark : one<'\''> {};
struct suffix : sor<token<quote_mark>, if_must<token<power_sign>, exponent, not_chained>,
                    if_must<token<entry_power_sign>, exponent, not_chained>> {};

struct begin_factor : success {};
struct end_factor : success {};
struct minus_sign : one<'-'> {};
struct factor
    : seq<begin_factor, star<token<minus_sign>>, must<operand>, star<suffix>, end_factor> {};

struct begin_chain : success {};
struct end_product : success {};
struct end_sum : success {};
struct times : one<'*'> {};
struct divide : one<'/'> {};
struct entry_times : string<'.', '*'> {};
struct entry_divide : string<'.', '/'> {};
struct product_operator : sor<times, divide, entry_times, entry_divide> {};
struct product
    : seq<begin_chain, factor, star<if_must<token<product_operator>, factor>>, end_product> {};
struct plus_operator : one<'+'> {};
struct minus_operator : one<'-'> {};
struct sum_operator : sor<plus_operator, minus_operator> {};
struct expression
    : seq<begin_chain, product, star<if_must<token<sum_operator>, product>>, end_sum> {};

struct end_of_text : eof {};
struct text : must<blank, expression, end_of_text> {};

}  // namespace grammar

/// Builds the tree from the bottom up while the grammar runs.
class Builder {
public:
    explicit Builder(std::string_view text) : text_(text) {}

    double read_number(std::size_t begin, std::size_t end) const {
        double value = 0;
        const char* first = text_.data() + begin;
        const auto [at, code] = std::from_chars(first, text_.data() + end, value);
        if (code == std::errc::result_out_of_range) {  // too large, or so small that it is 0
            value = std::strtod(std::string(first, text_.data() + end).c_str(), nullptr);
        }
        if (!std::isfinite(value)) {
            throw ParseError(fmt::format("the number {} at position {} is too large",
                                         quote(text_, begin, end), begin),
                             std::string(text_), begin);
        }
        return value;
    }

    void push_number(std::size_t begin, std::size_t end) {
        Ast ast;
        ast.kind = AstKind::number;
        ast.begin = begin;
        ast.end = end;
        ast.number = read_number(begin, end);
        operands_.push_back(std::move(ast));
    }

    void push_name(std::size_t begin, std::size_t end) {
        Ast ast;
        ast.kind = AstKind::name;
        ast.begin = begin;
        ast.end = end;
        ast.name = std::string(text_.substr(begin, end - begin));
        operands_.push_back(std::move(ast));
    }

    void open(std::size_t at) { brackets_.push_back({at, operands_.size()}); }

    void close_bracket(std::size_t end) {
        operands_.back().begin = brackets_.back().at;
        operands_.back().end = end;
        brackets_.pop_back();
    }

    void close_call(std::size_t end) {
        const std::size_t first = brackets_.back().first_operand;
        brackets_.pop_back();
        std::vector<Ast> arguments = take_from(first);
        Ast& called = operands_.back();
        called.kind = AstKind::call;
        called.end = end;
        called.children = std::move(arguments);
    }

    void begin_factor() { minus_runs_.push_back({}); }
    void minus(std::size_t at) {
        MinusRun& run = minus_runs_.back();
        if (run.count++ == 0) {
            run.begin = at;
        }
    }
    void end_factor() {
        const MinusRun run = minus_runs_.back();
        minus_runs_.pop_back();
        if (run.count == 0) {
            return;
        }
        Ast ast;
        ast.begin = run.begin;
        ast.end = operands_.back().end;
        if (run.count % 2 == 0) {  // --A is A
            operands_.back().begin = run.begin;
            return;
        }
        ast.kind = AstKind::negate;
        ast.children = take_from(operands_.size() - 1);
        operands_.push_back(std::move(ast));
    }

    void push_suffix(SuffixKind kind, double exponent, std::size_t end) {
        if (operands_.back().kind != AstKind::postfix || was_bracketed(operands_.back())) {
            Ast ast;
            ast.kind = AstKind::postfix;
            ast.begin = operands_.back().begin;
            ast.children = take_from(operands_.size() - 1);
            operands_.push_back(std::move(ast));
        }
        operands_.back().suffixes.push_back({kind, exponent, end});
        operands_.back().end = end;
    }
    void power(SuffixKind kind) { pending_power_ = kind; }
    void exponent(std::size_t begin, std::size_t end) {
        const bool negative = text_[begin] == '-';
        const double value = read_number(begin + (negative ? 1 : 0), end);
        push_suffix(pending_power_, negative ? -value : value, end);
    }

    void begin_chain() { chains_.push_back({operands_.size(), {}}); }
    void push_operator(BinaryOp op) { chains_.back().operators.push_back(op); }
    void end_chain(AstKind kind) {
        Chain chain = std::move(chains_.back());
        chains_.pop_back();
        if (chain.operators.empty()) {
            return;
        }
        Ast ast;
        ast.kind = kind;
        ast.children = take_from(chain.first_operand);
        ast.operators = std::move(chain.operators);
        ast.begin = ast.children.front().begin;
        ast.end = ast.children.back().end;
        operands_.push_back(std::move(ast));
    }

    [[nodiscard]] Ast result() { return std::move(operands_.back()); }
    [[nodiscard]] std::size_t last_open_bracket() const { return brackets_.back().at; }

private:
    struct Bracket {
        std::size_t at;
        std::size_t first_operand;
    };
    struct Chain {
        std::size_t first_operand;
        std::vector<BinaryOp> operators;
    };
    struct MinusRun {
        std::size_t begin = 0;
        std::size_t count = 0;
    };

    std::vector<Ast> take_from(std::size_t first) {
        const auto begin = operands_.begin() + static_cast<std::ptrdiff_t>(first);
        std::vector<Ast> taken(std::make_move_iterator(begin),
                               std::make_move_iterator(operands_.end()));
        operands_.erase(begin, operands_.end());
        return taken;
    }
    [[nodiscard]] static bool was_bracketed(const Ast& postfix) {
        return postfix.begin != postfix.children.front().begin ||
               postfix.end != postfix.suffixes.back().end;
    }

    std::string_view text_;
    std::vector<Ast> operands_;
    std::vector<Bracket> brackets_;
    std::vector<Chain> chains_;
    std::vector<MinusRun> minus_runs_;
    SuffixKind pending_power_ = SuffixKind::power;
};

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
struct Action<grammar::literal> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        const std::string_view s = in.string_view();
        const std::size_t length = s.find_last_not_of(" \t\r\n") + 1;
        b.push_number(begin_of(in), begin_of(in) + length);
    }
};
template <>
struct Action<grammar::name> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.push_name(begin_of(in), end_of(in));
    }
};
template <>
struct Action<grammar::open_bracket> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.open(begin_of(in));
    }
};
template <>
struct Action<grammar::open_call> : Action<grammar::open_bracket> {};
template <>
struct Action<grammar::close_bracket> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.close_bracket(end_of(in));
    }
};
template <>
struct Action<grammar::close_call> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.close_call(end_of(in));
    }
};
template <>
struct Action<grammar::begin_factor> {
    static void apply0(Builder& b) { b.begin_factor(); }
};
template <>
struct Action<grammar::end_factor> {
    static void apply0(Builder& b) { b.end_factor(); }
};
template <>
struct Action<grammar::minus_sign> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.minus(begin_of(in));
    }
};
template <>
struct Action<grammar::quote_mark> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.push_suffix(SuffixKind::transpose, 0, end_of(in));
    }
};
template <>
struct Action<grammar::power_sign> {
    static void apply0(Builder& b) { b.power(SuffixKind::power); }
};
template <>
struct Action<grammar::entry_power_sign> {
    static void apply0(Builder& b) { b.power(SuffixKind::entry_power); }
};
template <>
struct Action<grammar::exponent_number> {
    template <typename Input>
    static void apply(const Input& in, Builder& b) {
        b.exponent(begin_of(in), end_of(in));
    }
};
template <>
struct Action<grammar::begin_chain> {
    static void apply0(Builder& b) { b.begin_chain(); }
};
template <>
struct Action<grammar::end_product> {
    static void apply0(Builder& b) { b.end_chain(AstKind::product); }
};
template <>
struct Action<grammar::end_sum> {
    static void apply0(Builder& b) { b.end_chain(AstKind::sum); }
};
template <BinaryOp kOp>
struct PushOperator {
    static void apply0(Builder& b) { b.push_operator(kOp); }
};
template <>
struct Action<grammar::times> : PushOperator<BinaryOp::times> {};
template <>
struct Action<grammar::divide> : PushOperator<BinaryOp::divide> {};
template <>
struct Action<grammar::entry_times> : PushOperator<BinaryOp::entry_times> {};
template <>
struct Action<grammar::entry_divide> : PushOperator<BinaryOp::entry_divide> {};
template <>
struct Action<grammar::plus_operator> : PushOperator<BinaryOp::plus> {};
template <>
struct Action<grammar::minus_operator> : PushOperator<BinaryOp::minus> {};

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
inline constexpr Trouble kTrouble<grammar::exponent> = {"a number as exponent", {}};
template <>
inline constexpr Trouble kTrouble<grammar::token<grammar::exponent_number>> = {
    "a number as exponent", {}};
template <>
inline constexpr Trouble kTrouble<grammar::token<grammar::exponent_close>> = {
    ") after the exponent", {}};
template <>
inline constexpr Trouble kTrouble<grammar::not_chained> = {
    {}, "a power of a power needs parentheses, as in (A^2)^3"};
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

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

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

[[noreturn]] void report(std::string_view text, const Raised& raised, const Builder& builder) {
    const std::size_t at = raised.position;
    const std::string source(text);
    if (raised.wants_close && at == text.size()) {
        const std::size_t open = builder.last_open_bracket();
        throw ParseError(fmt::format("the ( at position {} is never closed", open), source, open);
    }
    if (raised.trouble.expected.empty()) {
        throw ParseError(fmt::format("{} (position {})", raised.trouble.message, at), source, at);
    }
    const std::string found = found_at(text, at);
    std::string hint;
    const bool after_operand = raised.trouble.expected.find("operator") != std::string_view::npos;
    if (after_operand && at < text.size()) {
        if (is_name_char(text[at]) || text[at] == '(') {
            hint = "; a product is written with *";
        } else if (text[at] == ')') {
            hint = "; no ( matches it";
        } else if (text[at] == '.') {
            hint = "; the operators with a dot are .* ./ .^";
        }
    }
    throw ParseError(fmt::format("expected {} at position {}, found {}{}", raised.trouble.expected,
                                 at, found, hint),
                     source, at);
}

void check_limits(std::string_view text) {
    if (text.size() > kMaxTextBytes) {
        throw UnsupportedError(fmt::format("the expression has {} bytes, the limit is {}",
                                           text.size(), kMaxTextBytes));
    }
    int nesting = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
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

Ast parse_ast(std::string_view text) {
    check_limits(text);
    Builder builder(text);
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
