#pragma once
/// \file MKL's compact functions by type: matrices of a group of problems, interleaved entry by entry.
/// Row-major throughout; `group` is how many problems the matrices are of.

#include <mkl.h>

#include <cstdint>
#include <vector>

namespace matgrad::bench::compact {

[[nodiscard]] inline MKL_INT size(std::int64_t n) {
    return static_cast<MKL_INT>(n);
}

/// A rows-by-cols matrix of each problem of a group, in MKL's own order.
template <typename T>
class Packed {
public:
    Packed(std::int64_t rows, std::int64_t cols, std::int64_t group)
        : rows_(size(rows)),
          cols_(size(cols)),
          group_(size(group)),
          entries_(static_cast<std::size_t>(bytes()) / sizeof(T)) {}

    [[nodiscard]] MKL_INT rows() const noexcept { return rows_; }
    [[nodiscard]] MKL_INT cols() const noexcept { return cols_; }
    [[nodiscard]] MKL_INT group() const noexcept { return group_; }
    [[nodiscard]] T* data() noexcept { return entries_.data(); }
    [[nodiscard]] const T* data() const noexcept { return entries_.data(); }
    [[nodiscard]] static MKL_COMPACT_PACK format() { return mkl_get_format_compact(); }

private:
    [[nodiscard]] MKL_INT bytes() const {
        if constexpr (sizeof(T) == sizeof(float)) {
            return mkl_sget_size_compact(cols_, rows_, format(), group_);
        } else {
            return mkl_dget_size_compact(cols_, rows_, format(), group_);
        }
    }
    MKL_INT rows_, cols_, group_;
    std::vector<T> entries_;
};

/// `from` has a pointer for each problem of the group.
inline void pack(const float* const* from, Packed<float>& to) {
    mkl_sgepack_compact(MKL_ROW_MAJOR, to.rows(), to.cols(), from, to.cols(), to.data(), to.cols(),
                        to.format(), to.group());
}
inline void pack(const double* const* from, Packed<double>& to) {
    mkl_dgepack_compact(MKL_ROW_MAJOR, to.rows(), to.cols(), from, to.cols(), to.data(), to.cols(),
                        to.format(), to.group());
}

inline void unpack(const Packed<float>& from, float* const* to) {
    mkl_sgeunpack_compact(MKL_ROW_MAJOR, from.rows(), from.cols(), to, from.cols(), from.data(),
                          from.cols(), from.format(), from.group());
}
inline void unpack(const Packed<double>& from, double* const* to) {
    mkl_dgeunpack_compact(MKL_ROW_MAJOR, from.rows(), from.cols(), to, from.cols(), from.data(),
                          from.cols(), from.format(), from.group());
}

/// c = op(a) op(b).
template <typename T>
void multiply(bool a_transposed, bool b_transposed, const Packed<T>& a, const Packed<T>& b,
              Packed<T>& c) {
    const auto form = [](bool transposed) { return transposed ? MKL_TRANS : MKL_NOTRANS; };
    const MKL_INT inner = a_transposed ? a.rows() : a.cols();
    if constexpr (sizeof(T) == sizeof(float)) {
        mkl_sgemm_compact(MKL_ROW_MAJOR, form(a_transposed), form(b_transposed), c.rows(), c.cols(),
                          inner, 1, a.data(), a.cols(), b.data(), b.cols(), 0, c.data(), c.cols(),
                          c.format(), c.group());
    } else {
        mkl_dgemm_compact(MKL_ROW_MAJOR, form(a_transposed), form(b_transposed), c.rows(), c.cols(),
                          inner, 1, a.data(), a.cols(), b.data(), b.cols(), 0, c.data(), c.cols(),
                          c.format(), c.group());
    }
}

/// The lower Cholesky factor in place.
inline void factor(Packed<float>& a) {
    MKL_INT info = 0;
    mkl_spotrf_compact(MKL_ROW_MAJOR, MKL_LOWER, a.rows(), a.data(), a.cols(), &info, a.format(),
                       a.group());
}
inline void factor(Packed<double>& a) {
    MKL_INT info = 0;
    mkl_dpotrf_compact(MKL_ROW_MAJOR, MKL_LOWER, a.rows(), a.data(), a.cols(), &info, a.format(),
                       a.group());
}

/// b = scale * b * op(l)^-1, l lower triangular.
template <typename T>
void divide_right(const Packed<T>& l, bool transposed, T scale, Packed<T>& b) {
    const MKL_TRANSPOSE form = transposed ? MKL_TRANS : MKL_NOTRANS;
    if constexpr (sizeof(T) == sizeof(float)) {
        mkl_strsm_compact(MKL_ROW_MAJOR, MKL_RIGHT, MKL_LOWER, form, MKL_NONUNIT, b.rows(),
                          b.cols(), scale, l.data(), l.cols(), b.data(), b.cols(), b.format(),
                          b.group());
    } else {
        mkl_dtrsm_compact(MKL_ROW_MAJOR, MKL_RIGHT, MKL_LOWER, form, MKL_NONUNIT, b.rows(),
                          b.cols(), scale, l.data(), l.cols(), b.data(), b.cols(), b.format(),
                          b.group());
    }
}

}  // namespace matgrad::bench::compact
