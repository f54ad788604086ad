#pragma once
/// \file Sizes that the kernels of the peer and their launches agree on. Plain C++17 without an include:
/// it is compiled by NVRTC too.

namespace matgrad::block {

enum class PeerForm {
    log_det_gram,           ///< 2 X inv(X'X)
    frobenius_by_gram,      ///< X (A'A)
    frobenius_by_products,  ///< (X A') A
};

/// X is m-by-n, A p-by-n.
struct PeerShape {
    PeerForm form;
    int m, n, p;
    int entry_bytes;
};

/// Accesses of 16 bytes are aligned where rows are of whole ones.
constexpr int row_alignment(int cols, int entry_bytes) {
    return cols * entry_bytes % 16 == 0 ? 16 : entry_bytes;
}

/// Entries from one row of a matrix in shared memory to the next: one access more than a row has, so that
/// the entries of a column lie in different banks.
constexpr int leading_dimension(int cols, int entry_bytes) {
    return row_alignment(cols, entry_bytes) == 16 ? cols + 16 / entry_bytes : cols;
}

constexpr int larger(int a, int b) {
    return a > b ? a : b;
}

/// Entries of shared memory before the second of the two areas: X, later X A' in its place.
constexpr int first_entries(const PeerShape& s) {
    const int row =
        s.form == PeerForm::frobenius_by_products
            ? larger(leading_dimension(s.n, s.entry_bytes), leading_dimension(s.p, s.entry_bytes))
            : leading_dimension(s.n, s.entry_bytes);
    return (s.m * row + 3) / 4 * 4;
}

/// The second area: X'X and then its inverse, or A and then A'A in its place.
constexpr int second_entries(const PeerShape& s) {
    const int rows = s.form == PeerForm::log_det_gram        ? s.n
                     : s.form == PeerForm::frobenius_by_gram ? larger(s.n, s.p)
                                                             : s.p;
    return rows * leading_dimension(s.n, s.entry_bytes);
}

constexpr int shared_entries(const PeerShape& s) {
    return first_entries(s) + second_entries(s);
}

/// About 16 entries of the gradient to each thread, at most 256 threads. A guess, not measured.
constexpr int block_threads(const PeerShape& s) {
    int threads = 32;
    while (threads < 256 && threads * 16 < s.m * s.n) {
        threads *= 2;
    }
    return threads;
}

/// What a kernel is given.
struct PeerArgs {
    const void* x;
    const void* a;
    void* value;                   ///< null: not asked for
    void* gradient;                ///< likewise
    long long x_stride, a_stride;  ///< entries
};

}  // namespace matgrad::block
