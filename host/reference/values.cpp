#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "reference/rules.hpp"

namespace matgrad::detail {

namespace {

using Eigen::MatrixXd;

MatrixXd scalar(double value) {
    return MatrixXd::Constant(1, 1, value);
}

std::string size_text(const MatrixXd& a) {
    return fmt::format("{}-by-{}", a.rows(), a.cols());
}

void require_equal_sizes(const char* operation, const MatrixXd& a, const MatrixXd& b) {
    if (a.rows() != b.rows() || a.cols() != b.cols()) {
        throw ShapeError(fmt::format("{}: operands are {} and {}, expected equal shapes", operation,
                                     size_text(a), size_text(b)));
    }
}

void require_square(const char* operation, const MatrixXd& a) {
    if (a.rows() != a.cols()) {
        throw ShapeError(
            fmt::format("{}: operand is {}, expected a square matrix", operation, size_text(a)));
    }
}

MatrixXd sum_of(const Children& terms) {
    MatrixXd result = terms.front()->value;
    for (std::size_t i = 1; i < terms.size(); ++i) {
        require_equal_sizes("sum", result, terms[i]->value);
        result += terms[i]->value;
    }
    return result;
}

MatrixXd product_of(const Node& node, const Children& factors) {
    double number = node.number;
    const auto num_scalars = static_cast<std::size_t>(node.num_scalars);
    for (std::size_t i = 0; i < num_scalars; ++i) {
        number *= factors[i]->value(0, 0);
    }
    if (num_scalars == factors.size()) {
        return scalar(number);
    }
    MatrixXd result = factors[num_scalars]->value;
    Expr first = node.children[num_scalars];
    for (std::size_t i = num_scalars + 1; i < factors.size(); ++i) {
        if (result.cols() != factors[i]->value.rows()) {
            throw ShapeError(fmt::format("product: factors are {} and {}", size_text(result),
                                         size_text(factors[i]->value)));
        }
        result = times(result, std::exchange(first, {}), factors[i]->value, node.children[i]);
    }
    return number * result;
}

MatrixXd hadamard_of(const Children& factors) {
    MatrixXd result = factors.front()->value;
    for (std::size_t i = 1; i < factors.size(); ++i) {
        require_equal_sizes("entrywise product", result, factors[i]->value);
        result.array() *= factors[i]->value.array();
    }
    return result;
}

MatrixXd inverse_of(const MatrixXd& a) {
    require_square("inv", a);
    if (a.size() == 0) {
        return a;
    }
    return Eigen::PartialPivLU<MatrixXd>(a).inverse();
}

double determinant_of(const MatrixXd& a) {
    require_square("det", a);
    return a.size() == 0 ? 1.0 : Eigen::PartialPivLU<MatrixXd>(a).determinant();
}

double log_determinant_of(const MatrixXd& a) {
    require_square("logdet", a);
    if (a.size() == 0) {
        return 0;
    }
    // Summed logarithms: the determinant itself would overflow long before its logarithm.
    const Eigen::PartialPivLU<MatrixXd> lu(a);
    return lu.matrixLU().diagonal().array().abs().log().sum();
}

/// log(det(a)), which is NaN where the determinant is negative.
double log_of_determinant(const MatrixXd& a) {
    require_square("log(det)", a);
    if (a.size() == 0) {
        return 0;
    }
    const Eigen::PartialPivLU<MatrixXd> lu(a);
    double sign = static_cast<double>(lu.permutationP().determinant());
    double sum = 0;
    for (const double pivot : lu.matrixLU().diagonal()) {
        sign *= pivot < 0 ? -1.0 : 1.0;
        sum += std::log(std::abs(pivot));
    }
    return sign < 0 && sum > -std::numeric_limits<double>::infinity() ? std::nan("") : sum;
}

double largest(const MatrixXd& x) {
    double result = -std::numeric_limits<double>::infinity();
    for (const double entry : x.reshaped()) {
        if (std::isnan(entry)) {
            return entry;
        }
        result = std::max(result, entry);
    }
    return result;
}

double log_sum_exp_of(const MatrixXd& x) {
    const double shift = largest(x);
    if (!std::isfinite(shift)) {
        return shift;
    }
    return shift + std::log((x.array() - shift).exp().sum());
}

/// What a function says of each row, as a column.
template <typename OfRow>
MatrixXd of_rows(const MatrixXd& x, const OfRow& of_row) {
    MatrixXd result(x.rows(), 1);
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
        result(i, 0) = of_row(x.row(i));
    }
    return result;
}
double norm_of(const MatrixXd& x) {
    return x.size() > 0 ? x.stableNorm() : 0;
}

/// NaN throughout where the matrix is not positive. Reads the lower triangle.
MatrixXd cholesky_of(const MatrixXd& a) {
    require_square("chol", a);
    if (a.size() == 0) {
        return a;
    }
    const Eigen::LLT<MatrixXd> llt(a);
    if (llt.info() != Eigen::Success) {
        return MatrixXd::Constant(a.rows(), a.cols(), std::nan(""));
    }
    return llt.matrixL();
}

MatrixXd diagonal_matrix_of(const MatrixXd& v) {
    if (v.cols() != 1) {
        throw ShapeError(fmt::format("diag: operand is {}, expected a column", size_text(v)));
    }
    MatrixXd result = MatrixXd::Zero(v.rows(), v.rows());
    result.diagonal() = v.col(0);
    return result;
}

MatrixXd diagonal_vector_of(const MatrixXd& a) {
    require_square("diag", a);
    return a.diagonal();
}

double trace_of(const MatrixXd& a) {
    require_square("tr", a);
    return a.trace();
}

MatrixXd entrywise_of_children(Op op, const Children& children) {
    const Entrywise function = *entrywise_of(op);
    MatrixXd result = children[0]->value;
    for (const Evaluated* child : children) {
        require_equal_sizes("entrywise function", result, child->value);
    }
    std::vector<double> entries(children.size());
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
        for (Eigen::Index i = 0; i < result.rows(); ++i) {
            for (std::size_t k = 0; k < children.size(); ++k) {
                entries[k] = children[k]->value(i, j);
            }
            result(i, j) = entry_value(function, entries);
        }
    }
    return result;
}

