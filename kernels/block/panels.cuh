#pragma once
/// \file Passes over panels of a long dimension: some rows (or columns) of matrices at a time.

#include "entries.cuh"
#include "transfer.cuh"

namespace matgrad::block {

/// A number that is known when the kernel is compiled.
template <int kNumber>
struct Size {
    static constexpr int kValue = kNumber;
};

/// body(Size<kPanel>, first) for every panel of a dimension of kTotal; the last one has what is left.
template <int kTotal, int kPanel, typename Body>
MATGRAD_DEVICE void for_each_panel(const Body& body) {
    MATGRAD_NO_UNROLL
    for (int first = 0; first + kPanel <= kTotal; first += kPanel) {
        body(Size<kPanel>{}, first);
    }
    if constexpr (kTotal % kPanel > 0) {
        body(Size<kTotal % kPanel>{}, kTotal - kTotal % kPanel);
    }
}

/// A matrix of T without its first rows, or columns.
template <typename T>
MATGRAD_DEVICE Strided from_row(const Strided& m, int first) {
    return {static_cast<T*>(m.data) + first * m.row, m.batch, m.row, m.col};
}
template <typename T>
MATGRAD_DEVICE Strided from_col(const Strided& m, int first) {
    return {static_cast<T*>(m.data) + first * m.col, m.batch, m.row, m.col};
}

/// A matrix that stays in device memory. Nobody writes it before the team's next sync.
template <typename T, int kRowCount, int kColCount>
struct Remote {
    using Type = T;
    static constexpr int kRows = kRowCount;
    static constexpr int kCols = kColCount;

    const T* data;
    long long row_stride, col_stride;

    MATGRAD_DEVICE T get(int r, int c) const {
        return load(data + r * row_stride + c * col_stride);
    }
    MATGRAD_DEVICE auto t() const {
        return Remote<T, kColCount, kRowCount>{data, col_stride, row_stride};
    }
    MATGRAD_DEVICE auto row(int r) const { return rows<1>(r); }
    MATGRAD_DEVICE auto col(int c) const {
        return Remote<T, kRowCount, 1>{data + c * col_stride, row_stride, col_stride};
    }
    template <int kSome>
    MATGRAD_DEVICE auto rows(int first) const {
        return Remote<T, kSome, kColCount>{data + first * row_stride, row_stride, col_stride};
    }
};
template <typename T, int kRows, int kCols>
MATGRAD_DEVICE auto remote(const Strided& m, long long problem) {
    return Remote<T, kRows, kCols>{static_cast<const T*>(m.data) + problem * m.batch, m.row, m.col};
}

/// Of two norms that of both vectors: their squares may be out of range.
struct JoinedNorm {
    template <typename T>
    MATGRAD_DEVICE static T join(T x, T y) {
        if (isnan(x) || isnan(y)) {
            return x + y;
        }
        const T most = max(x, y);
        if (most == T(0) || !isfinite(most)) {
            return most;
        }
        const T ratio = min(x, y) / most;
        return most * sqrt(T(1) + ratio * ratio);
    }
};

/// The one entry of `out` joined with a panel's part of it, or entry i of what is one row or one column.
template <typename Operation, typename Out, typename T>
MATGRAD_DEVICE void join_number(const Out& out, int i, T part) {
    const int r = Out::kRows == 1 ? 0 : i;
    const int c = Out::kRows == 1 ? i : 0;
    const T joined = Operation::join(static_cast<T>(out.get(r, c)), part);
    out.set(r, c, static_cast<typename Out::Type>(joined));
}
template <typename Team, typename Operation, typename Out, typename T>
MATGRAD_DEVICE void join_one(const Out& out, T part) {
    if (Team::rank() == 0) {
        join_number<Operation>(out, 0, part);
    }
}

}  // namespace matgrad::block
