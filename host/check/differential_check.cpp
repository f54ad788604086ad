#include "check/differential_check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "expression/build.hpp"
#include "expression/rebuild.hpp"
#include "matgrad/calculus.hpp"
#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

constexpr double kSafety = 4;
constexpr double kEpsFloat = std::numeric_limits<float>::epsilon();
constexpr double kEpsTf32 = 0x1p-10;
constexpr double kEpsDouble = std::numeric_limits<double>::epsilon();

double eps_of(ScalarType type, bool tf32) {
    if (type == ScalarType::float64) {
        return kEpsDouble;
    }
    return tf32 ? kEpsTf32 : kEpsFloat;
}

/// Under robust accuracy Gram matrices of float data and their factors are in double.
double factored_weight(ScalarType type, Accuracy accuracy, bool tf32) {
    const bool in_double = type == ScalarType::float32 && accuracy == Accuracy::robust;
    return in_double ? kEpsDouble / eps_of(type, tf32) : 1;
}

bool is_symmetric(Structure structure) {
    return structure == Structure::symmetric || structure == Structure::positive;
}

/// norm2(Y)^2 as dot(Y,Y): it has a differential where Y is 0, though norm2 has none.
Expr with_squared_norms(const Expr& f) {
    return rebuilt(f, [](const Expr& node, std::span<const Expr> children) {
        return without_norm_of_even_power(with_images(node, children));
    });
}

}  // namespace

Comparison compare_numbers(double expected, double computed, double bound) {
    if (!std::isfinite(expected) && !std::isfinite(computed)) {
        return {0, 0};
    }
    return {std::abs(expected - computed), bound};
}

Comparison Expected::value(double computed) const {
    return compare_numbers(f, computed, f_bound);
}

Comparison Expected::differential(double inner) const {
    return compare_numbers(df, inner, df_bound);
}

DifferentialCheck::DifferentialCheck(const Expr& f, ScalarType type, Accuracy accuracy, bool tf32)
    : f_(with_squared_norms(f)),
      symbols_(symbols(f)),
      eps_(eps_of(type, tf32)),
      errors_(f_, factored_weight(type, accuracy, tf32)) {}

double DifferentialCheck::unit(const MatrixMap& values) const {
    Eigen::Index longest = 1;
    for (const auto& [name, value] : values) {
        longest = std::max(longest, value.rows() + value.cols());
    }
    return kSafety * static_cast<double>(longest) * eps_;
}

std::map<std::string, std::int64_t> DifferentialCheck::sizes(const MatrixMap& values) const {
    std::map<std::string, std::int64_t> result;
    for (const Declaration& symbol : symbols_) {
        const auto at = values.find(symbol.name);
        if (at != values.end()) {
            result.emplace(symbol.shape.rows.name, at->second.rows());
            result.emplace(symbol.shape.cols.name, at->second.cols());
        }
    }
    result.erase("");  // literal sizes have no name
    return result;
}

Structure DifferentialCheck::structure_of(const std::string& variable) const {
    for (const Declaration& symbol : symbols_) {
        if (symbol.name == variable) {
            return symbol.structure;
        }
    }
    return Structure::general;
}

Expected DifferentialCheck::expected(const MatrixMap& values) const {
    const auto known = sizes(values);
    const double f = evaluate_reference(f_, values, known)(0, 0);
    const double sensitivity = errors_.at(values, {}, known).value;
    Expected expected;
    expected.f = f;
    expected.f_bound = unit(values) * (sensitivity + std::abs(f));
    return expected;
}

Comparison DifferentialCheck::value(const MatrixMap& values, double computed) const {
    return expected(values).value(computed);
}

