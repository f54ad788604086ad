/// \file The four functions with Eigen, as its good user writes them: a plain loop over the problems,
/// shared by OpenMP, closed forms by hand, Cholesky for the Gram matrix, temporaries made once.

#include <Eigen/Dense>

#include "task.hpp"

namespace {

using matgrad::bench::Closed;
using matgrad::bench::PeerOperand;
using matgrad::bench::PeerTask;

template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using View = Eigen::Map<const Matrix<T>>;
template <typename T>
using Column = Eigen::Matrix<T, Eigen::Dynamic, 1>;

template <typename T>
View<T> view(const PeerOperand& operand, std::int64_t problem, std::int64_t rows,
             std::int64_t cols) {
    return {static_cast<const T*>(operand.data) + problem * operand.stride, rows, cols};
}

template <typename T>
Eigen::Map<Matrix<T>> gradient_of(const PeerTask& task, std::int64_t problem, std::int64_t rows,
                                  std::int64_t cols) {
    return {static_cast<T*>(task.gradient) + problem * rows * cols, rows, cols};
}

template <typename T>
void put_value(const PeerTask& task, std::int64_t problem, T value) {
    static_cast<T*>(task.value)[problem] = value;
}

/// Temporaries of one thread.
template <typename T>
struct Scratch {
    Matrix<T> a, b;
    Column<T> r;
    Eigen::LLT<Matrix<T>> cholesky;
};

template <typename T>
void frobenius(const PeerTask& t, std::int64_t k, const Matrix<T>& shared, Scratch<T>& s) {
    const auto x = view<T>(t.x, k, t.m, t.n);
    const auto a = view<T>(t.a, k, t.p, t.n);
    if (t.a.stride == 0) {  // X (A'A), the second factor once
        if (t.gradient == nullptr) {
            s.b.noalias() = x * shared;
            put_value<T>(t, k, x.cwiseProduct(s.b).sum() / 2);
            return;
        }
        auto gradient = gradient_of<T>(t, k, t.m, t.n);
        gradient.noalias() = x * shared;
        if (t.value != nullptr) {
            put_value<T>(t, k, x.cwiseProduct(gradient).sum() / 2);
        }
        return;
    }
    s.a.noalias() = x * a.transpose();
    if (t.value != nullptr) {
        put_value<T>(t, k, s.a.squaredNorm() / 2);
    }
    if (t.gradient != nullptr) {
        gradient_of<T>(t, k, t.m, t.n).noalias() = s.a * a;
    }
}

template <typename T>
void least_squares(const PeerTask& t, std::int64_t k, Scratch<T>& s) {
    const auto a = view<T>(t.a, k, t.m, t.n);
    s.r = -view<T>(t.b, k, t.m, 1);
    s.r.noalias() += a * view<T>(t.x, k, t.n, 1);
    if (t.value != nullptr) {
        put_value<T>(t, k, s.r.squaredNorm());
    }
    if (t.gradient != nullptr) {
        Eigen::Map<Column<T>> gradient(static_cast<T*>(t.gradient) + k * t.n, t.n);
        gradient.noalias() = T(2) * a.transpose() * s.r;
    }
}

template <typename T>
void bilinear_trace(const PeerTask& t, std::int64_t k, Scratch<T>& s) {
    const auto x = view<T>(t.x, k, t.m, t.n);
    const auto a = view<T>(t.a, k, t.p, t.m);
    const auto b = view<T>(t.b, k, t.n, t.p);
    if (t.gradient == nullptr) {
        s.a.noalias() = a * x;
        put_value<T>(t, k, s.a.cwiseProduct(b.transpose()).sum());
        return;
    }
    auto gradient = gradient_of<T>(t, k, t.m, t.n);
    gradient.noalias() = a.transpose() * b.transpose();
    if (t.value != nullptr) {
        put_value<T>(t, k, gradient.cwiseProduct(x).sum());
    }
}

template <typename T>
void log_det_gram(const PeerTask& t, std::int64_t k, Scratch<T>& s) {
    const auto x = view<T>(t.x, k, t.m, t.n);
    s.a.setZero(t.n, t.n);
    s.a.template selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
    s.cholesky.compute(s.a);
    if (t.value != nullptr) {
        put_value<T>(t, k, 2 * s.cholesky.matrixLLT().diagonal().array().log().sum());
    }
    if (t.gradient != nullptr) {
        s.b = T(2) * x.transpose();
        s.cholesky.solveInPlace(s.b);
        gradient_of<T>(t, k, t.m, t.n) = s.b.transpose();
    }
}

template <typename T>
void one(const PeerTask& t, std::int64_t k, const Matrix<T>& shared, Scratch<T>& s) {
    switch (t.function) {
        case Closed::frobenius:
            return frobenius<T>(t, k, shared, s);
        case Closed::least_squares:
            return least_squares<T>(t, k, s);
        case Closed::bilinear_trace:
            return bilinear_trace<T>(t, k, s);
        case Closed::log_det_gram:
            return log_det_gram<T>(t, k, s);
    }
}

template <typename T>
void all(const PeerTask& t) {
    Matrix<T> shared;
    if (t.function == Closed::frobenius && t.a.stride == 0) {
        const auto a = view<T>(t.a, 0, t.p, t.n);
        shared.noalias() = a.transpose() * a;
    }
    Eigen::setNbThreads(t.threads);  // within a product, where there is one problem
    if (t.batch == 1) {
        Scratch<T> scratch;
        one<T>(t, 0, shared, scratch);
        return;
    }
#pragma omp parallel num_threads(t.threads)
    {
        Scratch<T> scratch;
#pragma omp for schedule(static)
        for (std::int64_t k = 0; k < t.batch; ++k) {
            one<T>(t, k, shared, scratch);
        }
    }
}

}  // namespace

void matgrad_eigen_peer(const PeerTask* task) {
    task->in_double ? all<double>(*task) : all<float>(*task);
}
