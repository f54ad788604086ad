#include <cmath>
#include <stdexcept>
#include <utility>

#include "reference/rules.hpp"

// Textbook rules: Magnus & Neudecker, Matrix Differential Calculus (3rd ed. 2019), ch. 8;
// Matrix Cookbook 33-45. A product rule has one term per factor that moves; the factors at rest
// are left out, so that 0 * NaN does not arise where nothing moves.

namespace matgrad::detail {

namespace {

using Eigen::MatrixXd;

MatrixXd scalar(double value) {
    return MatrixXd::Constant(1, 1, value);
}

MatrixXd of_sum(const Children& terms, const MatrixXd& value) {
    MatrixXd result = MatrixXd::Zero(value.rows(), value.cols());
    for (const Evaluated* term : terms) {
        if (term->moves) {
            result += term->differential;
        }
    }
    return result;
}

MatrixXd of_product(const Node& node, const Children& factors, const MatrixXd& value) {
    MatrixXd result = MatrixXd::Zero(value.rows(), value.cols());
    const auto num_scalars = static_cast<std::size_t>(node.num_scalars);
    for (std::size_t moving = 0; moving < factors.size(); ++moving) {
        if (!factors[moving]->moves) {
            continue;
        }
        const auto part = [&](std::size_t i) -> const MatrixXd& {
            return i == moving ? factors[i]->differential : factors[i]->value;
        };
        double number = node.number;
        for (std::size_t i = 0; i < num_scalars; ++i) {
            number *= part(i)(0, 0);
        }
        if (num_scalars == factors.size()) {
            result(0, 0) += number;
            continue;
        }
        MatrixXd term = part(num_scalars);
        Expr first = node.children[num_scalars];
        for (std::size_t i = num_scalars + 1; i < factors.size(); ++i) {
            term = times(term, std::exchange(first, {}), part(i), node.children[i]);
        }
        result += number * term;
    }
    return result;
}

MatrixXd of_hadamard(const Children& factors, const MatrixXd& value) {
    MatrixXd result = MatrixXd::Zero(value.rows(), value.cols());
    for (std::size_t moving = 0; moving < factors.size(); ++moving) {
        if (!factors[moving]->moves) {
            continue;
        }
        MatrixXd term = factors[moving]->differential;
        for (std::size_t i = 0; i < factors.size(); ++i) {
            if (i != moving) {
                term.array() *= factors[i]->value.array();
            }
        }
        result += term;
    }
    return result;
}

MatrixXd of_power(double exponent, const MatrixXd& a, const MatrixXd& da) {
    if (exponent == 0) {
        return MatrixXd::Zero(a.rows(), a.cols());  // at 0 the rule below would say 0 * infinity
    }
    const MatrixXd slope =
        a.unaryExpr([&](double x) { return exponent * std::pow(x, exponent - 1); });
    return slope.cwiseProduct(da);
}

// The determinant is linear in each column; this form holds where Y has no inverse, too.
double of_determinant(const MatrixXd& a, const MatrixXd& da) {
    double result = 0;
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
        MatrixXd replaced = a;
        replaced.col(j) = da.col(j);
        result += Eigen::PartialPivLU<MatrixXd>(replaced).determinant();
    }
    return result;
}

double of_log_determinant(const MatrixXd& a, const MatrixXd& da) {
    if (a.size() == 0) {
        return 0;
    }
    return Eigen::PartialPivLU<MatrixXd>(a).solve(da).trace();
}

double of_norm2(const MatrixXd& a, const MatrixXd& da, double norm) {
    if (norm == 0) {
        return 0;  // by the subgradient of least norm
    }
    return (a / norm).cwiseProduct(da).sum();
}

MatrixXd of_norms_of_rows(const MatrixXd& a, const MatrixXd& da, const MatrixXd& norms) {
    MatrixXd result(a.rows(), 1);
    for (Eigen::Index i = 0; i < a.rows(); ++i) {
        result(i, 0) = of_norm2(a.row(i), da.row(i), norms(i, 0));
    }
    return result;
}

double of_dot(const Evaluated& a, const Evaluated& b) {
    double result = 0;
    if (a.moves) {
        result += a.differential.cwiseProduct(b.value).sum();
    }
    if (b.moves) {
        result += a.value.cwiseProduct(b.differential).sum();
    }
    return result;
}

MatrixXd of_log_sum_exp_of_rows(const MatrixXd& a, const MatrixXd& da) {
    MatrixXd result = MatrixXd::Zero(a.rows(), 1);
    for (Eigen::Index i = 0; i < a.rows() && a.cols() > 0; ++i) {
        result(i, 0) = softmax(a.row(i)).cwiseProduct(da.row(i)).sum();
    }
    return result;
}

double of_norm1(const MatrixXd& a, const MatrixXd& da) {
    const MatrixXd signs = a.unaryExpr([](double x) {
        return entry_value(Entrywise::sign, {&x, 1});
    });
    return signs.cwiseProduct(da).sum();
}

MatrixXd of_entrywise(Op op, const Children& children, const MatrixXd& value) {
    const Entrywise function = *entrywise_of(op);
    MatrixXd result = MatrixXd::Zero(value.rows(), value.cols());
    std::vector<double> entries(children.size());
    const bool masks = op == Op::mask || op == Op::unmask;  // whose 0 is 0 also times a NaN
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
        for (Eigen::Index i = 0; i < result.rows(); ++i) {
            for (std::size_t k = 0; k < children.size(); ++k) {
                entries[k] = children[k]->value(i, j);
            }
            for (std::size_t k = 0; k < children.size(); ++k) {
                const double slope = children[k]->moves ? entry_slope(function, entries, k) : 0;
                if (children[k]->moves && (slope != 0 || !masks)) {
                    result(i, j) += slope * children[k]->differential(i, j);
                }
            }
        }
    }
    return result;
}

