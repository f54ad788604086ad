#include <algorithm>

#include "expression/build.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"

namespace matgrad::detail {
namespace {

std::uint64_t mixed(std::uint64_t h, std::uint64_t w) {
    h ^= w + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2);
    h *= 0xbf58476d1ce4e5b9ULL;
    return h ^ (h >> 29);
}

std::uint64_t key_from(std::uint64_t tag, const Fingerprint& f, Selection s) {
    std::uint64_t h = mixed(tag + 1, f[0]);
    h = mixed(h, f[1]);
    h = mixed(h, static_cast<std::uint64_t>(s.row));
    return mixed(h, static_cast<std::uint64_t>(s.col));
}

bool needs_brackets(const Expr& e) {
    return e->op == Op::add || e->op == Op::hadamard;
}

std::string link_text(const Link& link) {
    if (is_present(link.ready)) {
        return link.label;
    }
    if (link.weight.kind == LinkKind::ones) {
        return "ones(" + link.rows.name + "," + link.cols.name + ")";
    }
    if (link.weight.kind == LinkKind::unit_columns) {
        return text_of(link.transposed ? transpose(link.expr) : link.expr);
    }
    std::string text = text_of(link.expr);
    if (link.unit) {
        return text + (link.selection.row >= 0 ? "[" + std::to_string(link.selection.row) + ",:]"
                                               : "[:," + std::to_string(link.selection.col) + "]");
    }
    if (is_solve(link.weight.kind) || link.inverted) {
        text = "inv(" + text + ")" + (link.transposed ? "'" : "");
    } else if (link.weight.kind == LinkKind::dense && needs_brackets(link.expr)) {
        text = "(" + text + ")";
    }
    if (link.selection.row >= 0) {
        text += "[" + std::to_string(link.selection.row) + ",:]";
    }
    if (link.selection.col >= 0) {
        text += "[:," + std::to_string(link.selection.col) + "]";
    }
    return text;
}

}  // namespace

std::string text_of(const Links& links, int i, int j) {
    std::string text;
    for (int k = i; k <= j; ++k) {
        text += (k > i ? "*" : "") + link_text(links[static_cast<std::size_t>(k)]);
    }
    return text;
}

/// One step of two polynomial hashes modulo the Mersenne prime 2^61 - 1.
ChainKey extended(const ChainKey& key, std::uint64_t word) {
    constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;
    constexpr std::uint64_t kBases[] = {0x0f3a9d1c5b7e2468ULL, 0x17c4e86a2d91b35fULL};
    ChainKey result{};
    for (std::size_t i = 0; i < 2; ++i) {
        const auto product = static_cast<unsigned __int128>(key[i] + 1) * kBases[i];
        const std::uint64_t added = i == 0 ? word : mixed(11, word);
        const std::uint64_t low = static_cast<std::uint64_t>(product) & kPrime;
        const std::uint64_t high = static_cast<std::uint64_t>(product >> 61);
        result[i] = (low + high + (added & kPrime) + (added >> 61)) % kPrime;
    }
    return result;
}

ChainKey key_of(const Links& links, int i, int j, bool transposed) {
    ChainKey key{};
    for (int k = i; k <= j; ++k) {
        const ChainLink& l = links[static_cast<std::size_t>(transposed ? i + j - k : k)].weight;
        key = extended(key, transposed ? l.transposed_key : l.key);
    }
    return key;
}

OrientedKey oriented_key(const Links& links, int i, int j) {
    const ChainKey forward = key_of(links, i, j, false);
    const ChainKey backward = key_of(links, i, j, true);
    return backward < forward ? OrientedKey{backward, true} : OrientedKey{forward, false};
}

Link Lowering::dense_link(const Expr& e, Selection s) {
    Link link;
    link.expr = e;
    link.selection = s;
    link.rows = rows(e, s);
    link.cols = cols(e, s);
    link.weight = {LinkKind::dense,
                   link.rows.size,
                   link.cols.size,
                   is_shared(e),
                   key_from(0, e->fingerprint, s),
                   key_from(0, e->transposed_fingerprint, s.swapped())};
    return link;
}

Link Lowering::ones_link(const Extent& r, const Extent& c) {
    Link link;
    link.rows = r;
    link.cols = c;
    const auto hash = [](const Extent& a, const Extent& b) {
        const std::uint64_t names = std::hash<std::string>{}(a.name + "," + b.name);
        return mixed(mixed(7, names), static_cast<std::uint64_t>(a.size));
    };
    link.weight = {LinkKind::ones, r.size, c.size, true, hash(r, c), hash(c, r)};
    if (r.size == 1 && c.size != 1) {  // one key for a row and the transpose of the column
        link.weight.key = mixed(hash(c, r), 1);
        link.weight.transposed_key = hash(c, r);
    } else {
        link.weight.key = hash(r, c);
        link.weight.transposed_key = mixed(hash(r, c), 1);
    }
    return link;
}

