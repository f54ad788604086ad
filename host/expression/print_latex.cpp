#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "expression/build.hpp"
#include "expression/functions.hpp"
#include "expression/print_parts.hpp"

namespace matgrad {
namespace {

/// How tightly a formula holds together; an operand looser than its place is put in brackets.
enum class Level { sum, negative, product, scripted, atom };

struct Text {
    std::string text;
    Level level = Level::atom;
};

Text print(const Expr& e);

std::string bracket(const std::string& text) {
    return "\\left(" + text + "\\right)";
}

std::string print_at(const Expr& e, Level least) {
    Text t = print(e);
    return t.level >= least ? std::move(t.text) : bracket(t.text);
}

/// 0.5, 3, 2.5 \cdot 10^{-7}.
Text print_number(double value) {
    const std::string text = fmt::format("{}", value + 0.0);
    const Level sign = value < 0 ? Level::negative : Level::atom;
    const std::size_t e = text.find('e');
    if (e == std::string::npos) {
        return {text, sign};
    }
    const std::string mantissa = text.substr(0, e);
    const std::string power = fmt::format("10^{{{}}}", std::stoi(text.substr(e + 1)));
    if (mantissa == "1") {
        return {power, Level::scripted};
    }
    return {mantissa == "-1" ? "-" + power : mantissa + " \\cdot " + power,
            value < 0 ? Level::negative : Level::product};
}

/// One letter stands upright in italics; longer names and what follows `_` do not fall apart.
std::string print_name(const std::string& name) {
    const std::size_t bar = name.find('_');
    const std::string head = name.substr(0, bar);
    std::string text = head.size() == 1 ? head : "\\mathit{" + head + "}";
    if (bar != std::string::npos && bar + 1 < name.size()) {
        std::string index;
        for (const char c : name.substr(bar + 1)) {
            index += c == '_' ? std::string("\\_") : std::string(1, c);
        }
        text += "_{\\mathrm{" + index + "}}";
    }
    return text;
}

std::string print_dim(const Dim& dim) {
    return dim.name.empty() ? dim.text() : print_name(dim.name);
}

/// `base^{script}`; the base is bracketed unless it is an atom.
Text with_script(const Expr& base, const std::string& script) {
    return {print_at(base, Level::atom) + "^{" + script + "}", Level::scripted};
}

Text print_powered(const detail::Powered& p) {
    if (p.exponent == 1) {
        return print(p.base);
    }
    const std::string_view mark = p.base.shape().is_scalar() ? "" : "\\circ ";
    return with_script(p.base, fmt::format("{}{}", mark, p.exponent));
}

std::string factor(const Text& t) {
    return t.level >= Level::scripted ? t.text : bracket(t.text);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) {
            const bool digits_meet = part.front() >= '0' && part.front() <= '9';
            text += digits_meet && separator == " " ? std::string_view(" \\cdot ") : separator;
        }
        text += part;
    }
    return text;
}

void append_chain(const std::vector<Expr>& matrices, std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < matrices.size();) {
        std::size_t run = 1;
        while (i + run < matrices.size() && matrices[i + run] == matrices[i]) {
            ++run;
        }
        parts.push_back(run == 1 ? print_at(matrices[i], Level::scripted)
                                 : with_script(matrices[i], std::to_string(run)).text);
        i += run;
    }
}

std::vector<std::string> factors(const std::vector<detail::Powered>& powered) {
    std::vector<std::string> parts;
    for (const detail::Powered& p : powered) {
        parts.push_back(factor(print_powered(p)));
    }
    return parts;
}

