#include "four_functions.hpp"

#include <cmath>

namespace matgrad::bench {
namespace {

/// Roundings to first order: each of `terms` products and additions rounds once, twice that for what
/// a different order of the factors does.
double growth(double terms) {
    return 2 * (terms + 4);
}

// Half the squared norm of X A'.
ClosedForm frobenius(const std::vector<Matrix>& v, bool) {
    const Matrix& x = v[0];
    const Matrix& a = v[1];
    const Matrix magnitude = x.cwiseAbs() * a.cwiseAbs().transpose() * a.cwiseAbs();
    const double terms = static_cast<double>(a.rows() + a.cols());
    ClosedForm form;
    form.gradient = x * a.transpose() * a;
    form.value = 0.5 * (x * a.transpose()).squaredNorm();
    form.gradient_error = growth(terms) * magnitude.maxCoeff();
    form.value_error = growth(terms + static_cast<double>(x.size())) * 0.5 *
                       x.cwiseAbs().cwiseProduct(magnitude).sum();
    return form;
}

// |A x - b|^2.
ClosedForm least_squares(const std::vector<Matrix>& v, bool) {
    const Matrix& a = v[0];
    const Matrix residual = a * v[1] - v[2];
    const Matrix magnitude = a.cwiseAbs() * v[1].cwiseAbs() + v[2].cwiseAbs();
    const double terms = static_cast<double>(a.rows() + a.cols());
    ClosedForm form;
    form.gradient = 2 * a.transpose() * residual;
    form.value = residual.squaredNorm();
    form.gradient_error = growth(terms) * 2 * (a.cwiseAbs().transpose() * magnitude).maxCoeff();
    form.value_error = growth(terms) * magnitude.squaredNorm();
    return form;
}

// tr(A X B).
ClosedForm bilinear_trace(const std::vector<Matrix>& v, bool) {
    const Matrix& a = v[0];
    const Matrix& x = v[1];
    const Matrix& b = v[2];
    const Matrix magnitude = a.cwiseAbs().transpose() * b.cwiseAbs().transpose();
    const double terms = static_cast<double>(a.rows());
    ClosedForm form;
    form.gradient = a.transpose() * b.transpose();
    form.value = (a * x * b).trace();
    form.gradient_error = growth(terms) * magnitude.maxCoeff();
    form.value_error = growth(terms + static_cast<double>(x.rows() + x.cols() + x.size())) *
                       magnitude.cwiseProduct(x.cwiseAbs()).sum();
    return form;
}

// log det(X'X), by singular values: d log s_i is at most cond(X) times a relative error of X.
ClosedForm log_det_gram(const std::vector<Matrix>& v, bool squared) {
    const Matrix& x = v[0];
    const Eigen::JacobiSVD<Matrix> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Eigen::VectorXd s = svd.singularValues();
    const double condition = s(0) / s(s.size() - 1);
    const double amplification = squared ? condition * condition : condition;
    const double terms = static_cast<double>(x.rows() + 3 * x.cols());
    ClosedForm form;
    form.gradient = 2 * svd.matrixU() * s.cwiseInverse().asDiagonal() * svd.matrixV().transpose();
    form.value = 2 * s.array().log().sum();
    form.gradient_error = growth(terms) * amplification * 2 / s(s.size() - 1);
    form.value_error = growth(terms) * (amplification * static_cast<double>(x.cols()) +
                                        2 * s.array().log().abs().sum());
    return form;
}

}  // namespace

std::vector<Function> four_functions() {
    constexpr double m = 64;
    constexpr double n = 16;
    constexpr double k = 32;
    return {
        // X (A'A), and half its inner product with X.
        {"frobenius",
         "0.5*norm2(X*A')^2",
         "X",
         {{"X", 64, 16, true}, {"A", 32, 16, false}},
         frobenius,
         2 * m * n * n + 2 * m * n},
        // The residual, its square, A' times it.
        {"least_squares",
         "norm2(A*x - b)^2",
         "x",
         {{"A", 64, 16, true}, {"x", 16, 1, true}, {"b", 64, 1, true}},
         least_squares,
         2 * m * n + m + 2 * m + 2 * m * n},
        // A'B', and its inner product with X.
        {"bilinear_trace",
         "tr(A*X*B)",
         "X",
         {{"A", 32, 32, true}, {"X", 32, 32, true}, {"B", 32, 32, true}},
         bilinear_trace,
         2 * k * k * k + 2 * k * k},
        // One triangle of X'X, Cholesky, two triangular solves for X, the logarithms.
        {"log_det_gram",
         "logdet(X'*X)",
         "X",
         {{"X", 64, 16, true}},
         log_det_gram,
         m * n * n + n * n * n / 3 + 2 * m * n * n + 2 * n},
    };
}

}  // namespace matgrad::bench
