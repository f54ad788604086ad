#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "expression/build.hpp"
#include "expression/functions.hpp"
#include "expression/guarded.hpp"
#include "expression/name_parts.hpp"
#include "expression/numpy_chain.hpp"
#include "expression/print_parts.hpp"

namespace matgrad {
namespace {

/// How tightly Python holds a text together. `*`, `/` and `@` are one level, read from the left.
enum class Level { sum, negative, product, power, atom };

struct Text {
    std::string text;
    Level level = Level::atom;
};

/// A name that Python or the text itself needs gets an underscore.
std::string python_name(const std::string& name) {
    constexpr std::string_view kTaken[] = {
        "False",  "None",  "True",     "and",    "as",     "assert", "async",    "await", "break",
        "class",  "def",   "del",      "elif",   "else",   "except", "finally",  "for",   "from",
        "global", "if",    "in",       "is",     "lambda", "import", "nonlocal", "not",   "or",
        "pass",   "raise", "continue", "return", "try",    "while",  "with",     "yield",
    };
    const auto modules = detail::functions();
    const bool taken =
        std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken) ||
        std::any_of(modules.begin(), modules.end(),
                    [&name](const detail::Function& f) { return f.numpy.starts_with(name + "."); });
    return taken ? name + "_" : name;
}

/// True for m-by-1 and 1-by-n, which are 1-D arrays inside an expression.
bool is_vector(const Shape& s) {
    return !s.is_scalar() && (s.rows.is_one() || s.cols.is_one());
}

class Printer {
public:
    Printer(const Expr& root, std::span<const Declaration> at_hand) {
        learn(symbols(root));
        learn(at_hand);
    }

    /// A name for an array that is there from now on. Vectors are 1-D.
    void define(const Declaration& part) {
        if (part.shape.rows.is_one()) {
            rows_that_are_1d_.insert(part.name);
        }
    }

    Text print(const Expr& e) {
        switch (e->op) {
            case Op::number:
                return print_number(e->number);
            case Op::symbol: {
                // A 1-by-n symbol is a 2-D array.
                const bool row = is_vector(e.shape()) && e.shape().rows.is_one();
                return {python_name(e->name) +
                        (row && !rows_that_are_1d_.contains(e->name) ? "[0]" : "")};
            }
            case Op::eye:
                return {"np.eye(" + size(e.shape().rows) + ")"};
            case Op::dim:
                return {size(Dim::named(e->name))};
            case Op::ones:
                return print_ones(e.shape());
            case Op::add:
                return print_sum(e);
            case Op::product:
            case Op::hadamard:
            case Op::power:
                return print_product(e);
            case Op::unit_columns:
                return {print_part(*detail::part_of_identity(e))};
            case Op::transpose: {
                if (const auto part = detail::part_of_identity(e)) {
                    return {print_part(*part)};
                }
                const Expr& y = e->children.front();
                return is_vector(e.shape()) ? print(y) : Text{at(y, Level::atom) + ".T"};
            }
            case Op::differential:
                throw UnsupportedError("the atom " + to_text(e) +
                                       " of a derivation has no NumPy text");
            case Op::adjugate:
                throw UnsupportedError(to_text(e) + " of a plan has no NumPy text");
            case Op::inverse:
            case Op::dot:
            MATGRAD_CASES_OF_CALLS:
                break;
        }
        return print_function(e);
    }

private:
    std::string at(const Expr& e, Level least) {
        Text t = print(e);
        return t.level >= least ? std::move(t.text) : "(" + t.text + ")";
    }

    static Text print_number(double value) {
        if (const auto ratio = detail::ratio_of(std::fabs(value))) {
            return {fmt::format("{}{} / {}", value < 0 ? "-" : "", ratio->numerator,
                                ratio->denominator),
                    value < 0 ? Level::negative : Level::product};
        }
        return {fmt::format("{}", value + 0.0), value < 0 ? Level::negative : Level::atom};
    }

    void learn(std::span<const Declaration> arrays) {
        for (const Declaration& d : arrays) {
            const std::string name = python_name(d.name);
            (void)sizes_.try_emplace(d.shape.rows.name, name + ".shape[0]");
            (void)sizes_.try_emplace(d.shape.cols.name, name + ".shape[1]");
        }
    }

