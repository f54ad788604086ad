#include "check/error_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "expression/build.hpp"
#include "expression/rebuild.hpp"
#include "reference/singular_values.hpp"

namespace matgrad::detail {
namespace {

using Eigen::MatrixXd;
using SizeMap = std::map<std::string, std::int64_t>;

constexpr int kTrials = 4;
constexpr double kStep = 1e-11;  // far above the reference's own rounding, far below most 1/cond
constexpr std::size_t kMaxSites = 200;  // each is evaluated alone: long sums would take a minute

bool is_leaf(const Expr& e) {
    return e->children.empty();
}

bool is_factoring(Op op) {
    return op == Op::inverse || op == Op::det || op == Op::logdet || op == Op::log_det ||
           op == Op::cholesky;
}

/// What rounding may add to a node, in units of eps: to its value and to its differential.
struct Magnitude {
    MatrixXd value;
    MatrixXd differential;
};

MatrixXd spread(double norm, const MatrixXd& like) {
    const double count = std::max<double>(1, static_cast<double>(like.size()));
    return MatrixXd::Constant(like.rows(), like.cols(), norm / std::sqrt(count));
}

Magnitude product_magnitude(double coefficient, const std::vector<Dual>& factors,
                            const Dual& result) {
    double value = std::abs(coefficient);
    double differential = 0;
    for (const Dual& factor : factors) {
        const double norm = factor.value.norm();
        differential = differential * norm + value * factor.differential.norm();
        value *= norm;
    }
    return {spread(value, result.value), spread(differential, result.value)};
}

/// Sum of all products of `count` of the numbers.
double sum_of_products(const Eigen::VectorXd& numbers, Eigen::Index count) {
    if (count < 0) {
        return 0;
    }
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(count + 1);
    sums(0) = 1;
    for (const double number : numbers) {
        for (Eigen::Index i = count; i > 0; --i) {
            sums(i) += number * sums(i - 1);
        }
    }
    return sums(count);
}

/// A determinant near zero is a sum of terms that cancel, and so is each of its cofactors, which are the
/// determinants of fewer rows. By the singular values s, a backward error e of A moves det A by up to
/// e * sum over i of prod over j != i of s_j, and a cofactor by one such product less (Ipsen and Rehman 2008).
Magnitude determinant_magnitude(const Dual& argument) {
    const Eigen::Index n = argument.value.rows();
    if (n == 0 || !argument.value.allFinite()) {
        return {MatrixXd::Zero(1, 1), MatrixXd::Zero(1, 1)};
    }
    Eigen::VectorXd singular = singular_values(argument.value);
    const double largest = singular(0);
    singular.array() += static_cast<double>(n) * std::numeric_limits<double>::epsilon() * largest;
    const double of_value = largest * sum_of_products(singular, n - 1);
    const double of_cofactors = n == 1 ? 1 : largest * sum_of_products(singular, n - 2);
    return {MatrixXd::Constant(1, 1, of_value),
            MatrixXd::Constant(1, 1, of_cofactors * argument.differential.norm())};
}

/// Reductions and sums: the same operation on magnitudes.
Magnitude sum_magnitude(Op op, const std::vector<Dual>& children, const Dual& result) {
    const auto reduce = [&](const MatrixXd& a) -> MatrixXd {
        if (op == Op::row_sum) {
            return a.rowwise().sum();
        }
        if (op == Op::col_sum) {
            return a.colwise().sum();
        }
        return MatrixXd::Constant(1, 1, op == Op::trace ? a.diagonal().sum() : a.sum());
    };
    if (op == Op::add) {
        Magnitude total{result.value.cwiseAbs(), result.differential.cwiseAbs()};
        for (const Dual& child : children) {
            if (child.value.size() == result.value.size()) {
                total.value += child.value.cwiseAbs();
                total.differential += child.differential.cwiseAbs();
            }
        }
        return total;
    }
    const MatrixXd a = children[0].value.cwiseAbs();
    const MatrixXd da = children[0].differential.cwiseAbs();
    if (op == Op::dot) {
        const MatrixXd b = children[1].value.cwiseAbs();
        const MatrixXd db = children[1].differential.cwiseAbs();
        return {reduce(a.cwiseProduct(b)), reduce(da.cwiseProduct(b) + a.cwiseProduct(db))};
    }
    return {reduce(a), reduce(da)};
}

/// Values and differentials of nodes at one place; each is evaluated once.
class Duals {
public:
    Duals(const MatrixMap& values, const MatrixMap& directions, const SizeMap& sizes)
        : values_(values), directions_(directions), sizes_(sizes) {}
    const Dual& of(const Expr& node) {
        const auto at = known_.find(node);
        return at != known_.end()
                   ? at->second
                   : known_.emplace(node, evaluate_differential(node, values_, directions_, sizes_))
                         .first->second;
    }

private:
    const MatrixMap& values_;
    const MatrixMap& directions_;
    const SizeMap& sizes_;
    std::unordered_map<Expr, Dual> known_;
};

Magnitude magnitude_of(const Expr& node, Duals& duals) {
    const Dual result = duals.of(node);
    std::vector<Dual> children;
    for (const Expr& child : node->children) {
        children.push_back(duals.of(child));
    }
    const Op op = node->op;
    if (op == Op::product) {
        return product_magnitude(node->number, children, result);
    }
    if (op == Op::add || op == Op::trace || op == Op::dot || op == Op::sum || op == Op::row_sum ||
        op == Op::col_sum) {
        return sum_magnitude(op, children, result);
    }
    if (op == Op::inverse || op == Op::cholesky) {
        return {spread(result.value.norm(), result.value),
                spread(result.differential.norm(), result.value)};
    }
    if (op == Op::det) {
        return determinant_magnitude(children[0]);
    }
    if (op == Op::logdet || op == Op::log_det) {  // a sum of n logarithms, each of any sign
        return {result.value.cwiseAbs().array() + static_cast<double>(children[0].value.rows()),
                result.differential.cwiseAbs()};
    }
    if (op == Op::logsumexp || op == Op::row_logsumexp || op == Op::col_logsumexp) {
        return {result.value.cwiseAbs().array() + children[0].value.lpNorm<Eigen::Infinity>(),
                result.differential.cwiseAbs()};
    }
    const std::optional<Entrywise> function = entrywise_of(op);
    if (function && (facts_of(*function) & EntrywiseFact::kUnitSlope) != 0) {
        // The slope is at most 1 and may have cancelled, as 1 - tanh(x)^2 does far out.
        return {result.value.cwiseAbs(),
                result.differential.cwiseAbs() + children[0].differential.cwiseAbs()};
    }
    return {result.value.cwiseAbs(), result.differential.cwiseAbs()};
}

/// Where a number is not finite no error term can tell anything.
MatrixXd finite_part(const MatrixXd& a) {
    return a.unaryExpr([](double x) { return std::isfinite(x) ? x : 0.0; });
}

Magnitude factored_magnitude(const Expr& node, Duals& duals) {
    const Dual& argument = duals.of(node);
    return {spread(argument.value.norm(), argument.value),
            spread(argument.differential.norm(), argument.value)};
}

/// Entries of random sign; symmetric where the node is.
MatrixXd random_signs(const MatrixXd& like, bool symmetric, std::mt19937_64& engine) {
    MatrixXd signs(like.rows(), like.cols());
    for (Eigen::Index i = 0; i < signs.rows(); ++i) {
        for (Eigen::Index j = 0; j < signs.cols(); ++j) {
            signs(i, j) = (engine() >> 40) % 2 == 0 ? -1 : 1;
        }
    }
    if (symmetric) {
        signs.triangularView<Eigen::StrictlyUpper>() = MatrixXd(signs.transpose());
    }
    return signs;
}

/// Nodes below an inverse or a determinant.
std::unordered_set<Expr> nodes_to_factor(const std::vector<Expr>& order) {
    std::unordered_set<Expr> below;
    for (std::size_t i = order.size(); i-- > 0;) {  // parents first
        if (is_factoring(order[i]->op) || below.count(order[i]) != 0) {
            below.insert(order[i]->children.begin(), order[i]->children.end());
        }
    }
    return below;
}

}  // namespace

Expr ErrorModel::add_site(const Expr& node, const Expr& noisy, bool factored, double weight) {
    if (sites_.size() >= kMaxSites) {
        return noisy;
    }
    // A name the language cannot write, so it is never one of the caller's.
    const std::string name = fmt::format("#{}", sites_.size());
    const bool symmetric = node->symmetric && !node.shape().is_scalar();
    sites_.push_back({node, name, factored, weight});
    return add(noisy, hidden_symbol({name, node.shape(),
                                     symmetric ? Structure::symmetric : Structure::general}));
}

ErrorModel::ErrorModel(const Expr& f, double factored_weight)
    : f_(f), factored_weight_(factored_weight) {
    const std::unordered_set<Expr> to_factor =
        nodes_to_factor(topological_order(std::span<const Expr>(&f, 1)));
    noisy_ = rebuilt(f, [&](const Expr& node, std::span<const Expr> images) {
        if (is_leaf(node)) {
            return node;
        }
        std::vector<Expr> children(images.begin(), images.end());
        for (std::size_t i = 0; i < children.size() && is_factoring(node->op); ++i) {
            children[i] = add_site(node->children[i], children[i], true, factored_weight);
        }
        const Expr noisy = with_children(node, children);
        const bool in_factor = to_factor.count(node) != 0 || node->op == Op::det;
        const double weight = in_factor ? factored_weight : 1;
        return node->op == Op::transpose ? noisy : add_site(node, noisy, false, weight);
    });
}

Sensitivity ErrorModel::at(const MatrixMap& values, const MatrixMap& directions,
                           const SizeMap& sizes, double unit) const {
    std::vector<Magnitude> magnitudes;
    Duals duals(values, directions, sizes);
    for (const Site& site : sites_) {
        magnitudes.push_back(site.factored ? factored_magnitude(site.node, duals)
                                           : magnitude_of(site.node, duals));
    }
    std::mt19937_64 engine(20120115);
    // Sites of one weight move together: a step that is much smaller than the others' would be lost in
    // the reference's own rounding.
    const auto evaluate = [&](double step, double weight) {
        MatrixMap moved = values;
        MatrixMap moved_directions = directions;
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            const Site& site = sites_[i];
            const double size = site.weight == weight ? step : 0;
            const bool symmetric = site.node->symmetric;
            const MatrixXd signs = random_signs(magnitudes[i].value, symmetric, engine);
            const MatrixXd other_signs = random_signs(magnitudes[i].value, symmetric, engine);
            moved[site.symbol] = size * finite_part(magnitudes[i].value).cwiseProduct(signs);
            moved_directions[site.symbol] =
                size * finite_part(magnitudes[i].differential).cwiseProduct(other_signs);
        }
        return evaluate_differential(noisy_, moved, moved_directions, sizes);
    };
    const Dual still = evaluate(0, 1);
    const auto trials = [&](double step, double weight) {
        Sensitivity found;
        for (int trial = 0; trial < kTrials; ++trial) {
            const Dual moved = evaluate(step, weight);
            const double scale = weight / step;
            found.value += std::abs(moved.value(0, 0) - still.value(0, 0)) * scale;
            found.differential +=
                std::abs(moved.differential(0, 0) - still.differential(0, 0)) * scale;
        }
        return found;
    };
    Sensitivity total;
    const auto add_trials = [&](double weight) {
        Sensitivity found = trials(kStep, weight);
        if (unit * weight > kStep) {
            const Sensitivity bent = trials(unit * weight, weight);
            found.value = std::max(found.value, bent.value);
            found.differential = std::max(found.differential, bent.differential);
        }
        total.value += found.value;
        total.differential += found.differential;
    };
    add_trials(1);
    const bool has_others = std::any_of(sites_.begin(), sites_.end(),
                                        [](const Site& site) { return site.weight != 1; });
    if (has_others) {
        add_trials(factored_weight_);
    }
    // Where f or a part of it is infinite nothing can be said of what rounding does.
    total.value = std::isnan(total.value) ? std::numeric_limits<double>::infinity() : total.value;
    total.differential = std::isnan(total.differential) ? std::numeric_limits<double>::infinity()
                                                        : total.differential;
    return total;
}

double ErrorModel::peak(const MatrixMap& values, const MatrixMap& directions,
                        const SizeMap& sizes) const {
    Duals duals(values, directions, sizes);
    double peak = 0;
    for (const Expr& node : topological_order(std::span<const Expr>(&f_, 1))) {
        const Dual& dual = duals.of(node);
        for (const MatrixXd* matrix : {&dual.value, &dual.differential}) {
            if (matrix->size() > 0) {
                peak = std::max(peak, matrix->cwiseAbs().maxCoeff());
            }
        }
    }
    return peak;
}

}  // namespace matgrad::detail
