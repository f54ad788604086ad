#include "io/npy_dictionary.hpp"

#include <fmt/format.h>

#include <limits>

#include "matgrad/error.hpp"

namespace matgrad::detail {

namespace {

constexpr std::size_t kMaxDimsRead = 64;  // NumPy's own limit: 32 before version 2, 64 from there

class DictionaryParser {
public:
    DictionaryParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    NpyDictionary parse() {
        NpyDictionary result;
        expect('{');
        while (!accept('}')) {
            entry(result);
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_blanks();
        if (at_ != text_.size()) {
            fail("nothing but blanks after the dictionary");
        }
        return result;
    }

private:
    [[noreturn]] void fail(std::string_view expected) const {
        const std::string found =
            at_ < text_.size()
                ? fmt::format("{} at its byte {}", quote_file_text(text_.substr(at_, 1)), at_)
                : std::string("its end");
        throw FileError(
            fmt::format("{}: malformed header: found {}, expected {}", name_, found, expected));
    }

    [[nodiscard]] bool is_at(std::string_view any_of) const {
        return at_ < text_.size() && any_of.find(text_[at_]) != std::string_view::npos;
    }

    void skip_blanks() {
        while (is_at(" \t\r\n")) {
            ++at_;
        }
    }

    bool accept(char c) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c) {
            return false;
        }
        ++at_;
        return true;
    }

    void expect(char c) {
        if (!accept(c)) {
            fail(fmt::format("'{}'", c));
        }
    }

    bool accept_word(std::string_view word) {
        skip_blanks();
        if (text_.substr(at_, word.size()) != word) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    std::string string() {
        skip_blanks();
        if (!is_at("'\"")) {
            fail("a string");
        }
        const char quote = text_[at_];
        const std::size_t begin = at_ + 1;
        const std::size_t end = text_.find_first_of(quote == '"' ? "\"\\" : "'\\", begin);
        if (end == std::string_view::npos || text_[end] == '\\') {
            at_ = end == std::string_view::npos ? text_.size() : end;
            fail("the end of a string");
        }
        at_ = end + 1;
        return std::string(text_.substr(begin, end - begin));
    }

    std::int64_t size() {
        constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
        skip_blanks();
        const std::size_t begin = at_;
        std::int64_t result = 0;
        while (is_at("0123456789")) {
            const int digit = text_[at_] - '0';
            if (result > (kLargest - digit) / 10) {
                throw FileError(fmt::format("{}: a size in its header exceeds 64 bits", name_));
            }
            result = 10 * result + digit;
            ++at_;
        }
        if (at_ == begin) {
            fail("a size");
        }
        if (result != 0 &&
            text_[begin] == '0') {  // to Python 3 an error, to Python 2 another number
            at_ = begin;
            fail("a size without leading zeros");
        }
        if (is_at("L")) {
            ++at_;  // Python 2 wrote long integers so
        }
        return result;
    }

    std::vector<std::int64_t> shape() {
        std::vector<std::int64_t> result;
        expect('(');
        while (!accept(')')) {
            result.push_back(size());
            if (result.size() > kMaxDimsRead) {
                fail("fewer dimensions");
            }
            if (accept(',')) {
                continue;
            }
            if (result.size() == 1) {
                fail("',': a tuple of one size is written (n,)");
            }
            expect(')');
            break;
        }
        return result;
    }

    bool boolean() {
        if (accept_word("True")) {
            return true;
        }
        if (!accept_word("False")) {
            fail("True or False");
        }
        return false;
    }

    void entry(NpyDictionary& result) {
        const std::string key = string();
        const bool is_known = key == "descr" || key == "fortran_order" || key == "shape";
        const bool is_repeated = (key == "descr" && result.descr) ||
                                 (key == "fortran_order" && result.fortran_order) ||
                                 (key == "shape" && result.shape);
        if (!is_known || is_repeated) {
            throw FileError(fmt::format("{}: malformed header: {} key {}", name_,
                                        is_known ? "repeated" : "unknown", quote_file_text(key)));
        }
        expect(':');
        if (key == "shape") {
            result.shape = shape();
        } else if (key == "fortran_order") {
            result.fortran_order = boolean();
        } else {
            refuse_records();
            result.descr = string();
        }
    }

    // A list of fields: understood well enough to say so.
    void refuse_records() {
        skip_blanks();
        if (is_at("[(")) {
            throw FileError(
                fmt::format("{}: holds records of several fields, expected numbers: save one "
                            "field, as in a['x']",
                            name_));
        }
    }

    std::string_view text_;
    std::string_view name_;
    std::size_t at_ = 0;
};

}  // namespace

NpyDictionary parse_npy_dictionary(std::string_view text, std::string_view name) {
    return DictionaryParser(text, name).parse();
}

std::string quote_file_text(std::string_view text) {
    constexpr std::size_t kLongest = 40;
    std::string result = "'";
    for (const char c : text.substr(0, kLongest)) {
        if (c >= ' ' && c <= '~') {
            result += c;
        } else {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return result + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace matgrad::detail
