#pragma once
/// \file What a peer in C++ is asked for: one of the four functions by its closed form, over a batch.
/// Plain data, since a peer is compiled for this very machine, in a library of its own: nothing that
/// a header defines may pass between them.

#include <cstdint>

namespace matgrad::bench {

enum class Closed {
    frobenius,       ///< 0.5*norm2(X*A')^2, X m-by-n, A p-by-n
    least_squares,   ///< norm2(A*x - b)^2, A m-by-n
    bilinear_trace,  ///< tr(A*X*B), A p-by-m, X m-by-n, B n-by-p
    log_det_gram,    ///< logdet(X'*X), X m-by-n
};

/// Row-major, contiguous; `stride` entries from one problem to the next, 0 for a shared one.
struct PeerOperand {
    const void* data;
    std::int64_t stride;
};

struct PeerTask {
    Closed function;
    bool in_double;
    std::int64_t m, n, p;
    std::int64_t batch;
    int threads;
    PeerOperand x, a, b;  ///< the variable, A and B or b, as far as the function has them
    void* value;          ///< null: not asked for
    void* gradient;       ///< likewise
};

}  // namespace matgrad::bench

extern "C" {
__attribute__((visibility("default"))) void matgrad_eigen_peer(
    const matgrad::bench::PeerTask* task);
/// False if libxsmm does not offer the function or has no kernel for the sizes.
__attribute__((visibility("default"))) bool matgrad_libxsmm_peer(
    const matgrad::bench::PeerTask* task);
/// False if MKL's compact functions do not offer the function.
__attribute__((visibility("default"))) bool matgrad_mkl_peer(const matgrad::bench::PeerTask* task);
__attribute__((visibility("default"))) const char* matgrad_mkl_version();
}
