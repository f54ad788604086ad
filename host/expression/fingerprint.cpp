#include "expression/fingerprint.hpp"

#include <bit>
#include <cmath>

#include "expression/make_node.hpp"

namespace matgrad::detail {
namespace {

constexpr std::uint64_t mix(std::uint64_t x) {  // a bijection that spreads every bit
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    return x;
}

/// Two independent 64-bit hashes fed with the same words.
class Hasher {
public:
    void word(std::uint64_t w) {
        state_[0] = mix(state_[0] ^ w);
        state_[1] = mix(state_[1] + w * 0x9e3779b97f4a7c15ULL + 1);
    }
    void text(std::string_view s) {
        word(s.size());
        for (const char c : s) {
            word(static_cast<unsigned char>(c));
        }
    }
    void dim(const Dim& d) {
        text(d.name);
        word(static_cast<std::uint64_t>(d.size));
    }
    void fingerprint(const Fingerprint& f) {
        word(f[0]);
        word(f[1]);
    }
    [[nodiscard]] Fingerprint result() const { return state_; }

private:
    Fingerprint state_{0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL};
};

/// A sum of fingerprints: the same for any order.
class Unordered {
public:
    void add(const Fingerprint& f) {
        state_[0] += mix(f[0]);
        state_[1] += mix(f[1] + 0x452821e638d01377ULL);
    }
    [[nodiscard]] Fingerprint result() const { return state_; }

private:
    Fingerprint state_{};
};

Fingerprint hash_of(Op op, const Fingerprint& inner) {
    Hasher h;
    h.word(static_cast<std::uint64_t>(op));
    h.fingerprint(inner);
    return h.result();
}

Fingerprint hash_of(Op op, double number, const Fingerprint& inner) {
    Hasher h;
    h.word(static_cast<std::uint64_t>(op));
    h.word(std::bit_cast<std::uint64_t>(number + 0.0));  // -0 and 0 are one number
    h.fingerprint(inner);
    return h.result();
}

Fingerprint hash_leaf(Op op, const Node& n, const Dim& rows, const Dim& cols) {
    Hasher h;
    h.word(static_cast<std::uint64_t>(op));
    h.word(std::bit_cast<std::uint64_t>(n.number + 0.0));
    h.text(n.name);
    h.word(static_cast<std::uint64_t>(n.structure));
    h.dim(rows);
    h.dim(cols);
    return h.result();
}

const Fingerprint& own(const Expr& e) {
    return e->fingerprint;
}
const Fingerprint& transposed(const Expr& e) {
    return e->transposed_fingerprint;
}

Fingerprint combine_unordered(const Node& n, const Fingerprint& (*get)(const Expr&)) {
    Unordered u;
    for (const Expr& c : n.children) {
        u.add(get(c));
    }
    return u.result();
}

Fingerprint combine_ordered(const Node& n, const Fingerprint& (*get)(const Expr&)) {
    Hasher h;
    h.word(static_cast<std::uint64_t>(n.op));
    h.word(std::bit_cast<std::uint64_t>(n.number + 0.0));  // -0 and 0 are one number
    for (const Expr& c : n.children) {
        h.fingerprint(get(c));
    }
    return h.result();
}

/// Hash of a product with its matrix factors read forward, or backward and transposed.
Fingerprint product_chain(const Node& n, bool backward) {
    const auto first = static_cast<std::size_t>(n.num_scalars);
    Hasher h;
    for (std::size_t i = first; i < n.children.size(); ++i) {
        const std::size_t k = backward ? n.children.size() - 1 - (i - first) : i;
        h.fingerprint(backward ? transposed(n.children[k]) : own(n.children[k]));
    }
    return h.result();
}

Fingerprint product_hash(const Node& n, const Fingerprint& chain) {
    Unordered scalars;
    for (int i = 0; i < n.num_scalars; ++i) {
        scalars.add(own(n.children[static_cast<std::size_t>(i)]));
    }
    Hasher h;
    h.fingerprint(scalars.result());
    h.fingerprint(chain);
    return hash_of(Op::product, n.number, h.result());
}

void fingerprint_product(Node& n) {
    const Fingerprint forward = product_chain(n, false);
    const Fingerprint backward = product_chain(n, true);
    if (n.shape.is_scalar()) {  // a'*X*b and b'*X'*a are one number
        Unordered both;
        both.add(forward);
        both.add(backward);
        n.fingerprint = n.transposed_fingerprint = product_hash(n, both.result());
        return;
    }
    n.fingerprint = product_hash(n, forward);
    n.transposed_fingerprint = product_hash(n, backward);
}

}  // namespace

void fingerprint(Node& n) {
    const auto child = [&n](const Fingerprint& (*get)(const Expr&)) {
        return get(n.children.front());
    };
    switch (n.op) {
        case Op::number:
        case Op::eye:
        case Op::dim:
            n.fingerprint = n.transposed_fingerprint =
                hash_leaf(n.op, n, n.shape.rows, n.shape.cols);
            return;
        case Op::ones:
            n.fingerprint = hash_leaf(n.op, n, n.shape.rows, n.shape.cols);
            n.transposed_fingerprint = hash_leaf(n.op, n, n.shape.cols, n.shape.rows);
            return;
        case Op::symbol: {
            n.fingerprint = hash_leaf(n.op, n, n.shape.rows, n.shape.cols);
            const bool symmetric = n.shape.is_scalar() || n.structure == Structure::symmetric ||
                                   n.structure == Structure::positive ||
                                   n.structure == Structure::diagonal;
            n.transposed_fingerprint =
                symmetric ? n.fingerprint : hash_of(Op::transpose, n.fingerprint);
            return;
        }
        case Op::product:
            fingerprint_product(n);
            return;
        case Op::add:
        case Op::hadamard:
            n.fingerprint = hash_of(n.op, combine_unordered(n, own));
            n.transposed_fingerprint = hash_of(n.op, combine_unordered(n, transposed));
            return;
        case Op::dot:
            n.fingerprint = n.transposed_fingerprint = hash_of(n.op, combine_unordered(n, own));
            return;
        case Op::transpose:
            n.fingerprint = child(transposed);
            n.transposed_fingerprint = child(own);
            return;
        case Op::tril:
        case Op::triu:
        case Op::row_sum:
        case Op::col_sum:
        case Op::row_norm2:
        case Op::col_norm2:
        case Op::row_logsumexp:
        case Op::col_logsumexp:
        case Op::row_max:
        case Op::col_max:
        case Op::is_row_max:
        case Op::is_col_max:
            n.fingerprint = hash_of(n.op, child(own));
            n.transposed_fingerprint = hash_of(*turned(n.op), child(transposed));
            return;
        case Op::inverse:
        case Op::adjugate:
        case Op::differential:
            n.fingerprint = hash_of(n.op, child(own));
            n.transposed_fingerprint = n.children.front()->symmetric
                                           ? n.fingerprint
                                           : hash_of(Op::transpose, n.fingerprint);
            return;
        case Op::unit_columns:
            n.fingerprint = hash_leaf(n.op, n, n.shape.rows, n.shape.cols);
            n.transposed_fingerprint = hash_of(Op::transpose, n.fingerprint);
            return;
        case Op::diag_vector:
        case Op::cholesky:
            n.fingerprint = hash_of(n.op, child(own));
            n.transposed_fingerprint = hash_of(Op::transpose, n.fingerprint);
            return;
        case Op::diag_matrix:
            n.fingerprint = n.transposed_fingerprint = hash_of(n.op, child(own));
            return;
        case Op::power:
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            n.fingerprint = combine_ordered(n, own);
            n.transposed_fingerprint =
                n.shape.is_scalar() ? n.fingerprint : combine_ordered(n, transposed);
            return;
        case Op::det:
        case Op::logdet:
        case Op::log_det:
        case Op::trace:
        case Op::sum:
        case Op::logsumexp:
        case Op::norm2:
        case Op::norm1:
            n.fingerprint = n.transposed_fingerprint = combine_ordered(n, own);
            return;
    }
}

}  // namespace matgrad::detail