/// Of L with L*L' = S: L*T, where T is inv(L)*dS*inv(L') below its diagonal and half of it there. Murray, arXiv
/// 1602.07527. Of dS the lower triangle is read, as of S.
MatrixXd of_cholesky(const MatrixXd& l, const MatrixXd& ds) {
    if (l.size() == 0) {
        return l;
    }
    const auto lower = l.triangularView<Eigen::Lower>();
    const MatrixXd half = lower.solve(MatrixXd(ds.selfadjointView<Eigen::Lower>()));
    MatrixXd t = lower.solve(half.transpose());
    t.diagonal() *= 0.5;
    return lower * MatrixXd(t.triangularView<Eigen::Lower>());
}

}  // namespace

MatrixXd differential_of_node(const Node& node, const Children& children, const MatrixXd& value) {
    const MatrixXd& a = children[0]->value;
    const MatrixXd& da = children[0]->differential;
    switch (node.op) {
        case Op::add:
            return of_sum(children, value);
        case Op::product:
            return of_product(node, children, value);
        case Op::hadamard:
            return of_hadamard(children, value);
        case Op::dot:
            return scalar(of_dot(*children[0], *children[1]));
        case Op::power:
            return of_power(node.number, a, da);
        case Op::transpose:
            return da.transpose();
        case Op::inverse:
            return -(value * da * value);
        case Op::det:
            return scalar(of_determinant(a, da));
        case Op::logdet:
        case Op::log_det:
            return scalar(of_log_determinant(a, da));
        case Op::trace:
            return scalar(da.trace());
        case Op::sum:
            return scalar(da.sum());
        case Op::logsumexp:
            return scalar(a.size() == 0 ? 0.0 : softmax(a).cwiseProduct(da).sum());
        case Op::row_logsumexp:
            return of_log_sum_exp_of_rows(a, da);
        case Op::col_logsumexp:
            return of_log_sum_exp_of_rows(a.transpose(), da.transpose()).transpose();
        case Op::norm2:
            return scalar(of_norm2(a, da, value(0, 0)));
        case Op::row_norm2:
            return of_norms_of_rows(a, da, value);
        case Op::col_norm2:
            return of_norms_of_rows(a.transpose(), da.transpose(), value.transpose()).transpose();
        case Op::norm1:
            return scalar(of_norm1(a, da));
        case Op::row_sum:
            return da.rowwise().sum();
        case Op::col_sum:
            return da.colwise().sum();
        case Op::diag_matrix: {
            MatrixXd result = MatrixXd::Zero(da.rows(), da.rows());
            result.diagonal() = da.col(0);
            return result;
        }
        case Op::diag_vector:
            return da.diagonal();
        case Op::tril:
            return da.triangularView<Eigen::Lower>();
        case Op::triu:
            return da.triangularView<Eigen::Upper>();
        case Op::row_max:
            return first_largest_of_rows(a).cwiseProduct(da).rowwise().sum();
        case Op::col_max:
            return first_largest_of_rows(a.transpose())
                .transpose()
                .cwiseProduct(da)
                .colwise()
                .sum();
        case Op::is_row_max:
        case Op::is_col_max:
            return MatrixXd::Zero(value.rows(), value.cols());
        case Op::cholesky:
            return of_cholesky(value, da);
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            return of_entrywise(node.op, children, value);
        case Op::number:
        case Op::symbol:
        case Op::eye:
        case Op::ones:
        case Op::dim:
        case Op::unit_columns:
        case Op::differential:
        case Op::adjugate:
            break;
    }
    throw std::logic_error("differential_of_node: the node has no rule of its own");
}

}  // namespace matgrad::detail
