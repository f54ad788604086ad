#include "expression/foreign_notation.hpp"

#include "expression/names.hpp"

namespace matgrad::detail {
namespace {

enum class Place { operand_expected, operator_expected, anywhere };

/// Notation of other languages. The first row that fits is taken.
struct ForeignNotation {
    std::string_view before;  ///< what ends where reading stopped
    std::string_view at;      ///< what begins there
    Place place;
    std::string_view hint;
};

constexpr std::string_view kTranspose = "the transpose of X is written X'";
constexpr std::string_view kProduct = "a product is written with *";
constexpr std::string_view kPower =
    "a power is written ^ (of a square matrix or a scalar) or .^ (of each entry)";
constexpr std::string_view kNorm =
    "the norm is written norm2(x), a determinant det(A), absolute values abs(A)";
constexpr std::string_view kNoPrefix = "functions have no prefix: exp(A), inv(A)";
constexpr std::string_view kInverse = "an exponent is a number, as in A^-1, which is inv(A)";

// clang-format off
constexpr ForeignNotation kNotation[] = {
    {";",      "",             Place::operator_expected, "parts are named before the expression, as in K = A*A'; logdet(K)"},
    {"np",     ".",            Place::operator_expected, kNoPrefix},
    {"numpy",  ".",            Place::operator_expected, kNoPrefix},
    {"jnp",    ".",            Place::operator_expected, kNoPrefix},
    {"torch",  ".",            Place::operator_expected, kNoPrefix},
    {"tf",     ".",            Place::operator_expected, kNoPrefix},
    {"math",   ".",            Place::operator_expected, kNoPrefix},
    {"scipy",  ".",            Place::operator_expected, kNoPrefix},
    {"",       ".T",           Place::operator_expected, kTranspose},
    {"",       ".mT",          Place::operator_expected, kTranspose},
    {"",       ".H",           Place::operator_expected, kTranspose},
    {"",       ".'",           Place::operator_expected, kTranspose},
    {"",       ".transpose",   Place::operator_expected, kTranspose},
    {"",       ".dot",         Place::operator_expected, kProduct},
    {"",       ".",            Place::operator_expected, "the operators with a dot are .* ./ .^"},
    {"",       "@",            Place::anywhere,          kProduct},
    {"*",      "*",            Place::operand_expected,  kPower},
    {"",       "|",            Place::anywhere,          kNorm},
    {"^",      "{\\top",       Place::anywhere,          kTranspose},
    {"^",      "\\top",        Place::anywhere,          kTranspose},
    {"^",      "{T",           Place::anywhere,          kTranspose},
    {"^",      "top",          Place::anywhere,          kTranspose},
    {"^",      "{",            Place::anywhere,          kInverse},
    {"",       "{",            Place::anywhere,          "brackets are ( and )"},
    {"",       "[",            Place::operand_expected,  "brackets are ( and )"},
    {"",       "=",            Place::operator_expected, "a part is named before the expression, as in K = A*A'; logdet(K)"},
    {"",       ";",            Place::operator_expected, "only parts with a name, K = ..., come before the expression"},
    {"",       ":",            Place::anywhere,          "an index is a whole number, as in X(2,:) and X(1:3,1:k)"},
    {"",       ")",            Place::operator_expected, "no ( matches it"},
    {"",       "(",            Place::operator_expected, kProduct},
    // What stands in Unicode.
    {"",       "\u00b7",       Place::anywhere,          kProduct},    // middle dot
    {"",       "\u22c5",       Place::anywhere,          kProduct},    // dot operator
    {"",       "\u00d7",       Place::anywhere,          kProduct},    // times
    {"",       "\u2299",       Place::anywhere,          "the product of each pair of entries is written .*"},
    {"",       "\u2218",       Place::anywhere,          "the product of each pair of entries is written .*"},
    {"",       "\u2212",       Place::anywhere,          "a minus is written -"},
    {"",       "\u1d40",       Place::anywhere,          kTranspose},  // superscript T
    {"",       "\u22a4",       Place::anywhere,          kTranspose},  // down tack
    {"",       "\u2032",       Place::anywhere,          kTranspose},  // prime
    {"",       "\u2019",       Place::anywhere,          kTranspose},  // typographic quote
    {"",       "\u207b\u00b9", Place::anywhere,          "the inverse of A is written inv(A)"},
    {"",       "\u00b2",       Place::anywhere,          kPower},
    {"",       "\u00b3",       Place::anywhere,          kPower},
    {"",       "\u2016",       Place::anywhere,          kNorm},       // double bar
    {"",       "\u2225",       Place::anywhere,          kNorm},       // parallel
    {"",       "\u2211",       Place::anywhere,          "a sum of all entries is written sum(A)"},
    {"",       "\u221a",       Place::anywhere,          "a root is written sqrt(x)"},
};
// clang-format on

/// Does the word end at `at`, and is it a whole one?
bool ends_with_word(std::string_view text, std::string_view word) {
    if (!text.ends_with(word)) {
        return false;
    }
    const std::size_t begin = text.size() - word.size();
    return word.empty() || !is_name_char(word.front()) || begin == 0 ||
           !is_name_char(text[begin - 1]);
}

bool is_in(Place place, bool after_operand) {
    return place == Place::anywhere || (place == Place::operator_expected) == after_operand;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    return text.substr(0, last + 1);
}

}  // namespace

std::string hint_for(std::string_view text, std::size_t at, bool after_operand) {
    const std::string_view before = trimmed(text.substr(0, at));
    const std::string_view rest = text.substr(at);
    for (const ForeignNotation& row : kNotation) {
        if (is_in(row.place, after_operand) && rest.starts_with(row.at) &&
            ends_with_word(before, row.before)) {
            return "; " + std::string(row.hint);
        }
    }
    if (after_operand && !rest.empty() && is_name_char(rest.front())) {
        return "; " + std::string(kProduct);
    }
    return {};
}

}  // namespace matgrad::detail