    std::string size(const Dim& dim) const {
        if (dim.name.empty()) {
            return dim.text();
        }
        const auto found = sizes_.find(dim.name);
        return found == sizes_.end() ? python_name(dim.name) : found->second;
    }

    Text print_ones(const Shape& s) const {
        if (is_vector(s)) {
            return {"np.ones(" + size(s.rows.is_one() ? s.cols : s.rows) + ")"};
        }
        return {"np.ones((" + size(s.rows) + ", " + size(s.cols) + "))"};
    }

    std::string raised(const detail::Powered& p) {
        if (p.exponent == 1) {
            return at(p.base, Level::power);
        }
        // Python's own ** makes a negative number to a fraction complex, and overflows loudly.
        if (std::trunc(p.exponent) != p.exponent || p.base->op == Op::number) {
            const bool number = p.base->op == Op::number;
            return fmt::format("np.power({}{}, {})", print(p.base).text, number ? " + 0.0" : "",
                               p.exponent);
        }
        return fmt::format("{}**{}", at(p.base, Level::atom), p.exponent);
    }

    /// `X[1, :]`; Python counts from 0.
    std::string print_part(const detail::PartOf& part) {
        const auto index = [this](const Expr& columns) -> std::string {
            if (!columns) {
                return ":";
            }
            const auto first = static_cast<std::int64_t>(columns->number) - 1;
            const Dim& count = columns.shape().cols;
            if (count.is_one()) {
                return std::to_string(first);
            }
            return fmt::format(
                "{}:{}", first == 0 ? "" : std::to_string(first),
                count.name.empty() ? std::to_string(first + count.size) : size(count));
        };
        const std::string base = at(part.matrix, Level::atom);
        if (is_vector(part.matrix.shape())) {
            return fmt::format("{}[{}]", base, index(part.rows ? part.rows : part.cols));
        }
        return fmt::format("{}[{}, {}]", base, index(part.rows), index(part.cols));
    }

    /// `A @ (B @ x)`, in the order that costs least; runs of one square factor become powers.
    std::string chain(const std::vector<detail::PartOf>& matrices, std::size_t begin,
                      std::size_t end) {
        std::vector<std::string> factors;
        std::vector<Shape> shapes;
        for (std::size_t i = begin; i < end;) {
            std::size_t run = 1;
            while (i + run < end && matrices[i].is_whole() && matrices[i + run] == matrices[i]) {
                ++run;
            }
            factors.push_back(run == 1 ? factor(matrices[i])
                                       : fmt::format("np.linalg.matrix_power({}, {})",
                                                     print(matrices[i].matrix).text, run));
            shapes.push_back(matrices[i].shape());
            i += run;
        }
        return detail::ordered_chain(factors, shapes);
    }

    std::string factor(const detail::PartOf& part) {
        return part.is_whole() ? at(part.matrix, Level::power) : print_part(part);
    }

    /// A chain between commas, where one factor needs no brackets.
    std::string argument(const std::vector<detail::PartOf>& matrices, std::size_t begin,
                         std::size_t end) {
        if (end - begin > 1) {
            return chain(matrices, begin, end);
        }
        return matrices[begin].is_whole() ? print(matrices[begin].matrix).text
                                          : print_part(matrices[begin]);
    }

    /// The matrix factors; a column that meets a row is an outer product.
    std::string matrices_of(const std::vector<detail::PartOf>& matrices) {
        for (std::size_t i = 0; i + 1 < matrices.size(); ++i) {
            if (matrices[i].shape().cols.is_one()) {
                return "np.outer(" + argument(matrices, 0, i + 1) + ", " +
                       argument(matrices, i + 1, matrices.size()) + ")";
            }
        }
        return chain(matrices, 0, matrices.size());
    }

