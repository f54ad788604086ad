#include "cuda/host_copy.hpp"

#include <algorithm>
#include <functional>

#include "matgrad/status.hpp"

namespace matgrad::gpu {
namespace {

/// Less than this is not worth a thread of its own.
constexpr std::int64_t kBytesPerThread = 2 << 20;

/// Strides in elements of one side of a copy.
struct Strides {
    std::int64_t row, col, batch;
};

template <typename T>
void copy_strided(const std::byte* from, const Strides& in, std::byte* to, const Strides& out,
                  std::int64_t rows, std::int64_t cols, std::int64_t first, std::int64_t last) {
    const T* source = reinterpret_cast<const T*>(from);
    T* target = reinterpret_cast<T*>(to);
    for (std::int64_t p = first; p < last; ++p) {
        for (std::int64_t r = 0; r < rows; ++r) {
            const T* s = source + p * in.batch + r * in.row;
            T* t = target + p * out.batch + r * out.row;
            if (in.col == 1 && out.col == 1) {
                std::copy_n(s, cols, t);
                continue;
            }
            for (std::int64_t c = 0; c < cols; ++c) {
                t[c * out.col] = s[c * in.col];
            }
        }
    }
}

void copy_problems(const std::byte* from, const Strides& in, std::byte* to, const Strides& out,
                   const HostPart& part, std::int64_t first, std::int64_t last) {
    part.type == ScalarType::float32
        ? copy_strided<float>(from, in, to, out, part.rows, part.cols, first, last)
        : copy_strided<double>(from, in, to, out, part.rows, part.cols, first, last);
}

template <typename T>
void add_strided(const std::byte* from, std::byte* to, const Strides& out, const HostPart& part,
                 double beta) {
    const T* source = reinterpret_cast<const T*>(from);
    for (std::int64_t r = 0; r < part.rows; ++r) {
        T* target = reinterpret_cast<T*>(to) + r * out.row;
        for (std::int64_t c = 0; c < part.cols; ++c, target += out.col) {
            *target = static_cast<T>(static_cast<double>(*source++) +
                                     beta * static_cast<double>(*target));
        }
    }
}

template <typename T>
void divide_problems(T* data, const Strides& at, const HostPart& part, std::int64_t first,
                     std::int64_t last, T by) {
    for (std::int64_t p = first; p < last; ++p) {
        for (std::int64_t r = 0; r < part.rows; ++r) {
            for (std::int64_t c = 0; c < part.cols; ++c) {
                data[p * at.batch + r * at.row + c * at.col] /= by;
            }
        }
    }
}

void add_problems(const std::byte* from, std::byte* to, const Strides& out, const HostPart& part,
                  const Adding& adding) {
    const std::int64_t size = size_of(part.type);
    for (std::int64_t p = 0; p < part.count; ++p) {
        if (adding.status != nullptr && !succeeded(adding.status[p])) {
            continue;
        }
        const std::byte* const source = from + p * part.rows * part.cols * size;
        std::byte* const target = to + p * out.batch * size;
        part.type == ScalarType::float32
            ? add_strided<float>(source, target, out, part, adding.beta)
            : add_strided<double>(source, target, out, part, adding.beta);
    }
}

/// Calls work(first, last) for ranges of the problems, which are independent, each on a thread.
template <typename Work>
void for_ranges(const HostPart& part, const Copying& copying, Work work) {
    const bool alone = copying.run_workers == nullptr && copying.pool == nullptr;
    const std::int64_t most = alone ? 1 : copying.threads;
    const std::int64_t workers = std::clamp<std::int64_t>(
        std::min<std::int64_t>(part.bytes() / kBytesPerThread, part.count), 1, most);
    const std::int64_t each = (part.count + workers - 1) / workers;
    const auto take_range = [&](int worker) {
        const std::int64_t first = worker * each;
        work(std::min(first, part.count), std::min(first + each, part.count));
    };
    if (workers == 1) {
        return take_range(0);
    }
    if (copying.pool != nullptr) {
        return (*copying.pool)(static_cast<int>(workers), std::cref(take_range));
    }
    copying.run_workers(static_cast<int>(workers), std::cref(take_range));
}

void copy_parallel(const std::byte* from, const Strides& in, std::byte* to, const Strides& out,
                   const HostPart& part, const Copying& copying) {
    for_ranges(part, copying, [&](std::int64_t first, std::int64_t last) {
        copy_problems(from, in, to, out, part, first, last);
    });
}

/// One problem after the other, from wherever it is.
void gather_parallel(const ConstStrided& from, std::byte* to, const HostPart& part,
                     const Copying& copying, std::span<const std::int64_t> rows) {
    const Strides in{from.row_stride, from.col_stride, from.batch_stride};
    const Strides out{part.cols, 1, part.rows * part.cols};
    const std::int64_t size = size_of(part.type);
    for_ranges(part, copying, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t p = first; p < last; ++p) {
            const std::int64_t row = rows[static_cast<std::size_t>(part.first + p)];
            copy_problems(static_cast<const std::byte*>(from.data) + row * from.batch_stride * size,
                          in, to + p * out.batch * size, out, part, 0, 1);
        }
    });
}

Strides packed(const HostPart& part) {
    return {part.cols, 1, part.rows * part.cols};
}

}  // namespace

bool is_contiguous(const ConstStrided& batch, std::int64_t rows, std::int64_t cols) {
    return (cols <= 1 || batch.col_stride == 1) && (rows <= 1 || batch.row_stride == cols) &&
           batch.batch_stride == rows * cols;
}

void pack(const ConstStrided& from, const HostPart& part, std::byte* to, const Copying& copying,
          std::span<const std::int64_t> rows) {
    if (part.bytes() == 0) {
        return;
    }
    if (!rows.empty()) {
        return gather_parallel(from, to, part, copying, rows);
    }
    const auto* data = static_cast<const std::byte*>(from.data) +
                       part.first * from.batch_stride * size_of(part.type);
    if (is_contiguous(from, part.rows, part.cols)) {
        // One long row a problem.
        const HostPart rows{part.first, part.count, 1, part.rows * part.cols, part.type};
        copy_parallel(data, packed(rows), to, packed(rows), rows, copying);
        return;
    }
    copy_parallel(data, {from.row_stride, from.col_stride, from.batch_stride}, to, packed(part),
                  part, copying);
}

void unpack(const std::byte* from, const HostPart& part, const Strided& to, const Copying& copying,
            const Adding& adding) {
    if (part.bytes() == 0) {
        return;
    }
    auto* data =
        static_cast<std::byte*>(to.data) + part.first * to.batch_stride * size_of(part.type);
    if (adding.beta != 0) {
        return add_problems(from, data, {to.row_stride, to.col_stride, to.batch_stride}, part,
                            adding);
    }
    copy_parallel(from, packed(part), data, {to.row_stride, to.col_stride, to.batch_stride}, part,
                  copying);
}

void divide(const HostPart& part, const Strided& at, std::int64_t by, const Copying& copying) {
    if (part.bytes() == 0) {
        return;
    }
    void* data =
        static_cast<std::byte*>(at.data) + part.first * at.batch_stride * size_of(part.type);
    const Strides strides{at.row_stride, at.col_stride, at.batch_stride};
    for_ranges(part, copying, [&](std::int64_t first, std::int64_t last) {
        if (part.type == ScalarType::float32) {
            divide_problems(static_cast<float*>(data), strides, part, first, last,
                            static_cast<float>(by));
        } else {
            divide_problems(static_cast<double*>(data), strides, part, first, last,
                            static_cast<double>(by));
        }
    });
}

}  // namespace matgrad::gpu
