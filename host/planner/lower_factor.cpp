#include <limits>

#include "expression/build.hpp"
#include "planner/lowering.hpp"
#include "planner/structure.hpp"

namespace matgrad::detail {
namespace {

/// 1 where register x is 0, else 0.
int is_zero(BodyWriter& b, int x) {
    const int unit = b.constant(1);
    return b.binary(MapOp::sub, unit, b.binary(MapOp::mask, unit, x));
}

}  // namespace

const Factor& Lowering::factor_of(const Expr& y) {
    const auto own = factors_.find({y->fingerprint, true});
    if (own != factors_.end()) {
        return own->second;
    }
    const auto twin = factors_.find({y->transposed_fingerprint, true});
    if (twin != factors_.end()) {
        Factor f = twin->second;
        f.transposed = !f.transposed;
        return factors_.emplace(std::pair{y->fingerprint, true}, f).first->second;
    }
    return factors_.emplace(std::pair{y->fingerprint, true}, make_factor(y, true)).first->second;
}

Factor Lowering::factor_of(const Link& link) {
    Factor f = factor_of(link.expr);
    f.transposed = f.transposed != link.transposed;
    return f;
}

/// solved: systems are solved with it; else only its determinant is wanted.
Factor Lowering::make_factor(const Expr& y, bool solved) {
    Factor f;
    f.kind = solved || factor_kind(y) != LinkKind::cholesky ? factor_kind(y) : LinkKind::lu;
    f.id = y->fingerprint[0] ^ (y->fingerprint[1] << 1);
    Use a = lower(y);
    const std::string name = text_of(y);
    if (f.kind == LinkKind::triangular || f.kind == LinkKind::diagonal) {
        f.transposed = a.transposed;
        f.lower = is_declared(y, Structure::lower) != a.transposed;
        a.transposed = false;
        f.factor = a;
        return f;
    }
    if (f.kind == LinkKind::cholesky) {
        f.factor = emit_cholesky(a, name, factor_reason(y));
        return f;
    }
    f.transposed = a.transposed;
    a.transposed = false;
    const Extent n = rows(a);
    f.factor = emit(Getrf{a, solved}, n, n, "lu(" + name + ")",
                    solved ? factor_reason(y) : "for the determinant, which may be 0");
    Value pivots = program_.values.back();
    pivots.cols = {"1", 1};
    pivots.text = "pivots of " + name;
    f.pivots = {static_cast<ValueId>(program_.values.size())};
    program_.steps.back().out2 = f.pivots.value;
    program_.values.push_back(std::move(pivots));
    return f;
}

Use Lowering::emit_cholesky(Use a, const std::string& name, const std::string& why) {
    a.transposed = false;  // symmetric
    const Use factor =
        emit(Potrf{.a = a, .jitter = request_.jitter}, rows(a), cols(a), "chol(" + name + ")", why);
    program_.values.back().structure = Structure::lower;
    return factor;
}

/// chol(y): of the factor that systems are solved with, where there is one, with zeros above the diagonal.
Use Lowering::lower_cholesky(const Expr& y) {
    const Use factor = factor_kind(y) == LinkKind::cholesky
                           ? factor_of(y).factor
                           : emit_cholesky(lower(y), text_of(y), "the factor itself is asked for");
    const Extent n = rows(factor);
    return map(
        n, n,
        [&](BodyWriter& b) {
            return b.binary(MapOp::mask, load(b, factor, n, n), b.mask(MapOp::is_lower));
        },
        "chol(" + text_of(y) + ")", "zeros above the diagonal");
}

Use Lowering::triangular_solve(Side side, const Factor& f, bool flip, const Use& b,
                               const std::string& text, const std::string& why) {
    if (!is_present(b)) {
        const Extent n = rows(f.factor);
        return emit(Trsm{side, f.lower, flip, f.factor, b}, n, n, text, why);
    }
    if (b.transposed) {  // op(T)^-1 B' = (B op(T)^-T)' reads B as it lies
        const Side other = side == Side::left ? Side::right : Side::left;
        return transposed(triangular_solve(other, f, !flip, transposed(b), text, why));
    }
    return emit(Trsm{side, f.lower, flip, f.factor, b}, rows(b), cols(b), text, why);
}

/// inv(L)*B or B*inv(L'), remembered: both are the same numbers. `b_key` names B for the left
/// side and B' for the right one.
Use Lowering::half_solve(const Factor& f, Side side, const Use& b, const ChainKey& b_key,
                         const std::string& text) {
    const ChainKey key = extended(b_key, f.id);
    const bool right = side == Side::right;
    if (const auto* found = find_in(half_solves_, key)) {
        return right ? transposed(*found) : *found;
    }
    const Use w = triangular_solve(side, f, right, b, right ? text + "*inv(L')" : "inv(L)*" + text,
                                   "a triangular solve, no inverse");
    half_solves_.emplace(key, right ? transposed(w) : w);
    return w;
}

Use Lowering::solve(const Link& link, Side side, const Use& b, const ChainKey& b_key,
                    const std::string& text) {
    const Factor f = factor_of(link);
    if (f.kind == LinkKind::triangular) {
        return triangular_solve(side, f, f.transposed, b, text, "declared triangular: one solve");
    }
    if (f.kind == LinkKind::cholesky) {
        const std::string rest = program_.value(b.value).text;
        const Use half = half_solve(f, side, b, b_key, rest);
        return triangular_solve(side, f, side == Side::left, half, text,
                                "second half of the solve with the Cholesky factor");
    }
    const std::string why = "a solve with the LU factors, no inverse";
    if (b.transposed) {
        const Side other = side == Side::left ? Side::right : Side::left;
        return transposed(emit(Solve{other, !f.transposed, f.factor, f.pivots, transposed(b)},
                               cols(b), rows(b), "(" + text + ")'", why));
    }
    return emit(Solve{side, f.transposed, f.factor, f.pivots, b}, rows(b), cols(b), text, why);
}

Use Lowering::explicit_inverse(const Link& link) {
    const Factor f = factor_of(link);
    const Extent n = link.rows;
    const std::string text = text_of(link.expr);
    const std::string why = "the inverse itself is asked for, or cheaper than solves";
    if (f.kind == LinkKind::lu) {
        const Use inverse =
            emit(Solve{Side::left, false, f.factor, f.pivots, {}}, n, n, "inv(" + text + ")", why);
        return f.transposed ? transposed(inverse) : inverse;
    }
    if (f.kind == LinkKind::triangular) {
        const Use inverse =
            emit(Trsm{Side::left, f.lower, false, f.factor, {}}, n, n, "inv(" + text + ")", why);
        return f.transposed ? transposed(inverse) : inverse;
    }
    const Use half = half_solve(f, Side::left, {}, {}, "eye");
    return emit(Syrk{transposed(half)}, n, n, "inv(" + text + ")", why);
}

/// LU factors, which solve systems too where those are wanted. Alone they may have pivots of 0.
Factor Lowering::determinant_factor(const Expr& y) {
    if (is_factored(y)) {
        return factor_of(y);
    }
    const auto key = std::pair{y->fingerprint, false};
    if (const auto* found = find_in(factors_, key)) {
        return *found;
    }
    return factors_.emplace(key, make_factor(y, false)).first->second;
}

Use Lowering::lower_det(const Expr& y) {
    const Extent n = sizes_.extent(y.shape().rows);
    const Extent one{"1", 1};
    const std::string text = "det(" + text_of(y) + ")";
    const LinkKind kind = factor_kind(y);
    const auto diagonal = [&](const Use& a) {
        return [this, a, n](BodyWriter& b) { return load(b, a, n, n); };
    };
    if (kind == LinkKind::triangular || kind == LinkKind::diagonal) {
        return reduce(ReduceOp::product, ReduceOver::diagonal, n, n, diagonal(lower(y)), text,
                      "triangular: the product of its diagonal");
    }
    if (kind == LinkKind::cholesky && is_factored(y)) {
        const Use root =
            reduce(ReduceOp::product, ReduceOver::diagonal, n, n, diagonal(factor_of(y).factor),
                   "sqrt(" + text + ")", "from the Cholesky factor that is there");
        return map(
            one, one,
            [&](BodyWriter& b) {
                const int r = load(b, root, one, one);
                return b.binary(MapOp::mul, r, r);
            },
            text, "");
    }
    const Factor f = determinant_factor(y);
    const Use det = reduce(ReduceOp::signed_product, ReduceOver::diagonal, n, n, diagonal(f.factor),
                           text, "product of the pivots of LU");
    std::get<Reduce>(program_.steps.back().operation).pivots = f.pivots;
    return det;
}

Use Lowering::lower_logdet(const Expr& y) {
    const Extent n = sizes_.extent(y.shape().rows);
    const std::string text = "logdet(" + text_of(y) + ")";
    const Factor f = factor_of(y);
    const bool cholesky = f.kind == LinkKind::cholesky;
    const Use a = y->op == Op::diag_matrix ? lower(y) : f.factor;
    return reduce(
        ReduceOp::sum, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) {
            const int d = load(b, a, n, n);
            return b.unary(MapOp::log, cholesky ? d : b.unary(MapOp::abs, d));
        },
        text, cholesky ? "twice the logs of the Cholesky diagonal" : "logs of |diagonal|",
        cholesky ? 2 : 1);
}