Comparison DifferentialCheck::compare(const std::string& variable, const MatrixMap& values,
                                      const Eigen::MatrixXd& direction, double inner,
                                      double magnitude) const {
    const MatrixMap directions{{variable, direction}};
    const auto known = sizes(values);
    const double expected = evaluate_differential(f_, values, directions, known).differential(0, 0);
    const double sensitivity = errors_.at(values, directions, known).differential;
    return compare_numbers(expected, inner, unit(values) * (sensitivity + magnitude));
}

Eigen::MatrixXd DifferentialCheck::direction(const std::string& variable, std::int64_t rows,
                                             std::int64_t cols, std::uint64_t seed) const {
    return random_direction(structure_of(variable), rows, cols, seed);
}

Eigen::MatrixXd DifferentialCheck::products(const std::string& variable, Convention convention,
                                            const Eigen::MatrixXd& gradient,
                                            const Eigen::MatrixXd& direction) const {
    Eigen::MatrixXd products = gradient.cwiseProduct(direction);
    if (is_symmetric(structure_of(variable)) && convention == Convention::free_entries) {
        // The derivative by the free entries: each pair (i,j), (j,i) moves once.
        products.triangularView<Eigen::StrictlyUpper>().setZero();
    }
    return products;
}

Comparison DifferentialCheck::gradient(const std::string& variable, Convention convention,
                                       const MatrixMap& values, const Eigen::MatrixXd& computed,
                                       std::uint64_t seed) const {
    const Eigen::MatrixXd along = direction(variable, computed.rows(), computed.cols(), seed);
    const Eigen::MatrixXd terms = products(variable, convention, computed, along);
    return compare(variable, values, along, terms.sum(), terms.cwiseAbs().sum());
}

Eigen::MatrixXd DifferentialCheck::entry_direction(const std::string& variable,
                                                   Convention convention, std::int64_t rows,
                                                   std::int64_t cols, Entry entry) const {
    const Structure structure = structure_of(variable);
    Eigen::MatrixXd direction = Eigen::MatrixXd::Zero(rows, cols);
    direction(entry.row, entry.col) = 1;
    if (is_symmetric(structure) && entry.row != entry.col) {
        direction(entry.col, entry.row) = 1;
        if (convention == Convention::projected) {
            direction *= 0.5;
        }
    }
    const bool dropped = (structure == Structure::diagonal && entry.row != entry.col) ||
                         (structure == Structure::lower && entry.row < entry.col) ||
                         (structure == Structure::upper && entry.row > entry.col);
    if (dropped) {
        direction.setZero();
    }
    return direction;
}

Comparison DifferentialCheck::entry(const std::string& variable, Convention convention,
                                    const MatrixMap& values, Entry entry, double computed) const {
    const Eigen::MatrixXd& at = values.find(variable)->second;
    const Eigen::MatrixXd along =
        entry_direction(variable, convention, at.rows(), at.cols(), entry);
    return compare(variable, values, along, computed, std::abs(computed));
}

Expected DifferentialCheck::expected(const std::string& variable, const MatrixMap& values,
                                     const Eigen::MatrixXd& direction) const {
    const MatrixMap directions{{variable, direction}};
    const auto known = sizes(values);
    const Dual dual = evaluate_differential(f_, values, directions, known);
    const detail::Sensitivity sensitivity = errors_.at(values, directions, known);
    const Eigen::MatrixXd gradient = evaluate_reference(differentiate(f_, variable), values, known);
    const double magnitude = gradient.cwiseProduct(direction).cwiseAbs().sum();
    const double value = dual.value(0, 0);
    return {value, unit(values) * (sensitivity.value + std::abs(value)), dual.differential(0, 0),
            unit(values) * (sensitivity.differential + magnitude), magnitude};
}

double DifferentialCheck::bound_of_sum(std::int64_t terms, double magnitude) const {
    return kSafety * static_cast<double>(terms) * eps_ * magnitude;
}

Expr directional_function(const Expr& gradient, const std::string& direction) {
    return dot(gradient, symbol({direction, gradient.shape(), Structure::general}));
}

}  // namespace matgrad
