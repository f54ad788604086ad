#pragma once
/// \file A matrix on chip: sizes and strides are constants of its type.

#include "device.cuh"

namespace matgrad::block {

/// The place of an entry.
struct EntryPlace {
    int row, col;
};

/// Where it lies: in the memory of the block, or in an array of the thread, which becomes registers
/// where every index is a constant once loops are unrolled.
enum class Space { block, own };

/// Entry (r, c) is kRowStride*r + kColStride*c entries from `data`.
template <typename T, int kRowCount, int kColCount, int kRowStride, int kColStride,
          Space kWhere = Space::block>
struct Matrix {
    using Type = T;
    static constexpr int kRows = kRowCount;
    static constexpr int kCols = kColCount;
    static constexpr int kCount = kRowCount * kColCount;
    static constexpr Space kSpace = kWhere;

    T* data;

    MATGRAD_DEVICE static constexpr int offset(int r, int c) {
        return r * kRowStride + c * kColStride;
    }
    MATGRAD_DEVICE T get(int r, int c MATGRAD_PLACE_PARAMETER) const {
        if constexpr (kSpace == Space::block) {
            return load_shared(data + offset(r, c) MATGRAD_PLACE);
        } else {
            return data[offset(r, c)];
        }
    }
    MATGRAD_DEVICE void set(int r, int c, T value MATGRAD_PLACE_PARAMETER) const {
        if constexpr (kSpace == Space::block) {
            store_shared(data + offset(r, c), value MATGRAD_PLACE);
        } else {
            data[offset(r, c)] = value;
        }
    }
    /// The transpose, one row, some rows, one column, some columns: views of the same memory.
    MATGRAD_DEVICE auto t() const {
        return Matrix<T, kColCount, kRowCount, kColStride, kRowStride, kWhere>{data};
    }
    MATGRAD_DEVICE auto row(int r) const {
        return Matrix<T, 1, kColCount, kRowStride, kColStride, kWhere>{data + offset(r, 0)};
    }
    template <int kSome>
    MATGRAD_DEVICE auto rows(int first) const {
        return Matrix<T, kSome, kColCount, kRowStride, kColStride, kWhere>{data + offset(first, 0)};
    }
    MATGRAD_DEVICE auto col(int c) const {
        return Matrix<T, kRowCount, 1, kRowStride, kColStride, kWhere>{data + offset(0, c)};
    }
    template <int kSome>
    MATGRAD_DEVICE auto cols(int first) const {
        return Matrix<T, kRowCount, kSome, kRowStride, kColStride, kWhere>{data + offset(0, first)};
    }
};

/// Row-major, rows a line of kLine entries apart, in block memory. An odd line lets the entries of a
/// column lie in different banks.
template <typename T, int kRows, int kCols, int kLine = kCols>
using Tile = Matrix<T, kRows, kCols, kLine, 1>;

/// Row-major, in the thread's own memory.
template <typename T, int kRows, int kCols>
using Own = Matrix<T, kRows, kCols, kCols, 1, Space::own>;

}  // namespace matgrad::block