/// The inverse by factors that are there in any case: those of a determinant alone fail no problem.
Use Lowering::inverse_of_factored(const Expr& y) {
    const LinkKind kind = factor_kind(y);
    if (kind == LinkKind::triangular || kind == LinkKind::diagonal || is_factored(y)) {
        return lower(inverse(y));
    }
    const Factor f = determinant_factor(y);
    const Extent n = rows(f.factor);
    const Use found = emit(Solve{Side::left, false, f.factor, f.pivots, {}}, n, n,
                           "inv(" + text_of(y) + ")", "for its norm");
    return f.transposed ? transposed(found) : found;
}

/// The products of all entries of a diagonal but one.
Use Lowering::lower_diagonal_cofactors(const Expr& y) {
    const Use x = lower(apply(Op::diag_vector, y));
    const Extent n = rows(x);
    const Extent one{"1", 1};
    const std::string text = text_of(y);
    const Use missing = reduce(
        ReduceOp::sum, ReduceOver::all, n, one,
        [&](BodyWriter& b) { return is_zero(b, load(b, x, n, one)); }, "zeros of " + text, "");
    const Use rest = reduce(
        ReduceOp::product, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) {
            const int entry = b.load(x, Broadcast::column);
            return b.binary(MapOp::add, entry, is_zero(b, entry));
        },
        "product of what is not 0 of " + text, "");
    return map(
        n, one,
        [&](BodyWriter& b) {
            const int entry = load(b, x, n, one);
            const int none = is_zero(b, entry);
            const int others =
                b.binary(MapOp::div, load(b, rest, n, one), b.binary(MapOp::add, entry, none));
            // All are there, or this one alone is missing.
            const int gaps = b.binary(MapOp::sub, load(b, missing, n, one), none);
            return b.binary(MapOp::mask, others, is_zero(b, gaps));
        },
        "cofactors of " + text, "also where one is 0");
}

