#include "reference/structure_fault.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>

namespace matgrad {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

class Matrix {
public:
    Matrix(const std::string& name, const MatrixXd& a, double rounding)
        : name_(name), a_(a), rounding_(rounding) {}

    [[nodiscard]] StructureFault fault(Structure structure) const {
        switch (structure) {
            case Structure::general:
                return {};
            case Structure::symmetric:
                return {"symmetric", not_symmetric()};
            case Structure::positive:
                return a_.size() == 1
                           ? StructureFault{"positive", not_positive()}
                           : StructureFault{"symmetric positive definite", not_definite()};
            case Structure::diagonal:
                return {"diagonal", not_zero(true, true)};
            case Structure::lower:
                return {"lower triangular", not_zero(false, true)};
            case Structure::upper:
                return {"upper triangular", not_zero(true, false)};
            case Structure::orthogonal:
                return {"of orthonormal columns", not_orthogonal()};
        }
        return {};
    }

private:
    /// Sixteen roundings of each of n entries as large as `scale`.
    [[nodiscard]] double tolerance(double scale) const {
        constexpr double kRoundings = 16;
        return kRoundings * rounding_ * static_cast<double>(a_.rows()) * scale;
    }
    /// Of those that are finite: beside an infinite one all others would be roundings.
    [[nodiscard]] double largest() const {
        return a_.size() == 0 ? 0 : a_.array().isFinite().select(a_.cwiseAbs(), 0).maxCoeff();
    }
    [[nodiscard]] std::string entry(Index i, Index j) const {
        return fmt::format("{}({},{}) is {:.6g}", name_, i + 1, j + 1, a_(i, j));
    }

    [[nodiscard]] std::string not_symmetric() const {
        const double most = tolerance(largest());
        for (Index j = 0; j < a_.cols(); ++j) {
            for (Index i = j; i < a_.rows(); ++i) {
                if (!(std::fabs(a_(i, j) - a_(j, i)) <= most)) {  // so is a NaN
                    return i == j ? entry(i, i) : entry(i, j) + ", " + entry(j, i);
                }
            }
        }
        return {};
    }

    [[nodiscard]] std::string not_positive() const {
        return a_(0, 0) > 0 ? "" : fmt::format("{} is {:.6g}", name_, a_(0, 0));
    }

    [[nodiscard]] std::string not_definite() const {
        std::string found = not_symmetric();
        if (found.empty() && a_.llt().info() != Eigen::Success) {
            const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(a_, Eigen::EigenvaluesOnly);
            found = fmt::format("its least eigenvalue is {:.6g}", eigen.eigenvalues()(0));
        }
        return found;
    }

    [[nodiscard]] std::string not_zero(bool below, bool above) const {
        const double most = tolerance(largest());
        for (Index j = 0; j < a_.cols(); ++j) {
            for (Index i = 0; i < a_.rows(); ++i) {
                const bool looked_at = (below && i > j) || (above && i < j);
                if (looked_at && !(std::fabs(a_(i, j)) <= most)) {
                    return entry(i, j);
                }
            }
        }
        return {};
    }

    [[nodiscard]] std::string not_orthogonal() const {
        const MatrixXd gram = a_.transpose() * a_;
        for (Index j = 0; j < gram.cols(); ++j) {
            for (Index i = j; i < gram.rows(); ++i) {
                if (!(std::fabs(gram(i, j) - (i == j ? 1 : 0)) <= tolerance(1))) {
                    return fmt::format("({0}'*{0})({1},{2}) is {3:.6g}", name_, i + 1, j + 1,
                                       gram(i, j));
                }
            }
        }
        return {};
    }

    const std::string& name_;
    const MatrixXd& a_;
    double rounding_;
};

}  // namespace

StructureFault structure_fault(const std::string& name, const MatrixXd& a, Structure structure,
                               double rounding) {
    return Matrix(name, a, rounding).fault(structure);
}

}  // namespace matgrad
