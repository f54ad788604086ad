#include <limits>
#include <utility>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "planner/lowering.hpp"

namespace matgrad::detail {
namespace {

const Extent kOne{"1", 1};

}  // namespace

/// exp(v - m) with m the largest entry, of all or of each row, so that nothing overflows, and the sum
/// of that. Where m is infinite 0 stands in for it.
const Lowering::ShiftedExp& Lowering::shifted_exp(const Expr& y, ReduceOver over) {
    const std::pair key{y->fingerprint, over};
    if (const auto found = shifted_.find(key); found != shifted_.end()) {
        return found->second;
    }
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    const Extent sums = over == ReduceOver::rows ? r : kOne;
    const Use v = lower(y);
    const Use largest = reduce(
        ReduceOp::max, over, r, c, [&](BodyWriter& b) { return load(b, v, r, c); },
        "max(" + text_of(y) + ")", "");
    const double limit = request_.type == ScalarType::float32
                             ? static_cast<double>(std::numeric_limits<float>::max())
                             : std::numeric_limits<double>::max();
    const Use shift = map(
        sums, kOne,
        [&](BodyWriter& b) {
            const int m = load(b, largest, sums, kOne);
            const int half = b.scale(0.5, m);
            const int above = b.unary(MapOp::step, b.offset(limit, half));
            const int below = b.unary(MapOp::step, b.offset(limit, b.scale(-1, half)));
            return b.binary(MapOp::mask, m, b.binary(MapOp::mul, above, below));
        },
        "finite max(" + text_of(y) + ")", "0 stands in for an infinite maximum");
    const Use terms = map(
        r, c,
        [&](BodyWriter& b) {
            const int m = load(b, shift, r, c);
            return b.unary(MapOp::exp, b.binary(MapOp::sub, load(b, v, r, c), m));
        },
        "exp(v - max)", "logsumexp and its gradient have it in common");
    const Use total = reduce(
        ReduceOp::sum, over, r, c, [&](BodyWriter& b) { return load(b, terms, r, c); },
        "sum of exp(v - max)", "shifted by the maximum: cannot overflow");
    return shifted_.emplace(key, ShiftedExp{shift, terms, total}).first->second;
}

/// log(sum(exp(v))) as m + log(sum(exp(v - m))). An infinite m gives -inf for a v of -inf alone (or an
/// empty one) and inf where an entry is inf.
Use Lowering::log_of_shifted(const ShiftedExp& e, const std::string& text) {
    const Extent sums = rows(e.total);
    return map(
        sums, kOne,
        [&](BodyWriter& b) {
            const int sum = b.unary(MapOp::log, load(b, e.total, sums, kOne));
            return b.binary(MapOp::add, load(b, e.shift, sums, kOne), sum);
        },
        text, "");
}

Use Lowering::lower_logsumexp(const Expr& y) {
    return log_of_shifted(shifted_exp(y, ReduceOver::all), "logsumexp(" + text_of(y) + ")");
}

Use Lowering::lower_line_logsumexp(const Expr& y) {
    return log_of_shifted(shifted_exp(y, ReduceOver::rows), "rowlogsumexp(" + text_of(y) + ")");
}

namespace {

/// The logsumexp that is taken from an argument.
struct Subtracted {
    Expr log;             ///< empty if there is none
    bool turned = false;  ///< the argument has the transpose of what the log is of
};

/// Of Y - logsumexp(Y), Y' - logsumexp(Y) and Y - rowlogsumexp(Y).
Subtracted subtracted_logsumexp(const Expr& argument) {
    for (const Expr& term : argument->op == Op::add ? argument->children : std::vector<Expr>{}) {
        const Factors f = factors_of(term);
        Expr log;
        if (f.number == -1 && f.scalars.size() == 1) {
            log = f.scalars.front();
        } else if (f.number == -1 && f.scalars.empty() && !f.matrices.empty() &&
                   f.matrices.size() <= 2) {
            log = f.matrices.front();
        }
        if (!log || (log->op != Op::logsumexp && log->op != Op::row_logsumexp)) {
            continue;
        }
        const auto is_of = [&](const Expr& y) {
            return y.shape() == argument.shape() && add(y, term) == argument;
        };
        const Expr& y = log->children.front();
        if (is_of(y)) {
            return {log, false};
        }
        if (log->op == Op::logsumexp && is_of(transpose(y))) {
            return {log, true};
        }
    }
    return {};
}

}  // namespace

/// exp(v - logsumexp(v)), the gradient of logsumexp, as exp(v - m) over its sum: the exponential serves
/// both. Nothing if `e`, an exp, is not that.
std::optional<Use> Lowering::lower_softmax(const Expr& e, Selection s) {
    const Subtracted found = subtracted_logsumexp(e->children.front());
    if (!found.log) {
        const Expr turned = transpose(e->children.front());
        const Expr log = subtracted_logsumexp(turned).log;
        const bool by_columns = log && !e.shape().is_scalar() && log->op == Op::row_logsumexp;
        return by_columns ? std::optional(transposed(lower(apply(Op::exp, turned), s.swapped())))
                          : std::nullopt;
    }
    const bool by_rows = found.log->op == Op::row_logsumexp;
    const ShiftedExp& parts =
        shifted_exp(found.log->children.front(), by_rows ? ReduceOver::rows : ReduceOver::all);
    const Use all_terms = found.turned ? transposed(parts.terms) : parts.terms;
    const Extent r = rows(e, s);
    const Extent c = cols(e, s);
    return map(
        r, c,
        [&](BodyWriter& b) {
            const int terms = load(b, sliced(all_terms, s.row, s.col), r, c);
            const Use total = by_rows ? sliced(parts.total, s.row, -1) : parts.total;
            return b.binary(MapOp::div, terms, load(b, total, r, c));
        },
        text_of(e), "exp(v - max) over its sum");
}

}  // namespace matgrad::detail