/// det(Y)*inv(Y) from LU factors of which a pivot of 0 is replaced by the smallest number that counts: where
/// one direction is missing it cancels out. Where more are, all cofactors are 0.
Use Lowering::lower_adjugate(const Expr& y) {
    const Extent n = sizes_.extent(y.shape().rows);
    const Extent one{"1", 1};
    const std::string text = "adj(" + text_of(y) + ")";
    const LinkKind kind = factor_kind(y);
    if (kind == LinkKind::diagonal) {
        const Use cofactors = lower_diagonal_cofactors(y);
        return map(
            n, n,
            [&](BodyWriter& b) {
                return b.binary(MapOp::mask, b.load(cofactors, Broadcast::column),
                                b.mask(MapOp::is_diagonal));
            },
            text, "");
    }
    const bool triangular = kind == LinkKind::triangular;
    Factor f = triangular ? factor_of(y) : determinant_factor(y);
    const Use largest = reduce(
        ReduceOp::max, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) { return b.unary(MapOp::abs, load(b, f.factor, n, n)); },
        "largest pivot of " + text_of(y), "");
    const Use missing = reduce(
        ReduceOp::sum, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) { return is_zero(b, load(b, f.factor, n, n)); },
        "pivots of 0 of " + text_of(y), "");
    const bool narrow = request_.type == ScalarType::float32 && request_.accuracy == Accuracy::fast;
    const double smallest = narrow ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                   : std::numeric_limits<double>::epsilon();
    const Use least = map(
        one, one,
        [&](BodyWriter& b) {
            const int pivot = load(b, largest, one, one);
            return b.scale(smallest, b.binary(MapOp::add, pivot, is_zero(b, pivot)));
        },
        "least pivot of " + text_of(y), "");
    f.factor = map(
        n, n,
        [&](BodyWriter& b) {
            const int x = load(b, f.factor, n, n);
            const int pivot =
                b.binary(MapOp::mask, load(b, least, n, n), b.mask(MapOp::is_diagonal));
            return b.binary(MapOp::add, x, b.binary(MapOp::mask, pivot, is_zero(b, x)));
        },
        "factors of " + text_of(y), "without pivots of 0");
    const Use det = reduce(
        triangular ? ReduceOp::product : ReduceOp::signed_product, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) { return load(b, f.factor, n, n); }, "det(" + text_of(y) + ")",
        "with the same pivots");
    std::get<Reduce>(program_.steps.back().operation).pivots = f.pivots;
    const Use inverse =
        triangular ? emit(Trsm{Side::left, f.lower, false, f.factor, {}}, n, n, text, "")
                   : emit(Solve{Side::left, false, f.factor, f.pivots, {}}, n, n, text, "");
    const Use factor = map(
        one, one,
        [&](BodyWriter& b) {
            const int gaps = load(b, missing, one, one);
            const int exists = b.unary(MapOp::step, b.offset(1.5, b.scale(-1, gaps)));
            return b.binary(MapOp::mask, load(b, det, one, one), exists);
        },
        text_of(y) + " has cofactors", "of which all are 0 where two pivots are");
    const Use adjugate = map(
        n, n,
        [&](BodyWriter& b) {
            return b.binary(MapOp::mul, load(b, factor, n, n), load(b, inverse, n, n));
        },
        text, "the cofactors, also where the matrix is singular");
    return f.transposed ? transposed(adjugate) : adjugate;
}

