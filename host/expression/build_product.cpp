#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/weighted_terms.hpp"
#include "expression/without_overflow.hpp"

namespace matgrad {
namespace {

using detail::WeightedTerms;

/// The factors whose product is the inverse of `a`, if `a` is inv(Y) or inv(Y)'; else empty.
std::vector<Expr> factors_undone_by(const Expr& a) {
    const bool transposed = a->op == Op::transpose;
    const Expr& core = transposed ? a->children.front() : a;
    if (core->op != Op::inverse) {
        return {};
    }
    const Expr& inner = core->children.front();
    return detail::factors_of(transposed ? transpose(inner) : inner).matrices;
}

bool takes_columns(const Expr& e) {
    return e->op == Op::unit_columns;
}
bool takes_rows(const Expr& e) {
    return e->op == Op::transpose && takes_columns(e->children.front());
}

/// Columns of columns; nothing where the text has no way to say it, as from 3 to k + 2.
Expr columns_of_columns(const Expr& outer, const Expr& inner) {
    const auto first = static_cast<std::int64_t>(outer->number + inner->number) - 1;
    const Dim& count = inner.shape().cols;
    return first > 1 && !count.name.empty() ? Expr()
                                            : unit_columns(outer.shape().rows, first, count);
}

/// What two neighbours of a product are as one factor, if one of them takes a part of the other; else nothing.
Expr part_of_neighbour(const Expr& left, const Expr& right) {
    if (takes_rows(left) && left->children.front() == right) {
        return eye(right.shape().cols);
    }
    if (takes_columns(left) && takes_columns(right)) {
        return columns_of_columns(left, right);
    }
    if (takes_rows(left) && takes_rows(right)) {
        const Expr joined = columns_of_columns(right->children.front(), left->children.front());
        return joined ? transpose(joined) : Expr();
    }
    const bool of_ones = (takes_rows(left) && right->op == Op::ones) ||
                         (left->op == Op::ones && takes_columns(right));
    const Shape shape{left.shape().rows, right.shape().cols};
    return of_ones && !shape.is_scalar() ? ones(shape.rows, shape.cols) : Expr();
}

/// The matrix factors of a product under construction; Y*inv(Y) and inv(Y)*Y cancel as they meet.
class Chain {
public:
    void push(const Expr& factor) {
        if (factor->op == Op::eye || is_number(factor, 1)) {
            return;
        }
        const Expr joined =
            matrices_.empty() ? Expr() : part_of_neighbour(matrices_.back(), factor);
        if (joined) {
            matrices_.pop_back();
            return push(joined);
        }
        matrices_.push_back(factor);
        cancel();
    }
    [[nodiscard]] std::vector<Expr>& matrices() { return matrices_; }

private:
    [[nodiscard]] bool ends_with(std::size_t end, const std::vector<Expr>& run) const {
        if (run.empty() || run.size() > end) {
            return false;
        }
        return std::equal(run.begin(), run.end(),
                          matrices_.begin() + static_cast<std::ptrdiff_t>(end - run.size()));
    }

    void cancel() {
        const std::size_t size = matrices_.size();
        const std::vector<Expr> before = factors_undone_by(matrices_.back());
        if (ends_with(size - 1, before)) {
            matrices_.resize(size - 1 - before.size());
            return;
        }
        constexpr std::size_t kReach = 16;  // how far back an inverse may stand
        for (std::size_t k = 1; k < std::min(size, kReach + 1); ++k) {
            const std::vector<Expr> after = factors_undone_by(matrices_[size - 1 - k]);
            if (after.size() == k && ends_with(size, after)) {
                matrices_.resize(size - 1 - k);
                return;
            }
        }
    }

