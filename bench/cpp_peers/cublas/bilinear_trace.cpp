// tr(A*X*B), with gradient A'B', which does not depend on X. For the value alone it is the product with
// the smallest result.

#include <algorithm>

#include "bench/cpp_peers/cublas/calls.hpp"

namespace matgrad::bench {
namespace {

template <typename T>
class WithGradient final : public GpuPeer {
public:
    WithGradient(const PeerTask& t, const PeerPlace& place)
        : calls_(place),
          gradients_(t.a.stride == 0 && t.b.stride == 0 ? 1 : t.batch),
          room_(t.gradient == nullptr ? calls_.room<T>(gradients_ * t.m * t.n) : nullptr),
          sums_(calls_.sums<T>(t.batch, t.m * t.n)) {}

    void enqueue(const PeerTask& t) override {
        const std::int64_t count = t.m * t.n;
        T* const g = t.gradient == nullptr ? room_ : static_cast<T*>(t.gradient);
        calls_.product<T>(1, factor<T>(t.a, t.p, t.m).t(), factor<T>(t.b, t.n, t.p).t(), 0, g,
                          gradients_);
        if (t.value != nullptr) {
            sums_.products(1, {static_cast<const T*>(t.x.data), t.x.stride},
                           {g, gradients_ == 1 ? 0 : count}, static_cast<T*>(t.value));
        }
        if (t.gradient != nullptr && gradients_ < t.batch) {
            spread(g, count, g + count, t.batch - 1, calls_.stream());
        }
    }

private:
    Calls calls_;
    std::int64_t gradients_;
    T* room_;
    Sums<T> sums_;
};

/// As the entries of (A X)' times those of B, or of (X B)' times those of A.
template <typename T>
class ValueAlone final : public GpuPeer {
public:
    ValueAlone(const PeerTask& t, const PeerPlace& place)
        : calls_(place),
          over_b_(t.n < t.m),
          count_(t.p * std::min(t.m, t.n)),
          y_(calls_.room<T>(t.batch * count_)),
          sums_(calls_.sums<T>(t.batch, count_)) {}

    void enqueue(const PeerTask& t) override {
        const Factor<T> x = factor<T>(t.x, t.m, t.n);
        const Factor<T> a = factor<T>(t.a, t.p, t.m);
        const Factor<T> b = factor<T>(t.b, t.n, t.p);
        const Factor<T>& other = over_b_ ? b : a;
        if (over_b_) {
            calls_.product<T>(1, x.t(), a.t(), 0, y_, t.batch);
        } else {
            calls_.product<T>(1, b.t(), x.t(), 0, y_, t.batch);
        }
        sums_.products(1, {y_, count_}, {other.data, other.stride}, static_cast<T*>(t.value));
    }

private:
    Calls calls_;
    bool over_b_;
    std::int64_t count_;
    T* y_;
    Sums<T> sums_;
};

}  // namespace

template <typename T>
GpuPeer* make_bilinear_trace(const PeerTask& task, const PeerPlace& place) {
    const bool one_gradient = task.a.stride == 0 && task.b.stride == 0;
    const bool gradient_is_smaller = std::max(task.m, task.n) < task.p;
    if (task.gradient != nullptr || one_gradient || gradient_is_smaller) {
        return new WithGradient<T>(task, place);
    }
    return new ValueAlone<T>(task, place);
}

template GpuPeer* make_bilinear_trace<float>(const PeerTask&, const PeerPlace&);
template GpuPeer* make_bilinear_trace<double>(const PeerTask&, const PeerPlace&);

}  // namespace matgrad::bench
