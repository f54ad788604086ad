#include "matgrad/error.hpp"

#include <algorithm>

#include "expression/ast.hpp"
#include "expression/guarded.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kColumns = 100;

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // UTF-8
}

std::size_t count_columns(std::string_view s) {
    return static_cast<std::size_t>(
        std::count_if(s.begin(), s.end(), [](char c) { return !continues_character(c); }));
}

/// At most `columns` characters forward from `at`.
std::size_t forward(std::string_view s, std::size_t at, std::size_t columns) {
    for (; columns > 0 && at < s.size(); --columns) {
        ++at;
        while (at < s.size() && continues_character(s[at])) {
            ++at;
        }
    }
    return at;
}

/// At most `columns` characters backward from `at`.
std::size_t backward(std::string_view s, std::size_t at, std::size_t columns) {
    for (; columns > 0 && at > 0; --columns) {
        --at;
        while (at > 0 && continues_character(s[at])) {
            --at;
        }
    }
    return at;
}

}  // namespace

std::string ParseError::excerpt() const try {
    const std::string_view text = source_;
    const std::size_t position = std::min(position_, text.size());
    const std::size_t line_begin = text.substr(0, position).rfind('\n') + 1;  // npos + 1 is 0
    const std::size_t line_end = std::min(text.find('\n', position), text.size());
    const std::string_view line = text.substr(line_begin, line_end - line_begin);
    const std::size_t at = position - line_begin;

    std::size_t begin = 0;
    std::size_t end = line.size();
    if (count_columns(line) > kColumns) {
        begin = backward(line, at, kColumns * 6 / 10);
        end = forward(line, at, kColumns * 3 / 10);
    }
    constexpr std::string_view kEllipsis = "...";
    std::string shown;
    std::size_t caret = count_columns(line.substr(begin, at - begin));
    if (begin != 0) {
        shown += kEllipsis;
        caret += kEllipsis.size();
    }
    for (const char c : line.substr(begin, end - begin)) {
        const auto byte = static_cast<unsigned char>(c);
        shown += byte < 0x20 || byte == 0x7f ? ' ' : c;  // a tab is one column
    }
    if (end != line.size()) {
        shown += kEllipsis;
    }
    return shown + "\n" + std::string(caret, ' ') + "^";
} catch (...) {
    detail::throw_as_matgrad();
}

std::string detail::quote(std::string_view text, std::size_t begin, std::size_t end) {
    constexpr std::size_t kLongest = 60;
    std::string result;
    for (const char c : text.substr(begin, end - begin)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte != 0x7f) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    if (count_columns(result) > kLongest) {
        const std::size_t head = forward(result, 0, kLongest * 2 / 3);
        const std::size_t tail = backward(result, result.size(), kLongest / 3 - 3);
        result = result.substr(0, head) + "..." + result.substr(tail);
    }
    return result;
}

}  // namespace matgrad