double dot_of(const MatrixXd& a, const MatrixXd& b) {
    require_equal_sizes("dot", a, b);
    return (a.array() * b.array()).sum();
}

}  // namespace

MatrixXd times(const MatrixXd& left, const Expr& left_node, const MatrixXd& right,
               const Expr& right_node) {
    const auto first_of = [](const Node& e) { return static_cast<Eigen::Index>(e.number) - 1; };
    if (right_node->op == Op::unit_columns) {
        return left.middleCols(first_of(node_of(right_node)), right.cols());
    }
    if (right_node->op == Op::transpose && right_node->children.front()->op == Op::unit_columns) {
        MatrixXd result = MatrixXd::Zero(left.rows(), right.cols());
        result.middleCols(first_of(node_of(right_node->children.front())), left.cols()) = left;
        return result;
    }
    if (left_node && left_node->op == Op::unit_columns) {
        MatrixXd result = MatrixXd::Zero(left.rows(), right.cols());
        result.middleRows(first_of(node_of(left_node)), right.rows()) = right;
        return result;
    }
    if (left_node && left_node->op == Op::transpose &&
        left_node->children.front()->op == Op::unit_columns) {
        return right.middleRows(first_of(node_of(left_node->children.front())), left.rows());
    }
    return left * right;
}

MatrixXd softmax(const MatrixXd& x) {
    const MatrixXd e = (x.array() - largest(x)).exp();
    return e / e.sum();
}

MatrixXd first_largest_of_rows(const MatrixXd& x) {
    MatrixXd result = MatrixXd::Zero(x.rows(), x.cols());
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
        const double most = largest(x.row(i));
        for (Eigen::Index j = 0; j < x.cols(); ++j) {
            if (!(x(i, j) < most)) {
                result(i, j) = 1;
                break;
            }
        }
    }
    return result;
}

MatrixXd value_of_node(const Node& node, const Children& children,
                       const DimensionSizes& dimensions) {
    const auto a = [&]() -> const MatrixXd& { return children[0]->value; };
    switch (node.op) {
        case Op::number:
            return scalar(node.number);
        case Op::eye: {
            const std::int64_t n = dimensions.size(node.shape.rows, "eye");
            return MatrixXd::Identity(n, n);
        }
        case Op::ones:
            return MatrixXd::Ones(dimensions.size(node.shape.rows, "ones"),
                                  dimensions.size(node.shape.cols, "ones"));
        case Op::dim:
            return scalar(static_cast<double>(dimensions.size(Dim::named(node.name), "dim")));
        case Op::unit_columns: {
            const std::int64_t n = dimensions.size(node.shape.rows, "a part");
            const std::int64_t count = dimensions.size(node.shape.cols, "a part");
            dimensions.require_inside(node);
            const auto first = static_cast<Eigen::Index>(node.number) - 1;
            return MatrixXd::Identity(n, n).middleCols(first, count);
        }
        case Op::add:
            return sum_of(children);
        case Op::product:
            return product_of(node, children);
        case Op::hadamard:
            return hadamard_of(children);
        case Op::power:
            return a().unaryExpr([&](double x) { return std::pow(x, node.number); });
        case Op::transpose:
            return a().transpose();
        case Op::inverse:
            return inverse_of(a());
        case Op::det:
            return scalar(determinant_of(a()));
        case Op::logdet:
            return scalar(log_determinant_of(a()));
        case Op::log_det:
            return scalar(log_of_determinant(a()));
        case Op::trace:
            return scalar(trace_of(a()));
        case Op::dot:
            return scalar(dot_of(a(), children[1]->value));
        case Op::sum:
            return scalar(a().sum());
        case Op::logsumexp:
            return scalar(log_sum_exp_of(a()));
        case Op::row_logsumexp:
            return of_rows(a(), log_sum_exp_of);
        case Op::col_logsumexp:
            return of_rows(a().transpose(), log_sum_exp_of).transpose();
        case Op::norm2:
            return scalar(a().size() == 0 ? 0.0 : a().reshaped().stableNorm());
        case Op::row_norm2:
            return of_rows(a(), norm_of);
        case Op::col_norm2:
            return of_rows(a().transpose(), norm_of).transpose();
        case Op::norm1:
            return scalar(a().array().abs().sum());
        case Op::row_sum:
            return a().rowwise().sum();
        case Op::col_sum:
            return a().colwise().sum();
        case Op::diag_matrix:
            return diagonal_matrix_of(a());
        case Op::diag_vector:
            return diagonal_vector_of(a());
        case Op::tril:
            return a().triangularView<Eigen::Lower>();
        case Op::triu:
            return a().triangularView<Eigen::Upper>();
        case Op::row_max:
            return of_rows(a(), largest);
        case Op::col_max:
            return of_rows(a().transpose(), largest).transpose();
        case Op::is_row_max:
            return first_largest_of_rows(a());
        case Op::is_col_max:
            return first_largest_of_rows(a().transpose()).transpose();
        case Op::cholesky:
            return cholesky_of(a());
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            return entrywise_of_children(node.op, children);
        case Op::symbol:
        case Op::differential:
        case Op::adjugate:
            break;
    }
    throw std::logic_error("value_of_node: the node has no value of its own");
}

}  // namespace matgrad::detail