    std::vector<Expr> matrices_;
};

/// Scalar factors with their exponents.
void insert(WeightedTerms& scalars, const Expr& s, double exponent = 1) {
    if (s->op == Op::power && std::trunc(exponent) == exponent) {
        insert(scalars, s->children.front(), s->number * exponent);
    } else {
        scalars.add(exponent, s);
    }
}

/// The exponent is 0 of s/s where s is not finite: that is NaN, as 0*s is.
Expr power_of(double exponent, const Expr& base) {
    return exponent == 0 ? scale(0, base) : power(base, exponent);
}

/// a*b. Error: UnsupportedError if it is too small to be told from 0.
double times(double a, double b) {
    const double product = a * b;
    if (product == 0 && a != 0 && b != 0) {
        throw UnsupportedError(fmt::format("the constant factor {}*{} underflows to 0", a, b));
    }
    return product;
}

Expr bare_chain(std::vector<Expr> matrices) {
    if (matrices.size() == 1) {
        return matrices.front();
    }
    Node node;
    node.op = Op::product;
    node.number = 1;
    node.shape = {matrices.front().shape().rows, matrices.back().shape().cols};
    node.children = std::move(matrices);
    return detail::make_node(std::move(node));
}

/// Moves every stretch of the chain that is 1x1 (from a one-row to a one-column factor) to the
/// scalars: X*b*(c'*d)*e' has the scalar c'*d.
void extract_scalars(std::vector<Expr>& matrices, WeightedTerms& scalars) {
    std::vector<Expr> rest;
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        std::size_t j = matrices.size();
        if (matrices[i].shape().rows.is_one()) {
            j = i;
            while (j < matrices.size() && !matrices[j].shape().cols.is_one()) {
                ++j;
            }
        }
        if (j == matrices.size()) {
            rest.push_back(matrices[i]);
            continue;
        }
        if (j == i + 1 && takes_columns(matrices[j])) {  // w'*e is e'*w, an entry of w
            const Expr w = transpose(matrices[i]);
            matrices[i] = transpose(matrices[j]);
            matrices[j] = w;
        }
        const auto at = matrices.begin();
        insert(scalars, bare_chain({at + static_cast<std::ptrdiff_t>(i),
                                    at + static_cast<std::ptrdiff_t>(j) + 1}));
        i = j;
    }
    matrices = std::move(rest);
}

/// ones(m,k)*ones(k,n) is dim(k)*ones(m,n).
void merge_ones(std::vector<Expr>& matrices, WeightedTerms& scalars) {
    for (std::size_t i = 0; i + 1 < matrices.size();) {
        const Expr& left = matrices[i];
        const Expr& right = matrices[i + 1];
        if (left->op != Op::ones || right->op != Op::ones) {
            ++i;
            continue;
        }
        insert(scalars, dim(left.shape().cols));
        matrices[i] = ones(left.shape().rows, right.shape().cols);
        matrices.erase(matrices.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
}

/// A*ones(n,k) is rowsum(A)*ones(1,k), and ones(k,m)*A is ones(k,1)*colsum(A).
void sum_lines(std::vector<Expr>& matrices) {
    const auto is_matrix = [](const Expr& e) {
        return !e.shape().rows.is_one() && !e.shape().cols.is_one();
    };
    if (matrices.size() != 2 || !is_matrix(matrices.front()) || !is_matrix(matrices.back())) {
        return;
    }
    const Dim one = Dim::literal(1);
    Expr& left = matrices.front();
    Expr& right = matrices.back();
    if (right->op == Op::ones) {
        left = apply(Op::row_sum, left);
        right = ones(one, right.shape().cols);
    } else if (left->op == Op::ones) {
        left = ones(left.shape().rows, one);
        right = apply(Op::col_sum, right);
    }
}

}  // namespace

detail::Factors detail::factors_of(const Expr& a) {
    Factors f;
    if (a->op == Op::number) {
        f.number = a->number;
    } else if (a->op == Op::product && !(a.shape().is_scalar() && a->num_scalars == 0)) {
        f.number = a->number;
        const auto middle = a->children.begin() + a->num_scalars;
        f.scalars.assign(a->children.begin(), middle);
        f.matrices.assign(middle, a->children.end());
    } else if (a.shape().is_scalar()) {
        f.scalars.push_back(a);
    } else {
        f.matrices.push_back(a);
    }
    return f;
}

std::size_t detail::count_matrix_factors(const Expr& a) {
    if (a->op == Op::product) {
        return a->children.size() - static_cast<std::size_t>(a->num_scalars);
    }
    return a.shape().is_scalar() ? 0 : 1;
}

std::optional<double> detail::constant_value(const Expr& a) {
    const Scaled scaled = split_number(a);
    const bool constant = a->op == Op::number || scaled.base->op == Op::ones;
    return constant ? std::optional(scaled.number) : std::nullopt;
}

detail::Scaled detail::split_number(const Expr& a) {
    if (a->op == Op::number) {
        return {a->number, number(1)};
    }
    if (a->op != Op::product || a->number == 1) {
        return {1, a};
    }
    Factors f = factors_of(a);
    const double factor = f.number;
    f.number = 1;
    return {factor, make_product(std::move(f), a.shape())};
}

Expr detail::make_product(Factors f, const Shape& shape) {
    if (!std::isfinite(f.number)) {
        throw UnsupportedError("a constant factor overflows");
    }
    const auto any_not_finite = [](const std::vector<Expr>& factors) {
        return std::any_of(factors.begin(), factors.end(), is_not_finite);
    };
    if (f.number == 0 && !any_not_finite(f.scalars) && !any_not_finite(f.matrices)) {
        if (shape.is_scalar()) {
            return number(0);
        }
        f.scalars.clear();
        f.matrices = {ones(shape.rows, shape.cols)};
    }
    if (f.matrices.empty()) {
        if (!shape.is_scalar()) {
            f.matrices.push_back(eye(shape.rows));
        } else if (f.scalars.empty()) {
            return number(f.number);
        }
    }
    if (f.number == 1 && f.scalars.empty() && f.matrices.size() == 1) {
        return f.matrices.front();
    }
    if (f.number == 1 && f.scalars.size() == 1 && f.matrices.empty()) {
        return f.scalars.front();
    }
    Node node;
    node.op = Op::product;
    node.shape = shape;
    node.number = f.number;
    node.num_scalars = static_cast<int>(f.scalars.size());
    node.children = std::move(f.scalars);
    node.children.insert(node.children.end(), f.matrices.begin(), f.matrices.end());
    return make_node(std::move(node));
}

Expr multiply(std::span<const Expr> factors) {
    double number = 1;
    WeightedTerms scalars;
    Chain chain;
    Shape shape = Shape::scalar();
    for (const Expr& factor : factors) {
        const Shape& s = factor.shape();
        if (!s.is_scalar()) {
            if (shape.is_scalar()) {
                shape = s;
            } else if (shape.cols != s.rows) {
                throw ShapeError("product of " + shape.text() + " and " + s.text());
            }
            shape.cols = s.cols;
        }
        const detail::Factors parts = detail::factors_of(factor);
        number = times(number, parts.number);
        for (const Expr& p : parts.scalars) {
            insert(scalars, p);
        }
        for (const Expr& p : parts.matrices) {
            chain.push(p);
        }
        if (shape.is_scalar() && !chain.matrices().empty()) {  // x'*y closes: it commutes from here
            merge_ones(chain.matrices(), scalars);
            extract_scalars(chain.matrices(), scalars);
        }
    }
    merge_ones(chain.matrices(), scalars);
    extract_scalars(chain.matrices(), scalars);
    sum_lines(chain.matrices());
    detail::Factors result{number, scalars.made(power_of), std::move(chain.matrices())};
    for (std::size_t i = 0; i < result.scalars.size();) {  // a power may have given a number
        const Expr s = result.scalars[i];
        if (s->op != Op::number) {
            ++i;
            continue;
        }
        result.number = times(result.number, s->number);
        result.scalars.erase(result.scalars.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (detail::absorb_divisors(result)) {
        std::vector<Expr> again{matgrad::number(result.number)};
        again.insert(again.end(), result.scalars.begin(), result.scalars.end());
        again.insert(again.end(), result.matrices.begin(), result.matrices.end());
        return multiply(again);
    }
    return detail::make_product(std::move(result), shape);
}

Expr multiply(const Expr& a, const Expr& b) {
    const Expr factors[] = {a, b};
    return multiply(factors);
}

Expr multiply(const Expr& a, const Expr& b, const Expr& c) {
    const Expr factors[] = {a, b, c};
    return multiply(factors);
}

Expr scale(double factor, const Expr& a) {
    detail::Factors f = detail::factors_of(a);
    f.number = times(f.number, factor);
    return detail::make_product(std::move(f), a.shape());
}

Expr matrix_power(const Expr& a, int exponent) {
    if (a.shape().is_scalar()) {
        return power(a, exponent);
    }
    if (!a.shape().is_square()) {
        throw ShapeError("power of a matrix that is not square: " + a.shape().text());
    }
    if (exponent == 0) {
        return eye(a.shape().rows);
    }
    const Expr base = exponent > 0 ? a : inverse(a);
    return multiply(std::vector<Expr>(static_cast<std::size_t>(std::abs(exponent)), base));
}

}  // namespace matgrad
