#include <limits>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"

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

Use Lowering::lower_dot(const Expr& a, const Expr& b) {
    const std::string text = "dot(" + text_of(a) + ", " + text_of(b) + ")";
    if (a == b && way_.squares_as_traces && is_chain(a)) {
        return lower_squares_of_chain(a);
    }
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