    Text print_product(const Expr& e) {
        const detail::Fraction f = detail::split_product(e);
        std::vector<std::string> parts;
        const double magnitude = std::fabs(f.number);
        if (magnitude != 1) {
            parts.push_back(print_number(magnitude).text);
        }
        for (const detail::Powered& p : f.scalars) {
            parts.push_back(raised(p));
        }
        const std::vector<detail::PartOf> matrices = detail::parts_of_chain(f.matrices);
        if (!matrices.empty()) {
            parts.push_back(matrices_of(matrices));
        }
        for (const detail::Powered& p : f.entries) {
            parts.push_back(raised(p));
        }
        std::string text = parts.empty() ? "1" : fmt::format("{}", fmt::join(parts, " * "));
        for (const detail::Powered& p : f.entries_below) {
            text += " / " + raised(p);
        }
        for (const detail::Powered& p : f.scalars_below) {
            text += " / " + raised(p);
        }
        if (f.number < 0) {
            return {"-" + text, Level::negative};
        }
        if (parts.size() == 1 && matrices.size() == 1 && !matrices.front().is_whole() &&
            f.entries_below.empty() && f.scalars_below.empty()) {
            return {std::move(text)};
        }
        const bool one_power = parts.size() == 1 && f.matrices.empty() && f.entries_below.empty() &&
                               f.scalars_below.empty();
        return {std::move(text), one_power ? Level::power : Level::product};
    }

    Text print_sum(const Expr& e) {
        std::string text;
        for (const Expr& t : detail::written_terms(e)) {
            Text term = print(t);
            if (term.level == Level::sum) {
                term.text = "(" + term.text + ")";
            }
            if (text.empty()) {
                text = std::move(term.text);
            } else if (term.level == Level::negative) {
                text += " - " + term.text.substr(1);
            } else {
                text += " + " + term.text;
            }
        }
        return {std::move(text), Level::sum};
    }

    /// The function's text with its arguments in place of the {}, {0}, {1}.
    Text print_function(const Expr& e) {
        std::string_view rest = detail::function_of(e->op)->numpy;
        const std::vector<Expr> arguments = detail::arguments_of(e);
        std::string text;
        std::size_t next = 0;
        for (std::size_t hole = 0; (hole = rest.find('{')) != std::string_view::npos;) {
            text += rest.substr(0, hole);
            rest.remove_prefix(hole + 1);
            const bool numbered = rest.front() != '}';
            const auto which = numbered ? static_cast<std::size_t>(rest.front() - '0') : next++;
            const Expr& a = arguments[which];
            // After a sign a sum needs brackets.
            text += text.back() == '-' ? at(a, Level::power) : print(a).text;
            rest.remove_prefix(numbered ? 2 : 1);
        }
        return {text.append(rest)};
    }

    std::map<std::string, std::string> sizes_;
    std::set<std::string, std::less<>> rows_that_are_1d_;
};

bool is_row(const Expr& e) {
    return is_vector(e.shape()) && e.shape().rows.is_one();
}

}  // namespace

std::string to_numpy(const Expr& expr, std::span<const Declaration> at_hand) try {
    detail::require_printable(expr);
    Text text = Printer(expr, at_hand).print(expr);
    return is_row(expr) ? "(" + text.text + ")[np.newaxis, :]" : std::move(text.text);
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_numpy(const NamedPart& part, std::span<const Declaration> at_hand) try {
    require_given(part.name, "the text of an expression");
    return python_name(part.name->name) + " = " + to_numpy(part.value, at_hand);
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_numpy_function(const Expr& expr, std::string_view name,
                              std::span<const Declaration> parameters) try {
    detail::require_printable(expr);
    const std::vector<Declaration> own = symbols(expr);
    const std::span<const Declaration> arguments = parameters.empty() ? own : parameters;
    std::vector<std::string> names;
    for (const Declaration& d : arguments) {
        names.push_back(python_name(d.name));
    }
    std::string text = fmt::format("def {}({}):\n", name, fmt::join(names, ", "));
    const NamedForms named =
        detail::named_parts({&expr, 1}, {}, arguments, {}, detail::NamesFor::code);
    Printer printer(expr, arguments);
    for (const NamedPart& part : named.parts) {
        text += fmt::format("    {} = {}\n", python_name(part.name->name),
                            printer.print(part.value).text);
        printer.define({part.name->name, part.name.shape()});
    }
    const std::string result = printer.print(named.forms.front()).text;
    text += is_row(expr) ? fmt::format("    return ({})[np.newaxis, :]\n", result)
                         : fmt::format("    return {}\n", result);
    return text;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
