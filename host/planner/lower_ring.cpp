// Traces of products: the chain closed to a ring, for tr(P*Q) = tr(Q*P).

#include <limits>
#include <vector>

#include "expression/make_node.hpp"
#include "planner/lowering.hpp"
#include "program/cost.hpp"

namespace matgrad::detail {

/// How the trace of a chain is taken, and what that costs. `ring` in the comments is the chain twice over, so that
/// every arc of the closed chain is a run of it.
struct RingWay {
    enum class Form {
        pair,        ///< sum(P'.*Q) of two arcs: their product is not formed
        diagonal,    ///< of the whole product, from any link on
        squares,     ///< tr(Z'*Z)
        congruence,  ///< tr(Z*inv(S)*Z'), S positive
    };
    Form form = Form::pair;
    int from = 0;
    int length = 0;  ///< of P or Z
    double operations = std::numeric_limits<double>::infinity();
};

namespace {

const Link& link_at(const Links& links, int i) {
    return links[static_cast<std::size_t>(i)];
}

/// The best way to the trace of a ring of n links.
class RingWays {
public:
    RingWays(const Links& ring, const ChainOrder& order)
        : ring_(ring), order_(order), n_(static_cast<int>(ring.size()) / 2) {
        for (const Link& l : ring) {
            weights_.push_back(l.weight);
        }
    }

    [[nodiscard]] RingWay best() {
        for (int start = 0; start < n_; ++start) {
            consider_palindrome(start);
            for (int length = 1; start + length <= n_;
                 ++length) {  // else the other arc starts first
                consider_pair(start, length);
            }
            consider({RingWay::Form::diagonal, start, n_,
                      arc(start, n_) + static_cast<double>(link_at(ring_, start).rows.size)});
        }
        return best_;
    }

private:
    [[nodiscard]] double arc(int from, int length) const {
        return length > 0 ? order_.at(from, from + length - 1).operations : 0;
    }
    /// Of a matrix that begins with one link and ends before another.
    [[nodiscard]] double entries(int from, int to) const {
        return static_cast<double>(link_at(ring_, from).rows.size) *
               static_cast<double>(link_at(ring_, to).rows.size);
    }

    void consider(const RingWay& way) {
        if (way.operations < best_.operations * (1 - 1e-12)) {
            best_ = way;
        }
    }

    void consider_pair(int start, int length) {
        if (length < n_) {
            consider({RingWay::Form::pair, start, length,
                      arc(start, length) + arc(start + length, n_ - length) +
                          2 * entries(start, start + length)});
        }
    }

    void consider_palindrome(int start) {
        if (!is_palindrome(weights_, start, start + n_ - 1)) {
            return;
        }
        const int half = n_ / 2;
        const Link& middle = link_at(ring_, start + half);
        const double sums = arc(start, half) + 2 * entries(start, start + half);
        if (n_ % 2 == 0) {
            consider({RingWay::Form::squares, start, half, sums});
        } else if (middle.weight.kind == LinkKind::cholesky) {
            const std::int64_t s = middle.rows.size;
            const double solve = half > 0 ? trsm_operations(s, link_at(ring_, start).rows.size)
                                          : trsm_inverse_operations(s);
            consider({RingWay::Form::congruence, start, half, sums + solve});
        }
    }

    const Links& ring_;
    const ChainOrder& order_;
    int n_;
    std::vector<ChainLink> weights_;
    RingWay best_;
};

Links closed(const Links& links) {
    Links ring = links;
    ring.insert(ring.end(), links.begin(), links.end());
    return ring;
}

}  // namespace

Use Lowering::lower_trace_of_chain(const Links& links) {
    if (links.size() > static_cast<std::size_t>(kLongestRing)) {
        return lower_trace_of_chain({ready_link({links.begin(), links.end() - 1}), links.back()});
    }
    const Links ring = closed(links);
    const ChainOrder ways = order(ring);
    const std::string text = "tr(" + text_of(links, 0, static_cast<int>(links.size()) - 1) + ")";
    return lower_ring(ring, ways, RingWays(ring, ways).best(), text);
}

Use Lowering::lower_ring(const Links& ring, const ChainOrder& ways, const RingWay& way,
                         const std::string& text) {
    const int n = static_cast<int>(ring.size()) / 2;
    const int next = way.from + way.length;
    switch (way.form) {
        case RingWay::Form::diagonal: {
            const Use a = lower_chain_part(ring, ways, way.from, next - 1);
            return reduce(
                ReduceOp::sum, ReduceOver::diagonal, rows(a), cols(a),
                [&](BodyWriter& b) { return load(b, a, rows(a), cols(a)); }, text, "");
        }
        case RingWay::Form::congruence: {
            const Factor f = factor_of(link_at(ring, next));
            const bool whole = way.length > 0;
            const Use arc = whole ? lower_chain_part(ring, ways, way.from, next - 1) : Use{};
            const Use w =
                half_solve(f, whole ? Side::right : Side::left, arc,
                           whole ? key_of(ring, way.from, next - 1, true) : ChainKey{},
                           whole ? text_of(ring, way.from, next - 1) : std::string("eye"));
            return sum_of_squares(w, text, "tr(Z*inv(S)*Z') is the sum of squares of Z*inv(L')");
        }
        case RingWay::Form::squares:
            return sum_of_squares(lower_chain_part(ring, ways, way.from, next - 1), text,
                                  "tr(Z*Z') is the sum of squares of Z");
        case RingWay::Form::pair:
            break;
    }
    const Use a = lower_chain_part(ring, ways, way.from, next - 1);
    const Use b = lower_chain_part(ring, ways, next, way.from + n - 1);
    return sum_of_products(transposed(a), b, text,
                           "tr(P*Q) = sum(P'.*Q): the product is not formed");
}

/// norm2(Z)^2 = tr(Z'*Z), of which arcs of the ring may be, or lead to, what another result needs.
Use Lowering::lower_squares_of_chain(const Expr& z) {
    Links links = links_of(factors_of(transpose(z)).matrices);
    const Links right = links_of(factors_of(z).matrices);
    links.insert(links.end(), right.begin(), right.end());
    const std::string text = "dot(" + text_of(z) + ", " + text_of(z) + ")";
    if (links.size() > static_cast<std::size_t>(kLongestRing)) {
        return sum_of_squares(lower(z), text, "");
    }
    const Links ring = closed(links);
    const ChainOrder ways = order(ring);
    const RingWay way = RingWays(ring, ways).best();
    const Use sum = lower_ring(ring, ways, way, text);
    if (way.form == RingWay::Form::squares) {
        return sum;
    }
    const Extent one{"1", 1};
    return map(
        one, one, [&](BodyWriter& b) { return b.unary(MapOp::relu, load(b, sum, one, one)); }, text,
        "a sum of squares is not negative");
}

}  // namespace matgrad::detail
