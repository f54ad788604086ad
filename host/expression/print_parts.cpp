#include "expression/print_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/spread.hpp"

namespace matgrad::detail {
namespace {

/// A power of a constant that has no value, such as 0^-2, would not survive being turned over: 0^2
/// has one.
bool is_constant(const Expr& e) {
    return e->op == Op::number || is_zero(e);
}

void insert(const Expr& e, std::vector<Powered>& above, std::vector<Powered>& below) {
    const Expr line = unspread(e);
    const Expr& raised = line ? line : e;
    if (raised->op != Op::power) {
        above.push_back({e, 1});
        return;
    }
    const Expr base = spread(raised->children.front(), e.shape());
    if (raised->number > 0 || is_constant(raised->children.front())) {
        above.push_back({base, raised->number});
    } else {
        below.push_back({base, -raised->number});
    }
}

/// The scalar that a term of a matrix sum spreads over all entries, or nothing.
Expr spread_scalar(const Expr& term) {
    if (term->op == Op::ones) {
        return number(1);
    }
    if (term->op != Op::product || term->children.back()->op != Op::ones) {
        return {};
    }
    Factors f = factors_of(term);
    if (f.matrices.size() != 1) {
        return {};
    }
    f.matrices.clear();
    return make_product(std::move(f), Shape::scalar());
}

}  // namespace

void require_printable(const Expr& e) {
    require_given(e, "the text of an expression");
    constexpr double kMostNodes = 1e6;
    if (e->written_size > kMostNodes) {
        throw UnsupportedError(fmt::format(
            "the text would have {:.3g} operations, more than {:.0f}: shared parts repeat "
            "when written out",
            e->written_size, kMostNodes));
    }
}

Fraction split_product(const Expr& e) {
    Fraction f;
    std::span<const Expr> scalars;
    std::span<const Expr> matrices(&e, 1);
    if (e->op == Op::product) {
        f.number = e->number;
        const auto split = static_cast<std::size_t>(e->num_scalars);
        scalars = std::span(e->children).first(split);
        matrices = std::span(e->children).subspan(split);
    } else if (e.shape().is_scalar()) {
        std::swap(scalars, matrices);
    }
    for (const Expr& s : scalars) {
        insert(s, f.scalars, f.scalars_below);
    }
    if (matrices.size() == 1 && matrices.front()->op == Op::hadamard) {
        for (const Expr& c : matrices.front()->children) {
            insert(c, f.entries, f.entries_below);
        }
    } else if (matrices.size() == 1 && matrices.front()->op == Op::power) {
        insert(matrices.front(), f.entries, f.entries_below);
    } else {
        f.matrices.assign(matrices.begin(), matrices.end());
    }
    return f;
}

Shape PartOf::shape() const {
    return {rows ? rows.shape().cols : matrix.shape().rows,
            cols ? cols.shape().cols : matrix.shape().cols};
}

std::vector<PartOf> parts_of_chain(const std::vector<Expr>& matrices) {
    std::vector<PartOf> parts;
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        const auto of_next =
            i + 1 < matrices.size() ? part_of_identity(matrices[i + 1]) : std::nullopt;
        const auto of_this = part_of_identity(matrices[i]);
        PartOf part;
        if (of_this && of_this->rows && i + 1 < matrices.size() && !of_next) {
            part.rows = of_this->rows;
            ++i;
        }
        part.matrix = matrices[i];
        if ((!of_this || part.rows) && i + 1 < matrices.size() &&
            matrices[i + 1]->op == Op::unit_columns) {
            part.cols = matrices[i + 1];
            ++i;
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

std::optional<PartOf> part_of_identity(const Expr& e) {
    if (e->op == Op::unit_columns) {
        return PartOf{eye(e.shape().rows), {}, e};
    }
    if (e->op == Op::transpose && e->children.front()->op == Op::unit_columns) {
        return PartOf{eye(e.shape().cols), e->children.front(), {}};
    }
    return std::nullopt;
}

std::string indices_text(const PartOf& part) {
    const auto index = [](const Expr& columns) -> std::string {
        if (!columns) {
            return ":";
        }
        const auto first = static_cast<std::int64_t>(columns->number);
        const Dim& count = columns.shape().cols;
        if (count.is_one()) {
            return std::to_string(first);
        }
        return fmt::format(
            "{}:{}", first,
            count.name.empty() ? std::to_string(first + count.size - 1) : count.name);
    };
    if (part.matrix.shape().cols.is_one()) {
        return index(part.rows);
    }
    return part.matrix.shape().rows.is_one() ? index(part.cols)
                                             : index(part.rows) + "," + index(part.cols);
}

std::optional<Ratio> ratio_of(double number) {
    constexpr std::size_t kLongDecimals = 9;  // characters
    constexpr int kMostDenominator = 999;
    constexpr double kMostNumerator = 9999;
    if (fmt::format("{}", number).size() <= kLongDecimals) {
        return std::nullopt;
    }
    for (int q = 2; q <= kMostDenominator; ++q) {
        const double p = std::round(number * q);
        if (p >= 1 && p <= kMostNumerator && p * (1.0 / q) == number) {
            return Ratio{static_cast<int>(p), q};
        }
    }
    return std::nullopt;
}

std::vector<Expr> written_terms(const Expr& sum) {
    std::vector<Expr> terms = spread_scalars(sum);
    const auto positive = std::find_if(terms.begin(), terms.end(),
                                       [](const Expr& t) { return split_number(t).number >= 0; });
    if (positive != terms.end()) {
        std::rotate(terms.begin(), positive, positive + 1);
    }
    return terms;
}

std::vector<Expr> spread_scalars(const Expr& sum) {
    std::vector<Expr> terms = sum->children;
    if (sum.shape().is_scalar()) {
        return terms;
    }
    bool any_matrix = false;
    for (Expr& t : terms) {
        const Expr scalar = spread_scalar(t);
        any_matrix = any_matrix || !scalar;
        if (scalar) {
            t = scalar;
        }
    }
    return any_matrix ? terms : sum->children;
}

std::vector<Expr> without_ones(std::vector<Expr> operands) {
    std::vector<Expr> lines;
    bool any_matrix = false;
    for (const Expr& e : operands) {
        lines.push_back(unspread(e));
        const bool is_line = e.shape().rows.is_one() || e.shape().cols.is_one();
        any_matrix = any_matrix || !(lines.back() || is_line);
    }
    for (std::size_t i = 0; any_matrix && i < operands.size(); ++i) {
        operands[i] = lines[i] ? lines[i] : operands[i];
    }
    return operands;
}

Fraction without_ones(Fraction fraction) {
    std::vector<Expr> bases;
    for (const auto* factors : {&fraction.entries, &fraction.entries_below}) {
        for (const Powered& p : *factors) {
            bases.push_back(p.base);
        }
    }
    const std::vector<Expr> lines = without_ones(std::move(bases));
    const auto any = [&lines](bool (*is)(const Shape&)) {
        return std::any_of(lines.begin(), lines.end(),
                           [is](const Expr& e) { return is(e.shape()); });
    };
    if (any([](const Shape& s) { return s.rows.is_one(); }) &&
        any([](const Shape& s) { return s.cols.is_one(); })) {
        return fraction;
    }
    std::size_t next = 0;
    for (auto* factors : {&fraction.entries, &fraction.entries_below}) {
        for (Powered& p : *factors) {
            p.base = lines[next++];
        }
    }
    return fraction;
}

std::vector<Expr> arguments_of(const Expr& call) {
    return call->children.size() > 1 && is_entrywise(call->op) ? spread_scalars(call)
                                                               : call->children;
}

}  // namespace matgrad::detail