Link Lowering::unit_link(const Dim& n, std::int64_t index, bool row) {
    const Selection s = row ? Selection{index, -1} : Selection{-1, index};
    Link link = dense_link(eye(n), s);
    link.unit = true;
    return link;
}

void Lowering::append_links(Links& links, const Expr& factor, Selection s) {
    if (factor->op == Op::product && factor->num_scalars == 0 && factor->number == 1 &&
        !factor.shape().is_scalar()) {
        const Links inner = links_of(factor->children, s);
        links.insert(links.end(), inner.begin(), inner.end());
        return;
    }
    if (factor->op == Op::ones) {
        const Extent r = rows(factor, s);
        const Extent c = cols(factor, s);
        const Extent one{"1", 1};
        if (r.size == 1 || c.size == 1) {
            links.push_back(ones_link(r, c));
        } else {
            links.push_back(ones_link(r, one));
            links.push_back(ones_link(one, c));
        }
        return;
    }
    const bool flipped = factor->op == Op::transpose;
    const Expr& core = flipped ? factor->children.front() : factor;
    if (core->op == Op::unit_columns && s.is_whole()) {
        Link link = dense_link(factor, s);
        link.expr = core;
        link.transposed = flipped;
        link.weight.kind = LinkKind::unit_columns;
        links.push_back(std::move(link));
        return;
    }
    const bool inverted = core->op == Op::inverse;
    const Expr& matrix = inverted ? core->children.front() : core;
    const bool diagonal = matrix->op == Op::diag_matrix || is_declared(matrix, Structure::diagonal);
    if (core.shape().is_scalar() || (!inverted && !diagonal)) {
        links.push_back(dense_link(factor, s));
        return;
    }
    if (s.row >= 0) {
        links.push_back(unit_link(factor.shape().rows, s.row, true));
    }
    Link link;
    link.expr = matrix;
    link.inverted = inverted;
    link.transposed = flipped;
    link.rows = sizes_.extent(factor.shape().rows);
    link.cols = sizes_.extent(factor.shape().cols);
    link.weight = {diagonal ? LinkKind::diagonal : factor_kind(matrix),
                   link.rows.size,
                   link.cols.size,
                   is_shared(matrix),
                   key_from(0, factor->fingerprint, {}),
                   key_from(0, factor->transposed_fingerprint, {})};
    links.push_back(std::move(link));
    if (s.col >= 0) {
        links.push_back(unit_link(factor.shape().cols, s.col, false));
    }
}

Links Lowering::links_of(std::span<const Expr> factors, Selection s) {
    Links links;
    for (std::size_t i = 0; i < factors.size(); ++i) {
        append_links(links, factors[i],
                     {i == 0 ? s.row : -1, i + 1 == factors.size() ? s.col : -1});
    }
    return links;
}

ChainOrder Lowering::order(const Links& links) {
    std::vector<ChainLink> weights;
    for (const Link& l : links) {
        weights.push_back(l.weight);
    }
    return order_chain(weights, batch(), [&](int i, int j) {
        const ChainKey key = oriented_key(links, i, j).key;
        if (chains_.count(key) != 0) {
            return 0.0;
        }
        if (way_.counts == nullptr) {
            return 1.0;
        }
        const auto* found = find_in(*way_.counts, key);
        return found == nullptr ? 1.0 : 1.0 / *found;
    });
}

Use Lowering::lower_chain_part(const Links& links, const ChainOrder& order, int i, int j) {
    const Link& first = links[static_cast<std::size_t>(i)];
    if (i == j && first.weight.kind == LinkKind::dense) {
        return leaf(first);
    }
    const OrientedKey key = oriented_key(links, i, j);
    if (const auto* found = find_in(chains_, key.key)) {
        return key.reversed ? transposed(*found) : *found;
    }
    const Use use = i == j ? leaf(first) : join(links, order, i, j);
    chains_.emplace(key.key, key.reversed ? transposed(use) : use);
    return use;
}

