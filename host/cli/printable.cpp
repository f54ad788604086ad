#include "cli/printable.hpp"

#include <fmt/format.h>

namespace matgrad {
namespace {

/// One character of a text: its bytes, and whether a terminal may be shown it.
struct Character {
    std::string_view bytes;
    bool is_shown = false;
};

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// How many bytes the first byte says that its character has; 0 if none begins so.
std::size_t length_of(unsigned char first) {
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        return 3;
    }
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// C0, DEL, C1; and marks that turn the direction of the text after them.
bool is_control(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (bytes.size() == 1) {
        return byte(0) < 0x20 || byte(0) == 0x7f;
    }
    if (bytes.size() == 2) {
        return byte(0) == 0xc2 && byte(1) < 0xa0;
    }
    if (bytes.size() == 3 && byte(0) == 0xe2) {
        return (byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) ||
               (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
    }
    return false;
}

Character first_of(std::string_view text) {
    const std::size_t length = length_of(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) {
        return {text.substr(0, 1), false};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if (!continues(text[i])) {
            return {text.substr(0, 1), false};
        }
    }
    return {text.substr(0, length), !is_control(text.substr(0, length))};
}

template <typename Replace>
std::string replaced(std::string_view text, const Replace& replace) {
    std::string result;
    while (!text.empty()) {
        const Character character = first_of(text);
        if (character.is_shown) {
            result += character.bytes;
        } else {
            replace(result, character.bytes);
        }
        text.remove_prefix(character.bytes.size());
    }
    return result;
}

}  // namespace

std::string printable(std::string_view text) {
    return replaced(text, [](std::string& result, std::string_view bytes) {
        for (const char c : bytes) {
            switch (c) {
                case '\n':
                    result += "\\n";
                    break;
                case '\t':
                    result += "\\t";
                    break;
                case '\r':
                    result += "\\r";
                    break;
                default:
                    result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
            }
        }
    });
}

std::string printable_lines(std::string_view text) {
    return replaced(text, [](std::string& result, std::string_view bytes) {
        result += bytes == "\n" ? "\n" : "?";
    });
}

}  // namespace matgrad
