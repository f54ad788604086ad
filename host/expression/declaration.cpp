#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "expression/guarded.hpp"
#include "expression/names.hpp"

namespace matgrad {
namespace {

struct StructureName {
    std::string_view name;
    Structure structure;
};
constexpr StructureName kStructures[] = {
    {"sym", Structure::symmetric}, {"spd", Structure::positive}, {"diag", Structure::diagonal},
    {"lower", Structure::lower},   {"upper", Structure::upper},  {"orth", Structure::orthogonal},
};
constexpr std::string_view kPositiveScalar = "pos";  // what `spd` says of a 1-by-1 matrix

std::string_view name_of(Structure structure, const Shape& shape) {
    if (structure == Structure::positive && shape.is_scalar()) {
        return kPositiveScalar;
    }
    for (const StructureName& s : kStructures) {
        if (s.structure == structure) {
            return s.name;
        }
    }
    return {};
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Reads the declaration from left to right.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::string word(const char* what) {
        skip_blanks();
        const std::size_t begin = at_;
        while (at_ < text_.size() && detail::is_name_char(text_[at_])) {
            ++at_;
        }
        if (begin == at_) {
            fail(what);
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    Dim dim() {
        skip_blanks();
        if (at_ >= text_.size() || !is_digit(text_[at_])) {
            return Dim::named(word("a dimension (a name or a number)"));
        }
        std::int64_t size = 0;
        const char* const first = text_.data() + at_;
        const auto [stop, code] = std::from_chars(first, text_.data() + text_.size(), size);
        if (code != std::errc()) {
            throw ShapeError(fmt::format(
                "declaration {}: the size {} is too large", detail::quote(text_, 0, text_.size()),
                std::string_view(first, static_cast<std::size_t>(stop - first))));
        }
        at_ += static_cast<std::size_t>(stop - first);
        return Dim::literal(size);
    }

    bool take(char c) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c) {
            return false;
        }
        ++at_;
        return true;
    }
    void expect(char c, const char* what) {
        if (!take(c)) {
            fail(what);
        }
    }
    void expect_end(const char* what) {
        skip_blanks();
        if (at_ != text_.size()) {
            fail(what);
        }
    }

private:
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) {
            ++at_;
        }
    }
    [[noreturn]] void fail(const char* expected) const {
        const std::string found =
            at_ == text_.size() ? "the end" : detail::quote(text_, at_, at_ + 1);
        throw ParseError(fmt::format("declaration {}: expected {} at position {}, found {}; "
                                     "a declaration is X=m,n or x=n or t=1 or S=n,n:spd",
                                     detail::quote(text_, 0, text_.size()), expected, at_, found),
                         std::string(text_), at_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_dim(const Dim& dim) {
    return dim.name.empty() ? dim.size >= 1 : detail::is_name(dim.name) && dim.size == 0;
}

Structure read_structure(std::string_view text, const std::string& word, const Declaration& d) {
    if (word == kPositiveScalar) {
        if (!d.shape.is_scalar()) {
            throw ShapeError(fmt::format(
                "declaration {}: pos needs a scalar, {} is {}; a positive definite matrix is spd",
                detail::quote(text, 0, text.size()), d.name, d.shape.text()));
        }
        return Structure::positive;
    }
    for (const StructureName& s : kStructures) {
        if (s.name == word) {
            return s.structure;
        }
    }
    throw NameError(fmt::format(
        "declaration {}: there is no structure {}; it is one of sym spd diag lower upper orth pos",
        detail::quote(text, 0, text.size()), word));
}

}  // namespace

bool detail::is_name_char(char c) {
    return is_letter(c) || is_digit(c) || c == '_';
}

bool detail::is_name(std::string_view name) {
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), is_name_char);
}

void detail::check_dim(const Dim& dim, std::string_view place) {
    if (dim.name.empty() && dim.size < 1) {
        throw ShapeError(fmt::format("{}: a size must be at least 1, found {}", place, dim.size));
    }
    if (!is_dim(dim)) {
        throw NameError(
            fmt::format("{}: the dimension {} is malformed: a letter, then letters, digits or _",
                        place, quote(dim.name, 0, dim.name.size())));
    }
}

void detail::check_declaration(const Declaration& d) {
    if (!is_name(d.name)) {
        throw NameError(fmt::format("the name {} is malformed: a letter, then letters, digits or _",
                                    quote(d.name, 0, d.name.size())));
    }
    for (const Dim* dim : {&d.shape.rows, &d.shape.cols}) {
        if (dim->name.empty() && dim->size < 1) {
            check_dim(*dim, "declaration " + to_text(d));
        } else if (!is_dim(*dim)) {
            check_dim(*dim, "declaration " + d.name);
        }
    }
    const bool any_shape =
        d.structure == Structure::general || d.structure == Structure::orthogonal;
    if (!any_shape && !d.shape.is_square()) {
        throw ShapeError(fmt::format("declaration {}: {} needs a square matrix, {} is {}",
                                     to_text(d), name_of(d.structure, d.shape), d.name,
                                     d.shape.text()));
    }
}

Declaration parse_declaration(std::string_view text) try {
    if (text.size() > detail::kMaxTextBytes) {
        throw UnsupportedError(fmt::format("the declaration has {} bytes, the limit is {}",
                                           text.size(), detail::kMaxTextBytes));
    }
    Reader reader(text);
    Declaration d;
    d.name = reader.word("a name");
    reader.expect('=', "=");
    d.shape.rows = reader.dim();
    d.shape.cols = reader.take(',') ? reader.dim() : Dim::literal(1);
    if (reader.take(':')) {
        d.structure = read_structure(text, reader.word("a structure"), d);
    }
    reader.expect_end("the end");
    detail::check_declaration(d);
    return d;
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_text(const Declaration& d) try {
    std::string text = d.name + "=" + d.shape.rows.text();
    if (!d.shape.cols.is_one()) {
        text += "," + d.shape.cols.text();
    }
    if (d.structure != Structure::general) {
        text += ":";
        text += name_of(d.structure, d.shape);
    }
    return text;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
