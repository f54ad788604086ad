#include <fmt/format.h>

#include <cmath>
#include <ostream>
#include <utility>

#include "expression/build.hpp"
#include "expression/guarded.hpp"
#include "expression/print_parts.hpp"

namespace matgrad {
namespace {

/// How tightly a text holds together; an operand looser than its place is put in brackets.
enum class Level { comparison, sum, negative, product, power, postfix, atom };

struct Text {
    std::string text;
    Level level = Level::atom;
};

Text print(const Expr& e);

std::string print_at(const Expr& e, Level least) {
    Text t = print(e);
    return t.level >= least ? std::move(t.text) : "(" + t.text + ")";
}

/// 0.5, -3, 3/7
Text print_number(double value) {
    const std::string_view sign = value < 0 ? "-" : "";
    if (const auto ratio = detail::ratio_of(std::fabs(value))) {
        return {fmt::format("{}{}/{}", sign, ratio->numerator, ratio->denominator),
                value < 0 ? Level::negative : Level::product};
    }
    return {fmt::format("{}", value + 0.0), value < 0 ? Level::negative : Level::atom};
}

/// `base^2`, `base.^2`; the exponent is not 1.
std::string print_raised(const Expr& base, double exponent) {
    const std::string_view op = base.shape().is_scalar() ? "^" : ".^";
    return fmt::format("{}{}{}", print_at(base, Level::postfix), op, exponent);
}

/// A scalar or entrywise factor to a positive power, as a factor of a product.
std::string print_factor(const detail::Powered& p) {
    return p.exponent == 1 ? print_at(p.base, Level::power) : print_raised(p.base, p.exponent);
}

/// `X(2,:)`
std::string print_part(const detail::PartOf& part) {
    return fmt::format("{}({})", print_at(part.matrix, Level::postfix), detail::indices_text(part));
}

/// `A*B^2*C`: runs of one square factor become powers.
void append_chain(const std::vector<detail::PartOf>& matrices, std::vector<std::string>& parts) {
    constexpr std::size_t kLargestExponent = 64;  // the language has no larger one
    for (std::size_t i = 0; i < matrices.size();) {
        std::size_t run = 1;
        while (run < kLargestExponent && i + run < matrices.size() && matrices[i].is_whole() &&
               matrices[i + run] == matrices[i]) {
            ++run;
        }
        const Expr& matrix = matrices[i].matrix;
        parts.push_back(!matrices[i].is_whole() ? print_part(matrices[i])
                        : run == 1              ? print_at(matrix, Level::power)
                                   : fmt::format("{}^{}", print_at(matrix, Level::postfix), run));
        i += run;
    }
}

/// A product as `-numerator/scalar/scalar`. What stands alone as matrix factor may be an entrywise
/// product, whose factors then join without brackets: `2*s*A.*B./C/t`.
Text print_product(const Expr& e) {
    const detail::Fraction f = detail::without_ones(detail::split_product(e));
    std::vector<std::string> parts;
    const double magnitude = std::fabs(f.number);
    const auto ratio = detail::ratio_of(magnitude);
    const bool divides = ratio && ratio->numerator == 1;  // A/3, not 1/3*A
    if (magnitude != 1 && !divides) {
        parts.push_back(print_number(magnitude).text);
    }
    for (std::size_t i = 0; i < f.scalars.size(); ++i) {
        // x'*y in the middle of other factors reads better as (x'*y).
        const bool last = i + 1 == f.scalars.size() && f.matrices.empty() && f.entries.empty() &&
                          f.entries_below.empty();
        const bool open = last && f.scalars[i].exponent == 1;
        parts.push_back(open ? print_at(f.scalars[i].base, Level::product)
                             : print_factor(f.scalars[i]));
    }
    const std::vector<detail::PartOf> matrices = detail::parts_of_chain(f.matrices);
    append_chain(matrices, parts);
    std::string text = fmt::format("{}", fmt::join(parts, "*"));
    for (std::size_t i = 0; i < f.entries.size(); ++i) {
        text += i > 0 ? ".*" : text.empty() ? "" : "*";
        text += print_factor(f.entries[i]);
    }
    if (text.empty()) {
        text = "1";
    }
    for (const detail::Powered& p : f.entries_below) {
        text += "./" + print_factor(p);
    }
    if (divides) {
        text += fmt::format("/{}", ratio->denominator);
    }
    for (const detail::Powered& p : f.scalars_below) {
        text += "/" + print_factor(p);
    }
    if (f.number < 0) {
        return {"-" + text, Level::negative};
    }
    const bool one_part = !divides && parts.size() + f.entries.size() == 1 &&
                          f.entries_below.empty() && f.scalars_below.empty();
    if (!one_part) {
        return {std::move(text), Level::product};
    }
    const bool is_part = matrices.size() == 1 && !matrices.front().is_whole();
    return {std::move(text), is_part ? Level::postfix : Level::power};  // X(2,:), X^2 alone, or t^2
}

Text print_sum(const Expr& e) {
    std::string text;
    for (const Expr& t : detail::without_ones(detail::written_terms(e))) {
        Text term = print(t);
        if (term.level <= Level::sum) {
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

/// Without the ones that spread a column or a row over another argument.
std::vector<Expr> written_arguments(const Expr& call) {
    std::vector<Expr> arguments = detail::arguments_of(call);
    return is_entrywise(call->op) ? detail::without_ones(std::move(arguments)) : arguments;
}

/// `A < B`; a number comes second: `A > 0`.
Text print_comparison(const Expr& e) {
    const std::vector<Expr> sides = written_arguments(e);
    const bool turned = sides[0]->op == Op::number && sides[1]->op != Op::number;
    const std::string_view sign =
        e->op == Op::less ? (turned ? " > " : " < ") : (turned ? " >= " : " <= ");
    return {fmt::format("{}{}{}", print_at(sides[turned ? 1 : 0], Level::sum), sign,
                        print_at(sides[turned ? 0 : 1], Level::sum)),
            Level::comparison};
}

/// `A.^P`, `t^p`
Text print_power(const Expr& e) {
    const std::vector<Expr> parts = written_arguments(e);
    return {fmt::format("{}{}{}", print_at(parts[0], Level::postfix),
                        e.shape().is_scalar() ? "^" : ".^", print_at(parts[1], Level::atom)),
            Level::power};
}

/// `where(C, A, 0)` and `where(C, 0, A)`
Text print_masked(const Expr& e) {
    const std::vector<Expr> arguments = written_arguments(e);
    const std::string kept = print(arguments[0]).text;
    const std::string condition = print(arguments[1]).text;
    return {e->op == Op::mask ? fmt::format("where({}, {}, 0)", condition, kept)
                              : fmt::format("where({}, 0, {})", condition, kept)};
}

/// `name(A, B)`
Text print_function(const Expr& e) {
    if (e->op == Op::less || e->op == Op::less_equal) {
        return print_comparison(e);
    }
    if (e->op == Op::entry_power) {
        return print_power(e);
    }
    if (e->op == Op::mask || e->op == Op::unmask) {
        return print_masked(e);
    }
    if (e->op == Op::log_det) {
        return {fmt::format("log(det({}))", print(e->children.front()).text)};
    }
    std::string arguments;
    for (const Expr& a : written_arguments(e)) {
        arguments += (arguments.empty() ? "" : ", ") + print(a).text;
    }
    return {fmt::format("{}({})", function_name(e->op), arguments)};
}

Text print(const Expr& e) {
    switch (e->op) {
        case Op::number:
            return print_number(e->number);
        case Op::symbol:
            return {e->name};
        case Op::eye:
            return {"eye(" + e.shape().rows.text() + ")"};
        case Op::dim:
            return {"dim(" + e->name + ")"};
        case Op::ones:
            return {"ones(" + e.shape().rows.text() + "," + e.shape().cols.text() + ")"};
        case Op::add:
            return print_sum(e);
        case Op::product:
        case Op::hadamard:
        case Op::power:
            return print_product(e);
        case Op::unit_columns:
            return {print_part(*detail::part_of_identity(e)), Level::postfix};
        case Op::transpose:
            if (const auto part = detail::part_of_identity(e)) {
                return {print_part(*part), Level::postfix};
            }
            return {print_at(e->children.front(), Level::postfix) + "'", Level::postfix};
        case Op::differential: {
            const Expr& y = e->children.front();
            return {y->op == Op::symbol ? "d" + y->name : "d(" + print(y).text + ")"};
        }
        case Op::adjugate:
            return {"adj(" + print(e->children.front()).text + ")"};
        case Op::inverse:
        case Op::dot:
        MATGRAD_CASES_OF_CALLS:
            break;
    }
    return print_function(e);
}

}  // namespace

std::string to_text(const Expr& expr) try {
    detail::require_printable(expr);
    return print(expr).text;
} catch (...) {
    detail::throw_as_matgrad();
}

std::string to_text(const NamedPart& part) {
    return to_text(part.name) + " = " + to_text(part.value);
}

std::string to_text(const NamedParts& expression) try {
    std::string text;
    for (const NamedPart& part : expression.parts) {
        text += to_text(part) + ";\n";
    }
    return text + to_text(expression.rest);
} catch (...) {
    detail::throw_as_matgrad();
}

std::ostream& operator<<(std::ostream& out, const Expr& expr) {
    return out << to_text(expr);
}

}  // namespace matgrad
