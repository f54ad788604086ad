// Compiled by nvcc for the probe, and as plain C++ with Thrust's sequential device system for its twin
// on the simulated GPU, where an algorithm runs later than its call: functors own all that they need.
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system_error.h>

#include <limits>
#include <type_traits>

#include "device_work.hpp"
#include "on_stream.hpp"

#ifdef __CUDACC__
#define MATGRAD_EITHER_SIDE __host__ __device__
#else
#define MATGRAD_EITHER_SIDE
#endif

namespace matgrad::probe {
namespace {

/// Runs function(i) for i = 0 .. count-1, as matgrad calls Thrust.
template <typename Function>
void for_each(Size count, Function function, cudaStream_t stream) {
    if (count <= 0) {
        return;
    }
    (void)cudaGetLastError();  // what a library left behind is not Thrust's
    try {
        gpu::on_stream(stream, [count, function](auto policy) {
            thrust::for_each_n(policy, thrust::counting_iterator<Size>(0), count, function);
        });
    } catch (const thrust::system_error& error) {
        must(static_cast<cudaError_t>(error.code().value()), "thrust::for_each_n");
    }
    must(cudaGetLastError(), "thrust::for_each_n");
}

/// In [-1/2, 1/2).
MATGRAD_EITHER_SIDE double scatter(std::uint64_t seed, std::uint64_t at) {
    std::uint64_t bits = (seed << 40) + at * 0x9E3779B97F4A7C15ULL;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
    bits ^= bits >> 31;
    return static_cast<double>(bits >> 12) * 0x1p-52 - 0.5;
}

template <typename T>
struct Entry {
    T* data;
    Size rows, cols;
    std::uint64_t seed;
    Kind kind;
    double constant;  ///< every entry, of kinds that are constant

    MATGRAD_EITHER_SIDE void operator()(Size i) const {
        const Size in_matrix = i % (rows * cols);
        const Size row = in_matrix % rows;
        const Size col = in_matrix / rows;
        data[i] = static_cast<T>(value(i - in_matrix, row, col));
    }
    MATGRAD_EITHER_SIDE double value(Size first, Size row, Size col) const {
        const auto at = [&](Size r, Size c) {
            return scatter(seed, static_cast<std::uint64_t>(first + r + c * rows));
        };
        switch (kind) {
            case Kind::spd:
            case Kind::zero_diagonal:
                if (row == col) {
                    return kind == Kind::spd ? 1.25 + at(row, row) / 2 : 0;
                }
                return (row < col ? at(row, col) : at(col, row)) / static_cast<double>(rows);
            case Kind::swapped:
                return at(row, col) / static_cast<double>(rows) + (col == (row + 1) % rows ? 1 : 0);
            case Kind::nan:
            case Kind::infinity:
            case Kind::zero:
                return constant;
            case Kind::uniform:
                break;
        }
        return at(row, col);
    }
};

struct PointerOf {
    void** out;
    char* base;
    Size stride_bytes;
    MATGRAD_EITHER_SIDE void operator()(Size p) const { out[p] = base + p * stride_bytes; }
};

template <typename T>
struct Difference {
    const T* a;
    const T* b;
    int* flag;
    Size order;
    double tolerance;
    bool nan_is_nan;

    MATGRAD_EITHER_SIDE void operator()(Size i) const {
        if (order > 0) {
            const Size in_matrix = i % (order * order);
            if (in_matrix % order > in_matrix / order) {
                return;
            }
        }
        if (!is_same(a[i], b[i])) {
            *flag = 1;
        }
    }
    MATGRAD_EITHER_SIDE bool is_same(T x, T y) const {
        if constexpr (std::is_integral_v<T>) {
            return x == y;
        } else {
            if (x != x && y != y) {
                return nan_is_nan;
            }
            if (tolerance < 0) {  // the same bits: zeros have two
                return x == y && (x != T(0) || T(1) / x == T(1) / y);
            }
            const double size = y < 0 ? -static_cast<double>(y) : static_cast<double>(y);
            const double gap = static_cast<double>(x) - static_cast<double>(y);
            return (gap < 0 ? -gap : gap) <= tolerance * (1 + size);
        }
    }
};

double constant_of(Kind kind) {
    switch (kind) {
        case Kind::nan:
            return std::numeric_limits<double>::quiet_NaN();
        case Kind::infinity:
            return std::numeric_limits<double>::infinity();
        default:
            return 0;
    }
}

template <typename T>
void fill_typed(Kind kind, void* data, Size rows, Size cols, Size batch, std::uint64_t seed,
                cudaStream_t stream) {
    for_each(rows * cols * batch,
             Entry<T>{static_cast<T*>(data), rows, cols, seed, kind, constant_of(kind)}, stream);
}

template <typename T>
void compare_typed(const Compared& what, const void* a, const void* b, int* flag,
                   cudaStream_t stream) {
    for_each(what.count,
             Difference<T>{static_cast<const T*>(a), static_cast<const T*>(b), flag,
                           what.upper_of_order, what.tolerance, what.nan_is_nan},
             stream);
}

}  // namespace

void fill(Kind kind, Type type, void* data, Size rows, Size cols, Size batch, std::uint64_t seed,
          cudaStream_t stream) {
    if (type == Type::f64) {
        fill_typed<double>(kind, data, rows, cols, batch, seed, stream);
    } else {
        fill_typed<float>(kind, data, rows, cols, batch, seed, stream);
    }
}

void fill_pointers(void** out, void* base, Size stride_bytes, Size count, cudaStream_t stream) {
    for_each(count, PointerOf{out, static_cast<char*>(base), stride_bytes}, stream);
}

void compare(const Compared& what, const void* a, const void* b, int* flag, cudaStream_t stream) {
    if (what.type == Type::f64) {
        compare_typed<double>(what, a, b, flag, stream);
    } else if (what.type == Type::i32) {
        compare_typed<int>(what, a, b, flag, stream);
    } else {
        compare_typed<float>(what, a, b, flag, stream);
    }
}

}  // namespace matgrad::probe
