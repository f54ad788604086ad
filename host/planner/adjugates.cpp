#include "planner/adjugates.hpp"

#include <algorithm>
#include <unordered_set>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/rebuild.hpp"
#include "planner/structure.hpp"

namespace matgrad {
namespace {

using Matrices = std::unordered_set<Expr>;

/// What keeps or moves entries and changes none.
bool is_selection(const Expr& e) {
    return e->op == Op::transpose || e->op == Op::tril || e->op == Op::triu ||
           e->op == Op::diag_vector || e->op == Op::diag_matrix;
}

/// The matrix of whose inverse the factor has entries, or an empty Expr: inv(Y), tril(inv(Y)'), and 1./x, the
/// diagonal of inv(diag(x)).
Expr inverted(const Expr& factor) {
    if (factor->op == Op::inverse) {
        return factor->children.front();
    }
    if (factor->op == Op::power && factor->number == -1 && factor.shape().is_column()) {
        return apply(Op::diag_matrix, factor->children.front());
    }
    return is_selection(factor) ? inverted(factor->children.front()) : Expr{};
}

/// The factor with the adjugate in place of that inverse.
Expr with_adjugate_inside(const Expr& factor, const Expr& y) {
    if (factor->op == Op::inverse) {
        return apply(Op::adjugate, y);
    }
    if (factor->op == Op::power) {
        return apply(Op::diag_vector, apply(Op::adjugate, y));
    }
    return apply(factor->op, with_adjugate_inside(factor->children.front(), y));
}

/// det(Y)^k of a product's scalar factors, k at least 1.
bool holds_determinant(const Expr& scalar, const Expr& y) {
    const bool raised = scalar->op == Op::power && scalar->number >= 1;
    const Expr& det = raised ? scalar->children.front() : scalar;
    return det->op == Op::det && det->children.front() == y;
}

/// The product with the adjugate of one of `chosen`, where it has its determinant and one inverse.
Expr with_adjugate(const Expr& product, const Matrices* chosen) {
    detail::Factors f = detail::factors_of(product);
    for (Expr& factor : f.matrices) {
        const Expr y = inverted(factor);
        if (!y || (chosen != nullptr && chosen->count(y) == 0) ||
            factor_kind(y) == LinkKind::cholesky) {
            continue;
        }
        const auto det = std::find_if(f.scalars.begin(), f.scalars.end(), [&](const Expr& scalar) {
            return holds_determinant(scalar, y);
        });
        if (det == f.scalars.end()) {
            continue;
        }
        factor = with_adjugate_inside(factor, y);
        if ((*det)->op == Op::power) {
            *det = power(apply(Op::det, y), (*det)->number - 1);
        } else {
            f.scalars.erase(det);
        }
        return detail::make_product(f, product.shape());
    }
    if (f.matrices.size() != 1 || f.matrices.front()->op != Op::add) {
        return product;
    }
    // det(Y)*(A + inv(Y)')
    std::vector<Expr> terms;
    bool changed = false;
    for (const Expr& term : f.matrices.front()->children) {
        const detail::Factors inner = detail::factors_of(term);
        detail::Factors whole{f.number * inner.number, f.scalars, inner.matrices};
        whole.scalars.insert(whole.scalars.end(), inner.scalars.begin(), inner.scalars.end());
        const Expr plain = detail::make_product(std::move(whole), term.shape());
        terms.push_back(with_adjugate(plain, chosen));
        changed = changed || terms.back() != plain;
    }
    return changed ? add(terms) : product;
}

/// det(A)*det(B) for det(A*B) of square matrices: no product is formed, and each factor is as well conditioned as it
/// is given.
Expr determinant_by_factors(const Expr& det) {
    const detail::Factors f = detail::factors_of(det->children.front());
    const bool splits = f.number == 1 && f.scalars.empty() && f.matrices.size() > 1 &&
                        std::all_of(f.matrices.begin(), f.matrices.end(),
                                    [](const Expr& e) { return e.shape().is_square(); });
    if (!splits) {
        return det;
    }
    std::vector<Expr> factors;
    for (const Expr& matrix : f.matrices) {
        const bool flipped = matrix->op == Op::transpose;
        factors.push_back(apply(Op::det, flipped ? matrix->children.front() : matrix));
    }
    return multiply(factors);
}

Expr with_adjugates(const Expr& form, const Matrices* chosen) {
    return rebuilt(form, [&](const Expr& node, std::span<const Expr> children) {
        const Expr image = with_images(node, children);
        if (image->op == Op::det) {
            return determinant_by_factors(image);
        }
        return image->op == Op::product ? with_adjugate(image, chosen) : image;
    });
}

}  // namespace

std::vector<OutputRequest> with_adjugates(std::vector<OutputRequest> outputs) {
    std::vector<Expr> forms;
    for (const OutputRequest& output : outputs) {
        forms.push_back(with_adjugates(output.form, nullptr));
    }
    Matrices chosen;
    for (const Expr& e : topological_order(forms)) {
        if (e->op == Op::adjugate) {
            chosen.insert(e->children.front());
        }
    }
    for (const Expr& e : topological_order(forms)) {
        if (e->op == Op::inverse || e->op == Op::logdet) {
            chosen.erase(e->children.front());
        }
    }
    for (OutputRequest& output : outputs) {
        output.form = with_adjugates(output.form, &chosen);
    }
    return outputs;
}

}  // namespace matgrad
