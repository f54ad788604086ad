#include "by_hand.hpp"

#include <Eigen/Dense>

namespace {

template <typename T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using In = Eigen::Map<const RowMajor<T>>;
template <typename T>
using Out = Eigen::Map<RowMajor<T>>;

/// Of one thread: margins, and a temporary of them.
struct Margins {
    RowMajor<double> z, e;
};

/// As by_hand.hpp says.
template <bool kWithLog1p>
void logistic_part(std::int64_t batch, std::int64_t m, std::int64_t n, const double* counts,
                   const double* signs, const In<double>& x, const double* w, double* value,
                   double* gradient, Margins& margins) {
    const auto s = Eigen::Map<const Eigen::RowVectorXd>(signs, m).array();
    const auto c = In<double>(counts, batch, m).array();
    margins.z.resize(batch, m);
    margins.e.resize(batch, m);
    auto z = margins.z.array();
    auto e = margins.e.array();
    margins.z.noalias() = In<double>(w, batch, n) * x.transpose();
    z = -(z.rowwise() * s);
    e = (-z.abs()).exp();
    // softplus(z) = max(z, 0) + log(1 + exp(-|z|))
    Eigen::Map<Eigen::VectorXd> sums(value, batch);
    if constexpr (kWithLog1p) {
        sums = (c * (z.max(0.0) + e.log1p())).rowwise().sum().matrix();
    } else {
        sums = (c * (z.max(0.0) + (e + 1).log())).rowwise().sum().matrix();
    }
    // sigmoid(z) = 1/(1 + e) where z >= 0, else e/(1 + e)
    z = (c * (z >= 0).select(1.0, e) / (e + 1)).rowwise() * -s;
    Out<double>(gradient, batch, n).noalias() = margins.z * x;
}

}  // namespace

void by_hand_gaussians(int threads, std::int64_t batch, const double* p, const double* s,
                       double* value, double* gradient) {
    using Matrix = Eigen::Matrix<double, 8, 8, Eigen::RowMajor>;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::int64_t k = 0; k < batch; ++k) {
        const Eigen::Map<const Matrix> P(p + 64 * k);
        const Eigen::Map<const Matrix> S(s + 64 * k);
        const Eigen::LLT<Matrix> cholesky(P);
        value[k] =
            S.cwiseProduct(P).sum() -
            2 * cholesky.matrixLLT().diagonal().array().log().sum();  // tr(S*P): both symmetric
        Eigen::Map<Matrix>(gradient + 64 * k) = S - cholesky.solve(Matrix::Identity());
    }
}

void by_hand_logistic(int threads, bool with_log1p, std::int64_t batch, std::int64_t m,
                      std::int64_t n, const double* c, const double* s, const double* x,
                      const double* w, double* value, double* gradient) {
    Eigen::setNbThreads(1);  // the threads are ours
    const In<double> X(x, m, n);
    const auto part = with_log1p ? logistic_part<true> : logistic_part<false>;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int i = 0; i < threads; ++i) {
        static thread_local Margins margins;
        const std::int64_t first = i * batch / threads;
        const std::int64_t count = (i + 1) * batch / threads - first;
        part(count, m, n, c + first * m, s, X, w + first * n, value + first, gradient + first * n,
             margins);
    }
}

void by_hand_components(int threads, std::int64_t batch, std::int64_t d, std::int64_t r,
                        const float* x, const float* w, float* value, float* gradient) {
    Eigen::setNbThreads(threads);
    static RowMajor<float> t, residual, back;
    const In<float> X(x, batch, d);
    const In<float> W(w, d, r);
    t.noalias() = X * W;
    residual = X;
    residual.noalias() -= t * W.transpose();
    *value = 0.5F * residual.squaredNorm();
    back.noalias() = residual * W;
    Out<float> G(gradient, d, r);
    G.noalias() = -residual.transpose() * t;
    G.noalias() -= X.transpose() * back;
}

void by_hand_factorisation(int threads, std::int64_t batch, std::int64_t d, std::int64_t r,
                           const float* x, const float* v, const float* u, float* value,
                           float* gradient_v, float* gradient_u) {
    Eigen::setNbThreads(threads);
    static RowMajor<float> residual;
    const In<float> X(x, batch, d);
    const In<float> V(v, d, r);
    const In<float> U(u, batch, r);
    residual = -X;
    residual.noalias() += U * V.transpose();
    *value = 0.5F * residual.squaredNorm();
    Out<float>(gradient_v, d, r).noalias() = residual.transpose() * U;
    Out<float>(gradient_u, batch, r).noalias() = residual * V;
}
