#pragma once
/// \file The grammar of the language, for PEGTL. Seen by parser.cpp alone.

#include <tao/pegtl.hpp>

namespace matgrad::detail {

namespace pegtl = tao::pegtl;

/// A rule that has begun either matches or raises: there is no backtracking past the
/// actions in parser.cpp.
namespace grammar {

using pegtl::at;
using pegtl::eof;
using pegtl::if_must;
using pegtl::must;
using pegtl::not_at;
using pegtl::not_one;
using pegtl::one;
using pegtl::opt;
using pegtl::plus;
using pegtl::seq;
using pegtl::sor;
using pegtl::star;
using pegtl::string;
using pegtl::success;

struct comment : seq<one<'#'>, star<not_one<'\n'>>> {};
struct blank : star<sor<one<' ', '\t', '\r', '\n'>, comment>> {};
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
// One index of a part: `:`, `3`, `2:5`, `1:k`.
struct index_all : one<':'> {};
struct index_first : digits {};
struct index_last : digits {};
struct index_name : name {};
struct index_end : seq<token<one<':'>>, sor<token<index_last>, token<index_name>>> {};
struct index : sor<token<index_all>, seq<token<index_first>, opt<index_end>>> {};
struct open_part : one<'('> {};
struct close_part : one<')'> {};
struct part : seq<token<open_part>, index, star<token<one<','>>, index>, token<close_part>> {};
// What it takes a part of is found first: nothing is read twice.
struct part_ahead : seq<at<part>, part> {};
// Of a name, numbers alone are the arguments of a call until it is known what the name is: f(2).
struct numbers
    : seq<token<one<'('>>, token<digits>, star<token<one<','>>, token<digits>>, one<')'>> {};
struct part_of_name : seq<not_at<numbers>, part_ahead> {};

struct arguments : seq<expression, star<if_must<token<one<','>>, expression>>> {};
struct call : if_must<token<open_call>, arguments, token<close_call>> {};
struct word : seq<token<name>, opt<sor<part_of_name, call>>> {};
struct literal_number : number {};
struct literal : token<literal_number> {};
struct operand : sor<literal, seq<sor<word, bracket>, star<part_ahead>>> {};

struct begin_exponent : success {};
struct end_exponent : success {};
struct exponent_minus : one<'-'> {};
struct exponent : seq<begin_exponent, opt<token<exponent_minus>>, operand, end_exponent> {};
struct not_chained : not_at<sor<one<'^'>, string<'.', '^'>>> {};
struct power_sign : one<'^'> {};
struct entry_power_sign : string<'.', '^'> {};
struct quote_mark : one<'\''> {};
// x^T would be a power: the transpose of x is x'.
struct not_transposed : not_at<one<'T'>, not_at<sor<pegtl::alnum, one<'_'>>>> {};
struct suffix : sor<seq<token<quote_mark>, star<part_ahead>>,
                    if_must<token<power_sign>, not_transposed, exponent, not_chained>,
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
struct left_divide : one<'\\'> {};
struct entry_times : string<'.', '*'> {};
struct entry_divide : string<'.', '/'> {};
struct product_operator : sor<times, divide, left_divide, entry_times, entry_divide> {};
struct product
    : seq<begin_chain, factor, star<if_must<token<product_operator>, factor>>, end_product> {};
struct plus_operator : one<'+'> {};
struct minus_operator : one<'-'> {};
struct sum_operator : sor<plus_operator, minus_operator> {};
struct sum : seq<begin_chain, product, star<if_must<token<sum_operator>, product>>, end_sum> {};

struct end_comparison : success {};
struct less_equal : string<'<', '='> {};
struct less : one<'<'> {};
struct greater_equal : string<'>', '='> {};
struct greater : one<'>'> {};
struct comparison_operator : sor<less_equal, less, greater_equal, greater> {};
struct not_compared : not_at<comparison_operator> {};
struct expression
    : seq<begin_chain, sum, opt<if_must<token<comparison_operator>, sum, not_compared>>,
          end_comparison> {};

/// Matches where only blanks lie between this place and the beginning of its line.
struct at_line_begin {
    template <typename Input>
    static bool match(Input& in) noexcept {
        const char* at = in.current();
        while (at != in.begin() && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\r')) {
            --at;
        }
        return at != in.begin() && at[-1] == '\n';
    }
};
struct semicolon : one<';'> {};
struct equals : seq<one<'='>, not_at<one<'='>>> {};
struct definition_ahead : at<name, blank, equals> {};
struct defined_name : name {};
// A value that goes on with a line that begins with an operator is read on.
struct end_of_definition : sor<plus<token<semicolon>>, at_line_begin> {};
struct end_definition : success {};
struct definition : if_must<definition_ahead, token<defined_name>, token<equals>, expression,
                            end_of_definition, end_definition> {};

struct end_of_text : eof {};
struct text : must<blank, star<definition>, expression, star<token<semicolon>>, end_of_text> {};

}  // namespace grammar

}  // namespace matgrad::detail
