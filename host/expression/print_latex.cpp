#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "expression/build.hpp"
#include "expression/functions.hpp"
#include "expression/guarded.hpp"
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

/// Brackets grow around what is taller than a line.
std::string bracket(const std::string& text) {
    for (const char* tall : {"\\frac", "\\left", "\\sqrt"}) {
        if (text.find(tall) != std::string::npos) {
            return "\\left(" + text + "\\right)";
        }
    }
    return "(" + text + ")";
}

std::string print_at(const Expr& e, Level least) {
    Text t = print(e);
    return t.level >= least ? std::move(t.text) : bracket(t.text);
}

/// Halves, quarters and eighths are fractions too: people write 0.1, but one half.
std::optional<detail::Ratio> ratio_of(double number) {
    for (const int q : {2, 4, 8}) {
        constexpr double kMostNumerator = 99;
        const double p = number * q;
        if (std::trunc(p) == p && p >= 1 && p <= kMostNumerator && std::trunc(number) != number) {
            return detail::Ratio{static_cast<int>(p), q};
        }
    }
    return detail::ratio_of(number);
}

/// 3, \frac{1}{2}, 0.1, 2.5 \cdot 10^{-7}.
Text print_number(double value) {
    if (const auto ratio = ratio_of(std::fabs(value))) {
        return {fmt::format("{}\\frac{{{}}}{{{}}}", value < 0 ? "-" : "", ratio->numerator,
                            ratio->denominator),
                value < 0 ? Level::negative : Level::product};
    }
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

/// An exponent stays on its line: 3/2.
std::string print_exponent(double value) {
    if (const auto ratio = ratio_of(std::fabs(value))) {
        return fmt::format("{}{}/{}", value < 0 ? "-" : "", ratio->numerator, ratio->denominator);
    }
    return fmt::format("{}", value);
}

std::string print_head(const std::string& head) {
    static constexpr std::string_view kGreek[] = {
        "alpha",   "beta",   "gamma", "delta",   "epsilon", "zeta",  "eta",   "theta", "iota",
        "kappa",   "lambda", "mu",    "nu",      "xi",      "pi",    "rho",   "sigma", "tau",
        "upsilon", "phi",    "chi",   "psi",     "omega",   "Gamma", "Delta", "Theta", "Lambda",
        "Xi",      "Pi",     "Sigma", "Upsilon", "Phi",     "Psi",   "Omega",
    };
    if (std::find(std::begin(kGreek), std::end(kGreek), head) != std::end(kGreek)) {
        return "\\" + head;
    }
    return head.size() == 1 ? head : "\\mathit{" + head + "}";
}

/// One letter stands in italics, a Greek one by its name; longer names and indices do not fall apart.
std::string print_name(const std::string& name) {
    const std::size_t bar = name.find('_');
    std::string text = print_head(name.substr(0, bar));
    if (bar == std::string::npos || bar + 1 == name.size()) {
        return text;
    }
    std::string index;
    for (const char c : name.substr(bar + 1)) {
        index += c == '_' ? std::string("\\_") : std::string(1, c);
    }
    const bool plain =
        index.size() == 1 || index.find_first_not_of("0123456789") == std::string::npos;
    return text + "_{" + (plain ? index : "\\mathrm{" + index + "}") + "}";
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
    const bool scalar = p.base.shape().is_scalar();
    if (scalar && p.exponent == 0.5) {
        return {"\\sqrt{" + print(p.base).text + "}"};
    }
    return with_script(p.base, (scalar ? "" : "\\circ ") + print_exponent(p.exponent));
}

std::string factor(const Text& t) {
    return t.level >= Level::scripted ? t.text : bracket(t.text);
}

/// Factors side by side. What follows a differential is set off from it: dX X.
std::string juxtapose(const std::vector<std::string>& parts) {
    std::string text;
    bool after_differential = false;
    for (const std::string& part : parts) {
        if (!text.empty()) {
            const bool digits_meet = part.front() >= '0' && part.front() <= '9';
            text += digits_meet ? " \\cdot " : after_differential ? "\\, " : " ";
        }
        text += part;
        after_differential = part.starts_with("\\mathrm{d}");
    }
    return text;
}

/// Y^{-2}, Y^{-2\top} for a run of inverses, A^{2} of others.
Text print_run(const Expr& matrix, std::size_t run) {
    const bool transposed =
        matrix->op == Op::transpose && matrix->children.front()->op == Op::inverse;
    const Expr& core = transposed ? matrix->children.front() : matrix;
    if (core->op == Op::inverse && run > 1) {
        return with_script(core->children.front(),
                           fmt::format("-{}{}", run, transposed ? "\\top" : ""));
    }
    return run == 1 ? print(matrix) : with_script(matrix, std::to_string(run));
}

/// X_{2,:}; what has an index already is bracketed.
Text print_part(const detail::PartOf& part) {
    std::string base = print_at(part.matrix, Level::atom);
    if (base.find('_') != std::string::npos) {
        base = bracket(base);
    }
    return {base + "_{" + detail::indices_text(part) + "}", Level::scripted};
}

void append_chain(const std::vector<Expr>& chain, std::vector<std::string>& parts) {
    const std::vector<detail::PartOf> matrices = detail::parts_of_chain(chain);
    for (std::size_t i = 0; i < matrices.size();) {
        std::size_t run = 1;
        while (i + run < matrices.size() && matrices[i].is_whole() &&
               matrices[i + run] == matrices[i]) {
            ++run;
        }
        parts.push_back(factor(matrices[i].is_whole() ? print_run(matrices[i].matrix, run)
                                                      : print_part(matrices[i])));
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

/// The entrywise factors, and what is divided by entry by entry.
std::string print_entries(const detail::Fraction& f, std::vector<std::string>& before) {
    std::vector<std::string> entries = factors(f.entries);
    if (entries.empty() && !f.entries_below.empty()) {
        entries.push_back(before.empty() ? "1" : juxtapose(before));
        before.clear();
    }
    std::string text = fmt::format("{}", fmt::join(entries, " \\odot "));
    for (const std::string& below : factors(f.entries_below)) {
        text += " \\oslash " + below;
    }
    return text;
}

/// The one thing above or below a bar, which needs no brackets there; or nothing.
std::optional<std::string> alone(const std::vector<detail::Powered>& scalars,
                                 const std::vector<Expr>& matrices) {
    if (scalars.size() == 1 && matrices.empty()) {
        return print_powered(scalars.front()).text;
    }
    if (scalars.empty() && matrices.size() == 1) {
        return print(matrices.front()).text;
    }
    return std::nullopt;
}

Text print_product(const Expr& e) {
    const detail::Fraction f = detail::split_product(e);
    const bool entrywise = !f.entries.empty() || !f.entries_below.empty();
    const bool has_bar = !f.scalars_below.empty();
    const double magnitude = std::fabs(f.number);
    const auto ratio =
        has_bar ? ratio_of(magnitude) : std::nullopt;  // its parts go above and below
    const double above = ratio ? ratio->numerator : magnitude;

    std::vector<std::string> parts;
    if (above != 1) {
        parts.push_back(print_number(above).text);
    }
    std::vector<std::string> scalars = factors(f.scalars);
    const bool ends_in_scalar = !scalars.empty() && f.matrices.empty() && !entrywise;
    if (ends_in_scalar && f.scalars.back().exponent == 1) {
        scalars.back() = print_at(f.scalars.back().base, Level::product);
    }
    parts.insert(parts.end(), scalars.begin(), scalars.end());
    append_chain(f.matrices, parts);
    if (entrywise) {
        parts.push_back(print_entries(f, parts));
    }
    const bool one_part = parts.size() == 1 && f.entries.size() <= 1 && f.entries_below.empty();
    std::string text = parts.empty() ? "1" : juxtapose(parts);
    Level level = one_part ? Level::scripted : Level::product;
    if (has_bar) {
        std::vector<std::string> below = factors(f.scalars_below);
        if (ratio) {
            below.insert(below.begin(), std::to_string(ratio->denominator));
        } else if (const auto one = alone(f.scalars_below, {})) {
            below.front() = *one;
        }
        if (const auto one = alone(f.scalars, f.matrices); one && above == 1 && !entrywise) {
            text = *one;
        }
        text = "\\frac{" + text + "}{" + juxtapose(below) + "}";
        level = Level::product;
    }
    return f.number < 0 ? Text{"-" + text, Level::negative} : Text{std::move(text), level};
}

Text print_sum(const Expr& e) {
    std::string text;
    for (const Expr& t : detail::written_terms(e)) {
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

std::string norm(const std::string& inner) {
    return "\\left\\|" + inner + "\\right\\|";
}

/// Euclidean or Frobenius
std::string norm_of(const Expr& y) {
    return norm(print(y).text) + "_{" + (y.shape().is_column() ? "2" : "F") + "}";
}

/// What is not written as a call: a comparison in Iverson's brackets, a power, a function of a whole order.
std::optional<Text> print_pair(const Expr& e) {
    const std::vector<Expr> arguments = detail::arguments_of(e);
    const std::string first = print(arguments[0]).text;
    const std::string second = print(arguments[1]).text;
    switch (e->op) {
        case Op::less:
            return Text{fmt::format("\\left[{} < {}\\right]", first, second)};
        case Op::less_equal:
            return Text{fmt::format("\\left[{} \\le {}\\right]", first, second)};
        case Op::entry_power:
            return with_script(arguments[0], (e.shape().is_scalar() ? "" : "\\circ ") + second);
        case Op::polygamma:
            return Text{fmt::format("\\psi^{{({})}}{}", first, bracket(second))};
        case Op::mask:
            return Text{"\\operatorname{where}" + bracket(second + ", " + first + ", 0")};
        case Op::unmask:
            return Text{"\\operatorname{where}" + bracket(second + ", 0, " + first)};
        default:
            return std::nullopt;
    }
}

Text print_function(const Expr& e) {
    const Expr& y = e->children.front();
    const bool scalar = e.shape().is_scalar();
    if (e->op == Op::logdet) {
        const std::string inner = print(y).text;
        return {"\\log\\left|\\det" + (y->op == Op::symbol ? " " + inner : bracket(inner)) +
                "\\right|"};
    }
    if (e->op == Op::log_det) {
        return {"\\log" + bracket("\\det" + bracket(print(y).text))};
    }
    if (e->op == Op::norm2) {
        return {norm_of(y)};
    }
    if (e->op == Op::norm1) {
        const std::string inner = print(y).text;
        return {norm(y.shape().is_column() ? inner : "\\operatorname{vec}" + bracket(inner)) +
                "_{1}"};
    }
    if (e->op == Op::abs && scalar) {
        return {"\\left|" + print(y).text + "\\right|"};
    }
    if (e->op == Op::sqrt) {
        return scalar ? Text{"\\sqrt{" + print(y).text + "}"} : with_script(y, "\\circ 1/2");
    }
    if (is_entrywise(e->op) && e->children.size() == 2) {
        if (const std::optional<Text> pair = print_pair(e)) {
            return *pair;
        }
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
        case Op::dim:
            return {print_name(e->name)};
        case Op::ones:
            return {"\\mathbf{1}_{" + print_dim(e.shape().rows) + " \\times " +
                    print_dim(e.shape().cols) + "}"};
        case Op::add:
            return print_sum(e);
        case Op::product:
        case Op::hadamard:
        case Op::power:
            return print_product(e);
        case Op::unit_columns:
            return print_part(*detail::part_of_identity(e));
        case Op::transpose: {
            if (const auto part = detail::part_of_identity(e)) {
                return print_part(*part);
            }
            const Expr& y = e->children.front();
            return y->op == Op::inverse ? with_script(y->children.front(), "-\\top")
                                        : with_script(y, "\\top");
        }
        case Op::inverse:
            return with_script(e->children.front(), "-1");
        case Op::dot:
            if (e->children[0] == e->children[1]) {  // the norm, squared
                return {norm_of(e->children[0]) + "^{2}", Level::scripted};
            }
            return {"\\left\\langle " + print(e->children[0]).text + ", " +
                    print(e->children[1]).text + " \\right\\rangle"};
        case Op::adjugate:
            return {"\\operatorname{adj}" + bracket(print(e->children.front()).text)};
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

std::string to_latex(const Expr& expr) try {
    detail::require_printable(expr);
    return print(expr).text;
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_latex(const NamedPart& part) {
    return to_latex(part.name) + " = " + to_latex(part.value);
}

}  // namespace matgrad
