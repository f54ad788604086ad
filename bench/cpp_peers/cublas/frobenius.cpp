// 0.5*norm2(X*A')^2, with gradient X A'A: as X (A'A) or (X A') A, whichever is less to compute.

#include "bench/cpp_peers/cublas/calls.hpp"

namespace matgrad::bench {
namespace {

bool gram_is_cheaper(const PeerTask& t) {
    const auto problems = static_cast<double>(t.batch);
    const auto m = static_cast<double>(t.m);
    const auto n = static_cast<double>(t.n);
    const auto p = static_cast<double>(t.p);
    const double with_gram = (t.a.stride == 0 ? 1 : problems) * p * n * n + problems * m * n * n;
    const double without = problems * m * n * p * (t.gradient == nullptr ? 1 : 2);
    return with_gram < without;
}

template <typename T>
class WithGram final : public GpuPeer {
public:
    WithGram(const PeerTask& t, const PeerPlace& place)
        : calls_(place),
          grams_(t.a.stride == 0 ? 1 : t.batch),
          gram_(calls_.room<T>(grams_ * t.n * t.n)),
          room_(t.gradient == nullptr ? calls_.room<T>(t.batch * t.m * t.n) : nullptr),
          sums_(calls_.sums<T>(t.batch, t.m * t.n)) {}

    void enqueue(const PeerTask& t) override {
        const Factor<T> x = factor<T>(t.x, t.m, t.n);
        const Factor<T> a = factor<T>(t.a, t.p, t.n);
        T* const y = t.gradient == nullptr ? room_ : static_cast<T*>(t.gradient);
        calls_.product<T>(1, a.t(), a, 0, gram_, grams_);
        calls_.product<T>(1, x, {gram_, t.n, t.n, grams_ == 1 ? 0 : t.n * t.n}, 0, y, t.batch);
        if (t.value != nullptr) {
            sums_.products(T(0.5), {x.data, x.stride}, {y, t.m * t.n}, static_cast<T*>(t.value));
        }
    }

private:
    Calls calls_;
    std::int64_t grams_;
    T* gram_;
    T* room_;
    Sums<T> sums_;
};

template <typename T>
class LeftToRight final : public GpuPeer {
public:
    LeftToRight(const PeerTask& t, const PeerPlace& place)
        : calls_(place),
          y_(calls_.room<T>(t.batch * t.m * t.p)),
          sums_(calls_.sums<T>(t.batch, t.m * t.p)) {}

    void enqueue(const PeerTask& t) override {
        const Factor<T> a = factor<T>(t.a, t.p, t.n);
        calls_.product<T>(1, factor<T>(t.x, t.m, t.n), a.t(), 0, y_, t.batch);
        if (t.value != nullptr) {
            sums_.squares(T(0.5), {y_, t.m * t.p}, static_cast<T*>(t.value));
        }
        if (t.gradient != nullptr) {
            calls_.product<T>(1, {y_, t.m, t.p, t.m * t.p}, a, 0, static_cast<T*>(t.gradient),
                              t.batch);
        }
    }

private:
    Calls calls_;
    T* y_;
    Sums<T> sums_;
};

}  // namespace

template <typename T>
GpuPeer* make_frobenius(const PeerTask& task, const PeerPlace& place) {
    if (gram_is_cheaper(task)) {
        return new WithGram<T>(task, place);
    }
    return new LeftToRight<T>(task, place);
}

template GpuPeer* make_frobenius<float>(const PeerTask&, const PeerPlace&);
template GpuPeer* make_frobenius<double>(const PeerTask&, const PeerPlace&);

}  // namespace matgrad::bench