Use Lowering::join(const Links& links, const ChainOrder& order, int i, int j) {
    const ChainStep& step = order.at(i, j);
    const Link& first = links[static_cast<std::size_t>(i)];
    const Link& last = links[static_cast<std::size_t>(j)];
    const std::string text = text_of(links, i, j);
    const auto part = [&](int from, int to) { return lower_chain_part(links, order, from, to); };
    switch (step.join) {
        case Join::solve_left:
            return solve(first, Side::left, part(i + 1, j), key_of(links, i + 1, j, false), text);
        case Join::solve_right:
            return solve(last, Side::right, part(i, j - 1), key_of(links, i, j - 1, true), text);
        case Join::scale_left:
        case Join::scale_right: {
            const bool left = step.join == Join::scale_left;
            const Use d = diagonal_vector(left ? first : last);
            const Use rest = left ? part(i + 1, j) : part(i, j - 1);
            return map(
                first.rows, last.cols,
                [&](BodyWriter& b) {
                    const int scale =
                        left ? b.load(d, Broadcast::column) : b.load(transposed(d), Broadcast::row);
                    return b.binary(MapOp::mul, scale, load(b, rest, first.rows, last.cols));
                },
                text, "a diagonal factor scales, it is not multiplied as a matrix");
        }
        case Join::sum_left:
        case Join::sum_right: {
            const bool left = step.join == Join::sum_left;
            const Use rest = left ? part(i + 1, j) : part(i, j - 1);
            const Extent r = rows(rest);
            const Extent c = cols(rest);
            const bool all = left ? c.size == 1 : r.size == 1;
            return reduce(
                ReduceOp::sum,
                all    ? ReduceOver::all
                : left ? ReduceOver::cols
                       : ReduceOver::rows,
                r, c, [&](BodyWriter& b) { return load(b, rest, r, c); }, text,
                "a product with ones is a sum");
        }
        case Join::window_left:
        case Join::window_right:
            return window(links, order, i, j, step.join == Join::window_left);
        case Join::syrk: {
            Use half = part(i, step.split);
            if (rows(half).size == 1) {
                return sum_of_squares(half, text, "a'*a is a sum of squares");
            }
            return emit(Syrk{half}, first.rows, last.cols, text,
                        "Z*Z' is symmetric: half the operations");
        }
        case Join::congruence: {
            const Link& middle = links[static_cast<std::size_t>(step.split)];
            const Factor f = factor_of(middle);
            const Use w = half_solve(f, Side::right, part(i, step.split - 1),
                                     key_of(links, i, step.split - 1, true),
                                     text_of(links, i, step.split - 1));
            const std::string why = "Z*inv(S)*Z' = W*W' with W = Z*inv(L'): one triangular solve";
            if (rows(w).size == 1) {
                return sum_of_squares(w, text, why);
            }
            return emit(Syrk{w}, first.rows, last.cols, text, why);
        }
        case Join::leaf:  // of one link: never here
        case Join::multiply:
            break;
    }
    return multiply_dense(part(i, step.split), part(step.split + 1, j), text);
}

Use Lowering::leaf(const Link& link) {
    switch (link.weight.kind) {
        case LinkKind::dense:
            return is_present(link.ready) ? link.ready : lower(link.expr, link.selection);
        case LinkKind::ones:
            return map(
                link.rows, link.cols, [](BodyWriter& b) { return b.constant(1); }, link_text(link),
                "");
        case LinkKind::diagonal: {
            const Use d = diagonal_vector(link);
            return map(
                link.rows, link.cols,
                [&](BodyWriter& b) {
                    return b.binary(MapOp::mask, b.load(d, Broadcast::column),
                                    b.mask(MapOp::is_diagonal));
                },
                link_text(link), "");
        }
        case LinkKind::unit_columns:
            return unit_columns(link);
        case LinkKind::cholesky:
        case LinkKind::lu:
        case LinkKind::triangular:
            break;
    }
    return explicit_inverse(link);
}

Use Lowering::diagonal_vector(const Link& link) {
    const ExprKey key{link.expr->fingerprint, link.inverted ? 1 : 0, 0};
    if (const auto* found = find_in(diagonals_, key)) {
        return *found;
    }
    const Extent one{"1", 1};
    Use d;
    if (link.expr->op == Op::diag_matrix) {
        d = lower(link.expr->children.front());
    } else {
        d = lower_diag_vector(link.expr, {});
    }
    if (link.inverted) {
        d = map(
            link.rows, one,
            [&](BodyWriter& b) {
                return b.binary(MapOp::div, b.constant(1), load(b, d, link.rows, one));
            },
            "1./diag(" + text_of(link.expr) + ")", "the inverse of a diagonal");
    }
    diagonals_.emplace(key, d);
    return d;
}

Use Lowering::multiply_dense(const Use& a, const Use& b, const std::string& text) {
    const Extent m = rows(a);
    const Extent k = cols(a);
    const Extent n = cols(b);
    if (k.size == 1) {
        return map(
            m, n,
            [&](BodyWriter& body) {
                return body.binary(MapOp::mul, load(body, a, m, n), load(body, b, m, n));
            },
            text, "an outer product is entrywise");
    }
    if (m.size == 1 && n.size == 1) {
        return sum_of_products(transposed(a), b, text, "an inner product is a sum");
    }
    if (a.transposed && b.transposed) {  // A'*B' = (B*A)' reads both as they lie
        return transposed(
            emit(Gemm{transposed(b), transposed(a), 1, 0, {}}, n, m, "(" + text + ")'", ""));
    }
    return emit(Gemm{a, b, 1, 0, {}}, m, n, text, "");
}

}  // namespace matgrad::detail
