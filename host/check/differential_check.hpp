#pragma once
/// \file The differential check: df(X; D) = <G, D>, the reference's df against computed gradients.
///
/// One problem at a time, in double. The bound is computed at the data,
///
///     |df(X; D) - <G, D>|  <=  4 n eps (s + <|G|, |D|>)
///
/// with eps the rounding unit of the data's type, n the largest sum of rows and columns of an
/// operand (how many roundings an entry gathers) and s the sensitivity of df to a relative error
/// of one unit in every operation (error_model.hpp), so the condition of what is factored enters. Where
/// that does not explain a residual, s is also that of the closed form of G: terms of it may cancel that
/// do not in df. Below the smallest normal number of the type nothing is told apart.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "check/error_model.hpp"
#include "matgrad/check.hpp"
#include "matgrad/plan.hpp"
#include "reference/reference.hpp"

namespace matgrad {

/// What is right for one problem, with what rounding can explain of a result.
struct Expected {
    double f = 0, f_bound = 0;
    double df = 0, df_bound = 0;  ///< df(X; D)
    double df_magnitude = 0;      ///< <|G|, |D|>
    [[nodiscard]] Comparison value(double computed) const;
    /// `inner` is <G, D>.
    [[nodiscard]] Comparison differential(double inner) const;
};

/// Two numbers that are not finite agree.
[[nodiscard]] Comparison compare_numbers(double expected, double computed, double bound);

/// Checks results for one function. Where the reference itself is not finite, a result that is not
/// finite either passes.
///
/// `values` holds every symbol of f; a variable that f has lost by simplification is of general
/// structure.
/// Errors   those of the reference: OperandError, ShapeError.
class DifferentialCheck {
public:
    /// `tf32`: products of floats round their factors to TF32, so that is the rounding unit.
    DifferentialCheck(const Expr& f, ScalarType type, Accuracy accuracy, bool tf32 = false);

    [[nodiscard]] Comparison value(const MatrixMap& values, double computed) const;

    /// D is random within the variable's structure; the same seed gives the same D.
    [[nodiscard]] Comparison gradient(const std::string& variable, Convention convention,
                                      const MatrixMap& values, const Eigen::MatrixXd& computed,
                                      std::uint64_t seed) const;

    /// One component of the gradient.
    [[nodiscard]] Comparison entry(const std::string& variable, Convention convention,
                                   const MatrixMap& values, Entry entry, double computed) const;

    /// The direction that `gradient` takes.
    [[nodiscard]] Eigen::MatrixXd direction(const std::string& variable, std::int64_t rows,
                                            std::int64_t cols, std::uint64_t seed) const;
    /// The direction along which df is one component of the gradient.
    [[nodiscard]] Eigen::MatrixXd entry_direction(const std::string& variable,
                                                  Convention convention, std::int64_t rows,
                                                  std::int64_t cols, Entry entry) const;
    /// <G, D> is the sum of these.
    [[nodiscard]] Eigen::MatrixXd products(const std::string& variable, Convention convention,
                                           const Eigen::MatrixXd& gradient,
                                           const Eigen::MatrixXd& direction) const;

    /// f with its bound alone.
    [[nodiscard]] Expected expected(const MatrixMap& values) const;
    /// For results that are still to come, D given: the bounds take G from its closed form, evaluated
    /// by the reference.
    [[nodiscard]] Expected expected(const std::string& variable, const MatrixMap& values,
                                    const Eigen::MatrixXd& direction) const;
    /// What rounding may add where `terms` numbers are added up, `magnitude` the sum of their magnitudes.
    [[nodiscard]] double bound_of_sum(std::int64_t terms, double magnitude) const;

    /// True where a number on the way to the value, or to the gradient by `variable`, is beyond the range of
    /// the type: then nothing can be said of a result. Without a variable: of the value alone.
    [[nodiscard]] bool overflows(const std::string& variable, const MatrixMap& values) const;

    /// What rounding may do to f and to the gradients by `variables`, relative to 1 + |f| and 1 + |df|; infinity
    /// where they do not exist or are beyond the range of the type.
    [[nodiscard]] double difficulty(const std::vector<std::string>& variables,
                                    const MatrixMap& values) const;

private:
    [[nodiscard]] double closed_form_bound(const std::string& variable, const MatrixMap& values,
                                           const Eigen::MatrixXd& direction) const;
    [[nodiscard]] Comparison compare(const std::string& variable, const MatrixMap& values,
                                     const Eigen::MatrixXd& direction, double inner,
                                     double magnitude) const;
    [[nodiscard]] double unit(const MatrixMap& values) const;
    [[nodiscard]] std::map<std::string, std::int64_t> sizes(const MatrixMap& values) const;
    [[nodiscard]] Structure structure_of(const std::string& variable) const;

    Expr f_;
    std::vector<Declaration> symbols_;
    ScalarType type_;
    double eps_;
    double factored_weight_;
    detail::ErrorModel errors_;
};

/// A Hessian-vector product is the gradient of <grad f, V>: the function to check it with, where
/// `gradient` is the closed form of the (projected) gradient and `direction` the symbol V.
[[nodiscard]] Expr directional_function(const Expr& gradient, const std::string& direction);

}  // namespace matgrad
