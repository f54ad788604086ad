#include <limits>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"
#include "program/cost.hpp"

namespace matgrad::detail {
namespace {

const Extent kOne{"1", 1};

/// True if this matrix is a product of several factors (or an inverse) worth reordering.
bool is_chain(const Expr& e) {
    return e->op == Op::inverse || e->op == Op::product ||
           (e->op == Op::transpose && e->children.front()->op == Op::inverse);
}

}  // namespace

Use Lowering::sum_of_squares(const Use& a, const std::string& text, const std::string& why) {
    Use plain = a;
    plain.transposed = false;
    const Extent r = rows(plain);
    const Extent c = cols(plain);
    return reduce(
        ReduceOp::sum, ReduceOver::all, r, c,
        [&](BodyWriter& b) {
            const int x = load(b, plain, r, c);
            return b.binary(MapOp::mul, x, x);
        },
        text, why);
}

Use Lowering::sum_of_products(const Use& a, const Use& b, const std::string& text,
                              const std::string& why) {
    Use x = a;
    Use y = b;
    if (x.transposed && y.transposed) {
        x.transposed = y.transposed = false;
    }
    const Extent r = rows(x);
    const Extent c = cols(x);
    return reduce(
        ReduceOp::sum, ReduceOver::all, r, c,
        [&](BodyWriter& body) {
            return body.binary(MapOp::mul, load(body, x, r, c), load(body, y, r, c));
        },
        text, why);
}

/// number * scalars * a, all 1x1.
Use Lowering::scaled(double number, std::span<const Expr> scalars, const Use& a,
                     const std::string& text) {
    return map(
        kOne, kOne,
        [&](BodyWriter& b) {
            int x = load(b, a, kOne, kOne);
            for (const Expr& s : scalars) {
                x = b.binary(MapOp::mul, x, write(b, s, {}, kOne, kOne));
            }
            return b.scale(number, x);
        },
        text, "");
}

Use Lowering::lower_trace(const Expr& y) {
    const std::string text = "tr(" + text_of(y) + ")";
    if (y->op == Op::add) {  // a sum of traces; products inside need not be formed
        std::vector<Expr> traces;
        for (const Expr& t : y->children) {
            traces.push_back(apply(Op::trace, t));
        }
        return lower(add(traces));
    }
    const Factors f = factors_of(y);
    if (f.number != 1 || !f.scalars.empty()) {
        const Factors bare{1, {}, f.matrices};
        return scaled(f.number, f.scalars, lower(apply(Op::trace, make_product(bare, y.shape()))),
                      text);
    }
    if (is_chain(y)) {
        return lower_trace_of_chain(links_of(f.matrices));
    }
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    return reduce(
        ReduceOp::sum, ReduceOver::diagonal, r, c,
        [&](BodyWriter& b) { return write(b, y, {}, r, c); }, text, "");
}

/// tr(P*Q) = sum(P'.*Q): the last product is never formed. P and Q are the best pair of arcs of the
/// chain closed to a ring, for tr(PQ) = tr(QP).
Use Lowering::lower_trace_of_chain(const Links& links) {
    if (links.size() > static_cast<std::size_t>(kLongestRing)) {
        return lower_trace_of_chain({ready_link({links.begin(), links.end() - 1}), links.back()});
    }
    const int n = static_cast<int>(links.size());
    Links ring = links;
    ring.insert(ring.end(), links.begin(), links.end());
    const ChainOrder ways = order(ring);
    const std::string text = "tr(" + text_of(links, 0, n - 1) + ")";

    std::vector<ChainLink> weights;
    for (const Link& l : ring) {
        weights.push_back(l.weight);
    }
    enum class Form { pair, squares, congruence };
    Form form = Form::pair;
    int from = 0;
    int length = 0;
    double best = std::numeric_limits<double>::infinity();
    const auto consider = [&](Form f, int start, int len, double cost) {
        if (cost < best * (1 - 1e-12)) {
            best = cost;
            form = f;
            from = start;
            length = len;
        }
    };
    for (int start = 0; start < n; ++start) {
        const double entries = static_cast<double>(ring[static_cast<std::size_t>(start)].rows.size);
        const int end = start + n - 1;
        if (is_palindrome(weights, start, end)) {
            const int half = n / 2;
            const Link& middle = ring[static_cast<std::size_t>(start + half)];
            const double arc = half > 0 ? ways.at(start, start + half - 1).operations : 0;
            if (n % 2 == 0) {
                const double inner = static_cast<double>(middle.rows.size);
                consider(Form::squares, start, half, arc + 2 * entries * inner);
            } else if (middle.weight.kind == LinkKind::cholesky) {
                const std::int64_t s = middle.rows.size;
                const double work =
                    half > 0 ? trsm_operations(s, ring[static_cast<std::size_t>(start)].rows.size)
                             : trsm_inverse_operations(s);
                consider(Form::congruence, start, half,
                         arc + work + 2 * entries * static_cast<double>(s));
            }
        }
        for (int len = 1; len < n; ++len) {
            const int split = start + len;
            if (split > n) {
                continue;  // the other arc starts first: seen from there
            }
            const double inner =
                static_cast<double>(ring[static_cast<std::size_t>(split)].rows.size);
            consider(Form::pair, start, len,
                     ways.at(start, split - 1).operations + ways.at(split, end).operations +
                         2 * entries * inner);
        }
    }
    if (best == std::numeric_limits<double>::infinity()) {  // a single factor
        const Use a = lower_chain(links);
        return reduce(
            ReduceOp::sum, ReduceOver::diagonal, rows(a), cols(a),
            [&](BodyWriter& b) { return load(b, a, rows(a), cols(a)); }, text, "");
    }
    if (form == Form::congruence) {
        const Factor f = factor_of(ring[static_cast<std::size_t>(from + length)]);
        const Use arc = length > 0 ? lower_chain_part(ring, ways, from, from + length - 1) : Use{};
        const ChainKey key = length > 0 ? key_of(ring, from, from + length - 1, true) : ChainKey{};
        const Use w =
            half_solve(f, length > 0 ? Side::right : Side::left, arc, key,
                       length > 0 ? text_of(ring, from, from + length - 1) : std::string("eye"));
        return sum_of_squares(w, text, "tr(Z*inv(S)*Z') is the sum of squares of Z*inv(L')");
    }
    const Use a = lower_chain_part(ring, ways, from, from + length - 1);
    if (form == Form::squares) {
        return sum_of_squares(a, text, "tr(Z*Z') is the sum of squares of Z");
    }
    const Use b = lower_chain_part(ring, ways, from + length, from + n - 1);
    return sum_of_products(transposed(a), b, text,
                           "tr(P*Q) = sum(P'.*Q): the product is not formed");
}

Use Lowering::lower_dot(const Expr& a, const Expr& b) {
    const std::string text = "dot(" + text_of(a) + ", " + text_of(b) + ")";
    if (a == b) {
        const Extent r = rows(a, {});
        const Extent c = cols(a, {});
        return reduce(
            ReduceOp::sum, ReduceOver::all, r, c,
            [&](BodyWriter& body) {
                const int x = write(body, a, {}, r, c);
                return body.binary(MapOp::mul, x, x);
            },
            text, "");
    }
    const Factors fa = factors_of(transpose(a));
    const Factors fb = factors_of(b);
    if ((is_chain(a) || is_chain(b)) && !fa.matrices.empty() && !fb.matrices.empty()) {
        Links links = links_of(fa.matrices);
        const Links right = links_of(fb.matrices);
        links.insert(links.end(), right.begin(), right.end());
        std::vector<Expr> scalars = fa.scalars;
        scalars.insert(scalars.end(), fb.scalars.begin(), fb.scalars.end());
        return scaled(fa.number * fb.number, scalars, lower_trace_of_chain(links), text);
    }
    const Extent r = rows(a, {});
    const Extent c = cols(a, {});
    return reduce(
        ReduceOp::sum, ReduceOver::all, r, c,
        [&](BodyWriter& body) {
            return body.binary(MapOp::mul, write(body, a, {}, r, c), write(body, b, {}, r, c));
        },
        text, "");
}

Use Lowering::lower_sum(const Expr& y) {
    const std::string text = "sum(" + text_of(y) + ")";
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    if (is_chain(y)) {  // ones'*P*ones, in the best order
        const Factors f = factors_of(y);
        Links links;
        links.push_back(ones_link(kOne, r));
        const Links inner = links_of(f.matrices);
        links.insert(links.end(), inner.begin(), inner.end());
        links.push_back(ones_link(c, kOne));
        return scaled(f.number, f.scalars, lower_chain(links), text);
    }
    if (y->op == Op::hadamard && y->children.size() == 2 &&
        (is_chain(y->children[0]) || is_chain(y->children[1]))) {
        return lower_dot(y->children[0], y->children[1]);
    }
    return reduce(
        ReduceOp::sum, ReduceOver::all, r, c, [&](BodyWriter& b) { return write(b, y, {}, r, c); },
        text, "");
}

Use Lowering::lower_row_sum(const Expr& y, Selection s) {
    const std::string text = "rowsum(" + text_of(y) + ")";
    const Extent r = rows(y, {s.row, -1});
    const Extent c = cols(y, {});
    const Factors f = factors_of(y);
    if (is_chain(y) && f.number == 1 && f.scalars.empty()) {
        Links links = links_of(f.matrices, {s.row, -1});
        links.push_back(ones_link(c, kOne));
        return lower_chain(links);
    }
    return reduce(
        ReduceOp::sum, ReduceOver::rows, r, c,
        [&](BodyWriter& b) {
            return write(b, y, {s.row, -1}, r, c);
        },
        text, "");
}

Use Lowering::lower_norm(const Expr& y, bool euclidean) {
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    return reduce(
        euclidean ? ReduceOp::norm : ReduceOp::sum, ReduceOver::all, r, c,
        [&](BodyWriter& b) {
            const int x = write(b, y, {}, r, c);
            return euclidean ? x : b.unary(MapOp::abs, x);
        },
        (euclidean ? "norm2(" : "norm1(") + text_of(y) + ")", "");
}

/// The 1-norm of a matrix.
Use Lowering::largest_column_sum(const Use& a, const std::string& text) {
    const Extent r = rows(a);
    const Extent c = cols(a);
    const Use sums = reduce(
        ReduceOp::sum, ReduceOver::cols, r, c,
        [&](BodyWriter& b) { return b.unary(MapOp::abs, load(b, a, r, c)); },
        "column sums of |" + text + "|", "");
    return reduce(
        ReduceOp::max, ReduceOver::all, kOne, c,
        [&](BodyWriter& b) { return load(b, sums, kOne, c); }, "1-norm of " + text, "");
}

Use Lowering::lower_diag_vector(const Expr& y, Selection s) {
    if (s.row >= 0) {
        return lower(y, {s.row, s.row});
    }
    const std::string text = "diag(" + text_of(y) + ")";
    const Extent r = rows(y, {});
    const Extent c = cols(y, {});
    const Factors f = factors_of(y);
    if (is_chain(y) && f.number == 1 && f.scalars.empty()) {
        const Links links = links_of(f.matrices);
        const int n = static_cast<int>(links.size());
        if (n > 1) {
            const ChainOrder ways = order(links);
            int split = 0;
            double best = std::numeric_limits<double>::infinity();
            for (int k = 0; k + 1 < n; ++k) {
                const double cost =
                    ways.at(0, k).operations + ways.at(k + 1, n - 1).operations +
                    2 * static_cast<double>(r.size) *
                        static_cast<double>(links[static_cast<std::size_t>(k)].cols.size);
                if (cost < best) {
                    best = cost;
                    split = k;
                }
            }
            const Use p = lower_chain_part(links, ways, 0, split);
            const Use q = transposed(lower_chain_part(links, ways, split + 1, n - 1));
            return reduce(
                ReduceOp::sum, ReduceOver::rows, r, cols(p),
                [&](BodyWriter& b) {
                    return b.binary(MapOp::mul, load(b, p, r, cols(p)), load(b, q, r, cols(p)));
                },
                text, "diag(P*Q) = rowsum(P.*Q'): the product is not formed");
        }
    }
    return reduce(
        ReduceOp::sum, ReduceOver::rows, r, c,
        [&](BodyWriter& b) {
            return b.binary(MapOp::mask, write(b, y, {}, r, c), b.mask(MapOp::is_diagonal));
        },
        text, "");
}

}  // namespace matgrad::detail
