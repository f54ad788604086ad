#include "cli/number.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "matgrad/error.hpp"

namespace matgrad {
namespace {

constexpr const char* kSpaces = " \t\n\r\v\f";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Whether the word begins as a number does: spaces and signs, then a digit, or a point and a digit.
bool begins_as_number(const std::string& word) {
    const std::size_t at = word.find_first_not_of(std::string(kSpaces) + "+-");
    if (at == std::string::npos) {
        return false;
    }
    return is_digit(word[at]) ||
           (word[at] == '.' && at + 1 < word.size() && is_digit(word[at + 1]));
}

/// Whether the word has none of the characters of a path but those that a number has too.
bool may_be_meant_as_number(const std::string& word) {
    constexpr const char* kOfNumbers = "0123456789+-.,_eExXpPaAbBcCdDfFlLiIjJ \t\n\r\v\f";
    return begins_as_number(word) && word.find_first_not_of(kOfNumbers) == std::string::npos;
}

}  // namespace

std::optional<double> number_of_word(const std::string& operand, const std::string& word) {
    const bool has_plus = word.size() > 1 && word[0] == '+' && word[1] != '-';
    const char* const begin = word.data() + (has_plus ? 1 : 0);
    const char* const end = word.data() + word.size();
    double value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    const bool is_whole = stop == end && !word.empty();
    if (is_whole && error == std::errc()) {
        return value;
    }
    if (!may_be_meant_as_number(word) || ::access(word.c_str(), F_OK) == 0) {
        return std::nullopt;
    }
    if (is_whole && error == std::errc::result_out_of_range) {
        throw OperandError(
            fmt::format("operand {}: found {}, expected a number of double's range, 4.9e-324 to "
                        "1.8e308, 0 or inf",
                        operand, word));
    }
    throw OperandError(
        fmt::format("operand {}: found '{}', expected a number in decimal, such as -0.5 or 1e-3, "
                    "or a .npy file",
                    operand, word));
}

void check_number_fits(const std::string& operand, double number, ScalarType type) {
    if (type != ScalarType::float32 || !std::isfinite(number) || number == 0) {
        return;
    }
    const auto narrow = static_cast<float>(number);
    if (!std::isfinite(narrow) || narrow == 0) {
        throw OperandError(fmt::format(
            "operand {}: found {}, expected a number of float32's range, 1.4e-45 to 3.4e38, as the "
            "other operands are float32",
            operand, number));
    }
}

}  // namespace matgrad
