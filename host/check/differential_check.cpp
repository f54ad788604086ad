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

/// What may become of a smaller number is not told apart from zero.
double smallest(ScalarType type) {
    return type == ScalarType::float32 ? double{std::numeric_limits<float>::min()}
                                       : std::numeric_limits<double>::min();
}

/// A name the language cannot write, so it is never one of the caller's.
constexpr const char* kDirection = "#direction";

/// <G, D> by the closed form of G, D being kDirection.
Expr closed_form_slope(const Expr& f, const std::string& variable) {
    const Expr gradient = differentiate(f, variable);
    return dot(gradient, hidden_symbol({kDirection, gradient.shape(), Structure::general}));
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

/// dot(Y,Y) of products Y as the traces that `fast` may take them as, with the rounding of a Gram matrix.
Expr with_squares_as_traces(const Expr& f) {
    return rebuilt(f, [](const Expr& node, std::span<const Expr> children) {
        const Expr image = with_images(node, children);
        const bool squares = image->op == Op::dot && image->children[0] == image->children[1] &&
                             image->children[0]->op == Op::product;
        return squares ? tr(transpose(image->children[0]) * image->children[0]) : image;
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
      type_(type),
      eps_(eps_of(type, tf32)),
      factored_weight_(factored_weight(type, accuracy, tf32)),
      errors_(accuracy == Accuracy::fast ? with_squares_as_traces(f_) : f_, factored_weight_) {}

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
    const double sensitivity = errors_.at(values, {}, known, unit(values)).value;
    Expected expected;
    expected.f = f;
    expected.f_bound = unit(values) * (sensitivity + std::abs(f)) + smallest(type_);
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
    const double sensitivity = errors_.at(values, directions, known, unit(values)).differential;
    const double bound = unit(values) * (sensitivity + magnitude) +
                         smallest(type_) * (1 + direction.cwiseAbs().sum());
    const Comparison forward = compare_numbers(expected, inner, bound);
    if (forward.passes() || !std::isfinite(inner)) {
        return forward;
    }
    return compare_numbers(expected, inner, bound + closed_form_bound(variable, values, direction));
}

double DifferentialCheck::closed_form_bound(const std::string& variable, const MatrixMap& values,
                                            const Eigen::MatrixXd& direction) const {
    const Expr slope = closed_form_slope(f_, variable);
    MatrixMap all = values;
    all[kDirection] = direction;
    const auto known = sizes(values);
    if (!evaluate_reference(slope, all, known).allFinite()) {
        return 0;  // as at a singular matrix: it has nothing to say
    }
    return unit(values) *
           detail::ErrorModel(slope, factored_weight_).at(all, {}, known, unit(values)).value;
}

bool DifferentialCheck::overflows(const std::string& variable, const MatrixMap& values) const {
    // Sums on the way to an entry, and products in another order, may be larger than what is looked at.
    constexpr double kSlack = 1024;
    const double most = type_ == ScalarType::float32
                            ? double{std::numeric_limits<float>::max()} / kSlack
                            : std::numeric_limits<double>::max() / kSlack;
    const auto known = sizes(values);
    double peak = errors_.peak(values, {}, known);
    if (!variable.empty() && values.count(variable) != 0) {
        const Eigen::MatrixXd& at = values.find(variable)->second;
        MatrixMap all = values;
        all[kDirection] = Eigen::MatrixXd::Ones(at.rows(), at.cols());
        peak = std::max(peak, detail::ErrorModel(closed_form_slope(f_, variable), factored_weight_)
                                  .peak(all, {}, known));
    }
    return peak > most;
}

double DifferentialCheck::difficulty(const std::vector<std::string>& variables,
                                     const MatrixMap& values) const {
    constexpr std::uint64_t kSeed = 7;
    const auto known = sizes(values);
    double worst = 0;
    const auto add = [&](double number, double bound) {
        const double found = std::abs(bound) / (1 + std::abs(number));
        const bool is_known = std::isfinite(number) && std::isfinite(found);
        worst = std::max(worst, is_known ? found : std::numeric_limits<double>::infinity());
    };
    const Expected value = expected(values);
    add(value.f, value.f_bound);
    for (const std::string& variable : variables) {
        const Eigen::MatrixXd& at = values.find(variable)->second;
        const Eigen::MatrixXd along = direction(variable, at.rows(), at.cols(), kSeed);
        const Expected slope = expected(variable, values, along);
        add(slope.df, slope.df_bound + closed_form_bound(variable, values, along));
        if (overflows(variable, values)) {
            worst = std::numeric_limits<double>::infinity();
        }
    }
    return worst;
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
    const detail::Sensitivity sensitivity = errors_.at(values, directions, known, unit(values));
    const Eigen::MatrixXd gradient = evaluate_reference(differentiate(f_, variable), values, known);
    const double magnitude = gradient.cwiseProduct(direction).cwiseAbs().sum();
    const double value = dual.value(0, 0);
    return {value, unit(values) * (sensitivity.value + std::abs(value)) + smallest(type_),
            dual.differential(0, 0),
            unit(values) * (sensitivity.differential + magnitude) +
                smallest(type_) * (1 + direction.cwiseAbs().sum()),
            magnitude};
}

double DifferentialCheck::bound_of_sum(std::int64_t terms, double magnitude) const {
    return kSafety * static_cast<double>(terms) * eps_ * magnitude;
}

Expr directional_function(const Expr& gradient, const std::string& direction) {
    return dot(gradient, symbol({direction, gradient.shape(), Structure::general}));
}

}  // namespace matgrad
