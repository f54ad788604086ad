#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/spread.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"

namespace matgrad::detail {
namespace {

bool is_reciprocal(const Expr& e) {
    return e->op == Op::power && e->number == -1;
}

constexpr std::size_t kMostAtOnce = 16;  // terms or factors in one map

/// A long sum or product as one of a few shorter ones: no map reads too much at once.
std::vector<Expr> in_groups(const std::vector<Expr>& parts,
                            const std::function<Expr(std::span<const Expr>)>& combine) {
    if (parts.size() <= kMostAtOnce) {
        return parts;
    }
    const std::span<const Expr> all(parts);
    const std::size_t length = (parts.size() + kMostAtOnce - 1) / kMostAtOnce;
    std::vector<Expr> groups;
    for (std::size_t at = 0; at < parts.size(); at += length) {
        groups.push_back(combine(all.subspan(at, std::min(length, parts.size() - at))));
    }
    return groups;
}

/// A product whose value is written as one map: it has a number or scalar factors.
bool has_coefficient(const Expr& e) {
    return e->op == Op::product && (e->number != 1 || e->num_scalars > 0);
}

}  // namespace

std::string text_of(const Expr& e) {
    constexpr double kReadable = 200;
    if (e->written_size > kReadable) {
        return fmt::format("(an expression of {:.0f} operations)", e->written_size);
    }
    return to_text(e);
}

Use Lowering::lower(const Expr& e, Selection s) {
    if (e.shape().is_scalar()) {
        s = {};
    }
    const ExprKey key{e->fingerprint, s.row, s.col};
    if (const auto found = lowered_.find(key); found != lowered_.end()) {
        return found->second;
    }
    const ExprKey twin{e->transposed_fingerprint, s.col, s.row};
    if (const auto found = lowered_.find(twin); found != lowered_.end()) {
        return transposed(found->second);
    }
    if (!s.is_whole()) {
        const auto whole = lowered_.find({e->fingerprint, -1, -1});
        if (whole != lowered_.end()) {
            return sliced(whole->second, s.row, s.col);
        }
    }
    const Use use = lower_new(e, s);
    lowered_.emplace(key, use);
    return use;
}

Use Lowering::lower_new(const Expr& e, Selection s) {
    switch (e->op) {
        case Op::symbol:
            return sliced({operand_values_.at(e->name)}, s.row, s.col);
        case Op::unit_columns:
            return sliced(s.is_whole() ? lower_chain(links_of({&e, 1})) : lower(e), s.row, s.col);
        case Op::transpose:
            return transposed(lower(e->children.front(), s.swapped()));
        case Op::power:
            if (e->number == 2 && e->children.front()->op == Op::norm2) {  // no root to square
                const Expr& y = e->children.front()->children.front();
                return lower_dot(y, y);
            }
            return lower_entrywise(e, s);
        case Op::inverse:
            if (e.shape().is_scalar()) {
                return lower_entrywise(e, s);
            }
            return lower_chain(links_of({&e, 1}, s));
        case Op::product:
            if (!has_coefficient(e)) {
                return lower_chain(links_of(e->children, s));
            }
            return lower_entrywise(e, s);
        case Op::det:
            return lower_det(e->children.front());
        case Op::logdet:
            return lower_logdet(e->children.front());
        case Op::log_det:
            return lower_log_det(e->children.front());
        case Op::adjugate:
            return sliced(lower_adjugate(e->children.front()), s.row, s.col);
        case Op::trace:
            return lower_trace(e->children.front());
        case Op::dot:
            return lower_dot(e->children[0], e->children[1]);
        case Op::sum:
            return lower_sum(e->children.front());
        case Op::logsumexp:
            return lower_logsumexp(e->children.front());
        case Op::row_logsumexp:
            return sliced(lower_line_logsumexp(e->children.front()), s.row, -1);
        case Op::col_logsumexp:
            return transposed(lower(transpose(e), s.swapped()));
        case Op::row_norm2:
        case Op::col_norm2: {
            const Op sums = e->op == Op::row_norm2 ? Op::row_sum : Op::col_sum;
            return lower(apply(Op::sqrt, apply(sums, power(e->children.front(), 2))), s);
        }
        case Op::norm2:
            return lower_norm(e->children.front(), true);
        case Op::norm1:
            return lower_norm(e->children.front(), false);
        case Op::row_sum:
            return lower_row_sum(e->children.front(), s);
        case Op::col_sum:
            return transposed(lower_row_sum(transpose(e->children.front()), s.swapped()));
        case Op::row_max:
            return sliced(lower_row_max(e->children.front()), s.row, -1);
        case Op::is_row_max:
            return sliced(s.is_whole() ? lower_is_row_max(e->children.front()) : lower(e), s.row,
                          s.col);
        case Op::col_max:  // of a column it is a scalar, which is its own transpose
            return transposed(
                lower(apply(Op::row_max, transpose(e->children.front())), s.swapped()));
        case Op::is_col_max:
            return transposed(lower(transpose(e), s.swapped()));
        case Op::cholesky:
            return sliced(s.is_whole() ? lower_cholesky(e->children.front()) : lower(e), s.row,
                          s.col);
        case Op::diag_vector:
            if (e->children.front()->op == Op::adjugate &&
                factor_kind(e->children.front()->children.front()) == LinkKind::diagonal) {
                return sliced(lower_diagonal_cofactors(e->children.front()->children.front()),
                              s.row, -1);
            }
            return lower_diag_vector(e->children.front(), s);
        case Op::diag_matrix:
        case Op::tril:
        case Op::triu:
            return lower_matrix_function(e, s);
        case Op::eye:
            if (!s.is_whole() && (s.row < 0 || s.col < 0)) {
                return sliced(lower(e), s.row, s.col);
            }
            return lower_entrywise(e, s);
        case Op::number:
        case Op::ones:
        case Op::add:
        case Op::hadamard:
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            return lower_entrywise(e, s);
        case Op::dim:
            return lower(number(static_cast<double>(sizes_.size(Dim::named(e->name)))));
        case Op::differential:
            break;
    }
    throw UnsupportedError("d(" + text_of(e->children.front()) +
                           ") stands in derivations only and cannot be evaluated");
}

/// diag, tril, triu: entries kept or exactly zero.
Use Lowering::lower_matrix_function(const Expr& e, Selection s) {
    const Expr& a = e->children.front();
    if (!s.is_whole() && (s.row < 0 || s.col < 0)) {
        return sliced(lower(e), s.row, s.col);
    }
    const Extent r = rows(e, s);
    const Extent c = cols(e, s);
    if (!s.is_whole()) {
        const bool kept = e->op == Op::diag_matrix ? s.row == s.col
                          : e->op == Op::tril      ? s.row >= s.col
                                                   : s.row <= s.col;
        if (kept) {
            return e->op == Op::diag_matrix ? lower(a, {s.row, -1}) : lower(a, s);
        }
        return map(
            r, c, [](BodyWriter& b) { return b.constant(0); }, "0", "outside the kept part");
    }
    const MapOp shape = e->op == Op::diag_matrix ? MapOp::is_diagonal
                        : e->op == Op::tril      ? MapOp::is_lower
                                                 : MapOp::is_upper;
    return map(
        r, c,
        [&](BodyWriter& b) {
            const int x = e->op == Op::diag_matrix ? b.load(lower(a), Broadcast::column)
                                                   : write(b, a, {}, r, c);
            return b.binary(MapOp::mask, x, b.mask(shape));
        },
        text_of(e), "");
}

Use Lowering::lower_entrywise(const Expr& e, Selection s) {
    if (e->op == Op::exp) {
        if (const std::optional<Use> softmax = lower_softmax(e, s)) {
            return *softmax;
        }
    }
    const Extent r = rows(e, s);
    const Extent c = cols(e, s);
    return map(
        r, c,
        [&](BodyWriter& b) {
            if (const std::optional<Entrywise> function = entrywise_of(e->op)) {
                return write_function(b, *function, e->children, s, r, c);
            }
            if (e->op == Op::add) {
                return write_sum(b, e, s, r, c);
            }
            if (e->op == Op::product) {
                return write_product(b, e, s, r, c);
            }
            if (e->op == Op::hadamard) {
                return write_hadamard(b, e, s, r, c);
            }
            if (e->op == Op::power || e->op == Op::inverse) {  // the inverse of a scalar
                const double exponent = e->op == Op::power ? e->number : -1;
                return b.power(exponent, write(b, e->children.front(), s, r, c));
            }
            if (e->op == Op::number || e->op == Op::ones || e->op == Op::eye) {
                return write(b, e, s, r, c);
            }
            throw UnsupportedError(text_of(e) + " has no entrywise form");
        },
        text_of(e), "");
}

int Lowering::load(BodyWriter& body, const Use& use, const Extent& r, const Extent& c) {
    const std::int64_t m = rows(use).size;
    const std::int64_t n = cols(use).size;
    if (m == r.size && n == c.size) {
        return body.load(use);
    }
    if (m == 1 && n == 1) {
        return body.load(use, Broadcast::scalar);
    }
    return body.load(use, n == 1 ? Broadcast::column : Broadcast::row);
}

int Lowering::write(BodyWriter& body, const Expr& e, Selection s, const Extent& r,
                    const Extent& c) {
    if (e->op == Op::number) {
        return body.constant(e->number);
    }
    if (e->op == Op::ones) {
        return body.constant(1);
    }
    if (e->op == Op::eye && s.is_whole()) {
        return body.mask(MapOp::is_diagonal);
    }
    if (e->op == Op::eye && s.row >= 0 && s.col >= 0) {
        return body.constant(s.row == s.col ? 1 : 0);
    }
    if (const Expr line = unspread(e)) {
        const Selection of_line =
            line.shape().cols.is_one() ? Selection{s.row, -1} : Selection{-1, s.col};
        return load(body, lower(line, of_line), r, c);
    }
    if (e->op == Op::product && has_coefficient(e) && e->num_scalars == 0) {
        const Scaled part = split_number(e);
        return body.scale(part.number, write(body, part.base, s, r, c));
    }
    return load(body, lower(e, s), r, c);
}

int Lowering::write_function(BodyWriter& body, Entrywise function,
                             const std::vector<Expr>& arguments, Selection s, const Extent& r,
                             const Extent& c) {
    const int a = write(body, arguments[0], s, r, c);
    if (arguments.size() == 1) {
        return body.unary(map_op(function), a);
    }
    return body.binary(map_op(function), a, write(body, arguments[1], s, r, c));
}

int Lowering::write_sum(BodyWriter& body, const Expr& e, Selection s, const Extent& r,
                        const Extent& c) {
    std::vector<Expr> terms =
        in_groups(e->children, [](std::span<const Expr> group) { return add(group); });
    // Subtracted terms last: -A + B is B - A.
    std::stable_partition(terms.begin(), terms.end(),
                          [](const Expr& t) { return split_number(t).number != -1; });
    // Terms that do not depend on the batch are summed once, before the problems.
    const bool here_shared = is_shared(e);
    int heavy_shared = 0;
    for (const Expr& t : terms) {
        const Op op = split_number(t).base->op;
        heavy_shared +=
            !here_shared && is_shared(t) && op != Op::ones && op != Op::eye && op != Op::number;
    }
    const auto accumulate = [&](BodyWriter& b, bool all, bool shared) {
        int total = -1;
        for (const Expr& t : terms) {
            if (!all && is_shared(t) != shared) {
                continue;
            }
            const Scaled part = split_number(t);
            if (total >= 0 && part.number == -1) {
                total = b.binary(MapOp::sub, total, write(b, part.base, s, r, c));
                continue;
            }
            const int x = write(b, t, s, r, c);
            total = total < 0 ? x : b.binary(MapOp::add, total, x);
        }
        return total;
    };
    if (heavy_shared < 2) {
        return accumulate(body, true, false);
    }
    const Use hoisted = map(
        r, c, [&](BodyWriter& b) { return accumulate(b, false, true); },
        "shared terms of " + text_of(e), "does not depend on the batch");
    const int rest = accumulate(body, false, false);
    return body.binary(MapOp::add, rest, load(body, hoisted, r, c));
}

int Lowering::write_product(BodyWriter& body, const Expr& e, Selection s, const Extent& r,
                            const Extent& c) {
    const auto first = e->children.begin();
    const std::vector<Expr> scalars =
        in_groups({first, first + e->num_scalars},
                  [](std::span<const Expr> group) { return multiply(group); });
    const std::vector<Expr> matrices(first + e->num_scalars, e->children.end());
    const Extent one{"1", 1};
    const auto multiply_scalars = [&](BodyWriter& b, int start) {
        int x = start;
        for (const Expr& f : scalars) {
            if (is_reciprocal(f)) {
                const int below = write(b, f->children.front(), {}, one, one);
                x = b.binary(MapOp::div, x < 0 ? b.constant(1) : x, below);
            } else {
                const int y = write(b, f, {}, one, one);
                x = x < 0 ? y : b.binary(MapOp::mul, x, y);
            }
        }
        return x;
    };
    if (matrices.empty()) {
        return body.scale(e->number, multiply_scalars(body, -1));
    }
    const int x = matrices.size() == 1 ? write(body, matrices.front(), s, r, c)
                                       : load(body, lower_chain(links_of(matrices, s)), r, c);
    if (scalars.empty()) {
        return body.scale(e->number, x);
    }
    const Use coefficient = map(
        one, one, [&](BodyWriter& b) { return b.scale(e->number, multiply_scalars(b, -1)); },
        "coefficient of " + text_of(e), "scalars first, then one multiplication per entry");
    return body.binary(MapOp::mul, load(body, coefficient, r, c), x);
}

int Lowering::write_hadamard(BodyWriter& body, const Expr& e, Selection s, const Extent& r,
                             const Extent& c) {
    const std::vector<Expr> factors =
        in_groups(e->children, [](std::span<const Expr> group) { return hadamard(group); });
    int x = -1;
    for (const Expr& f : factors) {
        if (!is_reciprocal(f)) {
            const int y = write(body, f, s, r, c);
            x = x < 0 ? y : body.binary(MapOp::mul, x, y);
        }
    }
    for (const Expr& f : factors) {
        if (is_reciprocal(f)) {
            const int y = write(body, f->children.front(), s, r, c);
            x = body.binary(MapOp::div, x < 0 ? body.constant(1) : x, y);
        }
    }
    return x;
}

}  // namespace matgrad::detail