Text print_product(const Expr& e) {
    const detail::Fraction f = detail::split_product(e);
    std::vector<std::string> parts;
    const double magnitude = std::fabs(f.number);
    if (magnitude != 1) {
        parts.push_back(print_number(magnitude).text);
    }
    std::vector<std::string> scalars = factors(f.scalars);
    const bool matrix_follows =
        !f.matrices.empty() || !f.entries.empty() || !f.entries_below.empty();
    if (!scalars.empty() && !matrix_follows && f.scalars.back().exponent == 1) {
        scalars.back() = print_at(f.scalars.back().base, Level::product);
    }
    parts.insert(parts.end(), scalars.begin(), scalars.end());
    append_chain(f.matrices, parts);
    std::vector<std::string> entries = factors(f.entries);
    if (entries.empty() && !f.entries_below.empty()) {
        entries.push_back(parts.empty() ? "1" : join(parts, " "));
        parts.clear();
    }
    if (!entries.empty()) {
        std::string text = join(entries, " \\odot ");
        for (const std::string& below : factors(f.entries_below)) {
            text += " \\oslash " + below;
        }
        parts.push_back(std::move(text));
    }
    const bool one_part = parts.size() == 1 && f.entries.size() <= 1 && f.entries_below.empty();
    std::string text = parts.empty() ? "1" : join(parts, " ");
    Level level = one_part ? Level::scripted : Level::product;
    if (!f.scalars_below.empty()) {
        std::vector<std::string> below = factors(f.scalars_below);
        if (below.size() == 1 && f.scalars_below.front().exponent == 1) {
            below.front() = print(f.scalars_below.front().base).text;
        }
        if (f.number == 1 && parts.size() == 1 &&
            f.matrices.size() == 1) {  // no brackets above a bar
            text = print(f.matrices.front()).text;
        }
        text = "\\frac{" + text + "}{" + join(below, " ") + "}";
        level = Level::product;
    }
    return f.number < 0 ? Text{"-" + text, Level::negative} : Text{std::move(text), level};
}

Text print_sum(const Expr& e) {
    std::string text;
    for (const Expr& t : detail::spread_scalars(e)) {
        const Text term = print(t);
        if (text.empty()) {
            text = term.level == Level::sum ? bracket(term.text) : term.text;
        } else if (term.level == Level::negative) {
            text += " - " + term.text.substr(1);
        } else {
            text += " + " + (term.level == Level::sum ? bracket(term.text) : term.text);
        }
    }
    return {std::move(text), Level::sum};
}

Text print_function(const Expr& e) {
    const Expr& y = e->children.front();
    const bool scalar = e.shape().is_scalar();
    if (e->op == Op::logdet) {
        return {"\\log\\left|\\det" + bracket(print(y).text) + "\\right|"};
    }
    if (e->op == Op::norm2) {
        return {"\\left\\|" + print(y).text + "\\right\\|_{" + (y.shape().is_column() ? "2" : "F") +
                "}"};
    }
    if (e->op == Op::norm1) {
        const std::string inner = print(y).text;
        return {"\\left\\|" +
                (y.shape().is_column() ? inner : "\\operatorname{vec}" + bracket(inner)) +
                "\\right\\|_{1}"};
    }
    if (e->op == Op::abs && scalar) {
        return {"\\left|" + print(y).text + "\\right|"};
    }
    if (e->op == Op::sqrt && scalar) {
        return {"\\sqrt{" + print(y).text + "}"};
    }
    std::string inner;
    for (const Expr& a : detail::arguments_of(e)) {
        inner += (inner.empty() ? "" : ", ") + print(a).text;
    }
    const detail::Function& function = *detail::function_of(e->op);
    return {(function.latex.empty() ? fmt::format("\\operatorname{{{}}}", function.name)
                                    : std::string(function.latex)) +
            bracket(inner)};
}

Text print(const Expr& e) {
    switch (e->op) {
        case Op::number:
            return print_number(e->number);
        case Op::symbol:
            return {print_name(e->name)};
        case Op::eye:
            return {"I_{" + print_dim(e.shape().rows) + "}"};
        case Op::ones:
            return {"\\mathbf{1}_{" + print_dim(e.shape().rows) + " \\times " +
                    print_dim(e.shape().cols) + "}"};
        case Op::add:
            return print_sum(e);
        case Op::product:
        case Op::hadamard:
        case Op::power:
            return print_product(e);
        case Op::transpose: {
            const Expr& y = e->children.front();
            return y->op == Op::inverse ? with_script(y->children.front(), "-\\top")
                                        : with_script(y, "\\top");
        }
        case Op::inverse:
            return with_script(e->children.front(), "-1");
        case Op::dot:
            return {"\\left\\langle " + print(e->children[0]).text + ", " +
                    print(e->children[1]).text + " \\right\\rangle"};
        case Op::differential: {
            const Expr& y = e->children.front();
            return {"\\mathrm{d}" +
                    (y->op == Op::symbol ? print_name(y->name) : bracket(print(y).text))};
        }
        MATGRAD_CASES_OF_CALLS:
            break;
    }
    return print_function(e);
}

}  // namespace

std::string to_latex(const Expr& expr) {
    detail::require_printable(expr);
    return print(expr).text;
}

}  // namespace matgrad