/// log(det(Y)) as the sum of the logs of |pivots|, to which the log of their sign is added: 0 or NaN.
Use Lowering::lower_log_det(const Expr& y) {
    const Extent n = sizes_.extent(y.shape().rows);
    const Extent one{"1", 1};
    const std::string text = "log(det(" + text_of(y) + "))";
    const LinkKind kind = factor_kind(y);
    if (kind == LinkKind::cholesky) {
        return lower_logdet(y);
    }
    const bool triangular = kind == LinkKind::triangular || kind == LinkKind::diagonal;
    const Factor f = triangular ? Factor{} : determinant_factor(y);
    const Use a = triangular ? lower(y) : f.factor;
    const Use logs = reduce(
        ReduceOp::sum, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) { return b.unary(MapOp::log, b.unary(MapOp::abs, load(b, a, n, n))); },
        "logdet(" + text_of(y) + ")", "logs of |diagonal|: no determinant that overflows");
    const Use sign = reduce(
        triangular ? ReduceOp::product : ReduceOp::signed_product, ReduceOver::diagonal, n, n,
        [&](BodyWriter& b) { return b.unary(MapOp::sign, load(b, a, n, n)); },
        "sign of det(" + text_of(y) + ")", "a negative determinant has no logarithm");
    std::get<Reduce>(program_.steps.back().operation).pivots = f.pivots;
    return map(
        one, one,
        [&](BodyWriter& b) {
            const int log_of_sign = b.unary(MapOp::log, load(b, sign, one, one));
            return b.binary(MapOp::add, load(b, logs, one, one), log_of_sign);
        },
        text, "");
}

}  // namespace matgrad::detail
