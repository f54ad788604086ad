// norm2(A*x - b)^2, with gradient 2 A'r of the residual r. A shared A is multiplied once, by the vectors
// of all problems as the rows of a matrix.

#include "bench/cpp_peers/cublas/calls.hpp"

namespace matgrad::bench {
namespace {

template <typename T>
class LeastSquares final : public GpuPeer {
public:
    LeastSquares(const PeerTask& t, const PeerPlace& place)
        : calls_(place), r_(calls_.room<T>(t.batch * t.m)), sums_(calls_.sums<T>(t.batch, t.m)) {}

    void enqueue(const PeerTask& t) override {
        const Factor<T> a = factor<T>(t.a, t.m, t.n);
        const bool as_rows = t.a.stride == 0 && t.batch > 1;
        residual(t, a, as_rows && t.x.stride != 0);
        if (t.value != nullptr) {
            sums_.squares(1, {r_, t.m}, static_cast<T*>(t.value));
        }
        if (t.gradient == nullptr) {
            return;
        }
        if (as_rows) {
            calls_.product<T>(2, {r_, t.batch, t.m}, a, 0, static_cast<T*>(t.gradient), 1);
        } else {
            calls_.times_vector<T>(2, a.t(), r_, t.m, 0, static_cast<T*>(t.gradient), t.batch);
        }
    }

private:
    void residual(const PeerTask& t, const Factor<T>& a, bool as_rows) const {
        const T* const b = static_cast<const T*>(t.b.data);
        if (t.b.stride == 0 && t.batch > 1) {
            spread(b, t.m, r_, t.batch, calls_.stream());
        } else {
            calls_.copy(r_, b, t.batch * t.m);
        }
        if (as_rows) {
            calls_.product<T>(1, factor<T>(t.x, t.batch, t.n), a.t(), -1, r_, 1);
        } else {
            calls_.times_vector<T>(1, a, static_cast<const T*>(t.x.data), t.x.stride, -1, r_,
                                   t.batch);
        }
    }

    Calls calls_;
    T* r_;
    Sums<T> sums_;
};

}  // namespace

template <typename T>
GpuPeer* make_least_squares(const PeerTask& task, const PeerPlace& place) {
    return new LeastSquares<T>(task, place);
}

template GpuPeer* make_least_squares<float>(const PeerTask&, const PeerPlace&);
template GpuPeer* make_least_squares<double>(const PeerTask&, const PeerPlace&);

}  // namespace matgrad::bench
