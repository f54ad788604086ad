#pragma once
/// \file The host's twin of kernels/device.cuh: the same names, for kernels that the simulated GPU runs.
/// There is one difference: every access to device memory, and by load_shared and store_shared to the
/// arrays of the block, is checked and counted.

#include "kernel_state.hpp"

#if __has_include(<source_location>)
#include <source_location>
#else
// Generated kernels see no standard header: what __builtin_source_location asks for.
namespace std {
struct source_location {
    struct __impl {
        const char* _M_file_name;
        const char* _M_function_name;
        unsigned _M_line, _M_column;
    };
};
}  // namespace std
#endif

namespace matgrad::simulated {

/// One for all kernels that are linked together.
inline KernelState* state = nullptr;

extern "C" __attribute__((visibility("default"), used)) inline void matgrad_bind_kernel_state(
    KernelState* to) {
    state = to;
}

template <typename T, int kCount>
struct SharedArray {
    T data[kCount];
    char guard[KernelState::kSharedGuard];
    unsigned long block_serial;

    T (&enter(const char* name))[kCount] {
        if (block_serial != state->block_serial) {
            block_serial = state->block_serial;
            state->enter_shared(data, sizeof(data), name);
        }
        return data;
    }
};

inline unsigned char* block_memory(unsigned long bytes, const char* name) {
    if (state->block_memory == nullptr || state->block_memory_bytes != bytes) {
        state->enter_block_memory(bytes, name);
    }
    return state->block_memory;
}

/// A number that a thread of a block holds out to its warp.
template <typename T>
struct Exchange {
    T number;
    unsigned long block_serial;  ///< 0: it holds none out
};

/// A number that was never written.
template <typename T>
T poison() {
    T nothing;
    __builtin_memset(&nothing, 0xFF, sizeof(T));
    return nothing;
}

}  // namespace matgrad::simulated

namespace matgrad::block {

#define MATGRAD_VISIBLE extern "C" __attribute__((visibility("default")))

#define MATGRAD_KERNEL(name, Args, threads)                          \
    MATGRAD_VISIBLE const unsigned long name##_bytes = sizeof(Args); \
    MATGRAD_VISIBLE const unsigned long name##_threads = threads;    \
    MATGRAD_VISIBLE void name(const Args& args)

#define MATGRAD_DEVICE inline

#define MATGRAD_SHARED(type, name, count)                                  \
    static ::matgrad::simulated::SharedArray<type, count> name##_of_block; \
    type(&name)[count] = name##_of_block.enter(#name)

#define MATGRAD_BLOCK_MEMORY(name, bytes)                                 \
    static_assert((bytes) <= 227 * 1024, "no device gives a block more"); \
    unsigned char* const name = ::matgrad::simulated::block_memory(bytes, #name)

#define MATGRAD_UNROLL
#define MATGRAD_NO_UNROLL

#define MATGRAD_PLACE_PARAMETER , const void* site = __builtin_source_location()
#define MATGRAD_PLACE , site

MATGRAD_DEVICE void barrier(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    simulated::state->barrier(simulated::Barrier::block, file, line);
}
MATGRAD_DEVICE void warp_barrier(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    simulated::state->barrier(simulated::Barrier::warp, file, line);
}

MATGRAD_DEVICE int thread_index() {
    return simulated::state->thread;
}
MATGRAD_DEVICE int block_size() {
    return simulated::state->block_size;
}
MATGRAD_DEVICE long long block_index() {
    return simulated::state->block;
}

inline constexpr int kWarp = 32;

/// The number that the thread of `lane` in the warp has: through memory, with barriers of the warp before
/// and after it is read. Where there is no such thread, or it has not called, there is poison.
template <typename T>
MATGRAD_DEVICE T from_lane(T mine, int lane, const char* file = __builtin_FILE(),
                           int line = __builtin_LINE()) {
    constexpr int kMostThreads = 1024;
    static simulated::Exchange<T> numbers[kMostThreads];
    const int thread = thread_index();
    simulated::Exchange<T>& own = numbers[thread];
    own = {mine, simulated::state->block_serial};
    simulated::state->barrier(simulated::Barrier::exchange, file, line);
    T theirs = simulated::poison<T>();
    if (lane >= 0 && lane < kWarp) {
        const simulated::Exchange<T>& other = numbers[thread / kWarp * kWarp + lane];
        if (other.block_serial == own.block_serial) {
            theirs = other.number;
        }
    }
    simulated::state->barrier(simulated::Barrier::exchange, file, line);
    own.block_serial = 0;
    return theirs;
}

template <typename T>
MATGRAD_DEVICE T from_neighbour(T mine, int distance, const char* file = __builtin_FILE(),
                                int line = __builtin_LINE()) {
    return from_lane(mine, thread_index() % kWarp + distance, file, line);
}

template <typename T>
MATGRAD_DEVICE T load(const T* from, const void* site = __builtin_source_location()) {
    simulated::KernelState& state = *simulated::state;
    ++state.loads;
    state.load_bytes += static_cast<long long>(sizeof(T));
    return state.may_access(from, sizeof(T), false, site) ? *from : simulated::poison<T>();
}

template <typename T>
MATGRAD_DEVICE void store(T* to, T value, const void* site = __builtin_source_location()) {
    simulated::KernelState& state = *simulated::state;
    ++state.stores;
    state.store_bytes += static_cast<long long>(sizeof(T));
    if (state.may_access(to, sizeof(T), true, site)) {
        *to = value;
    }
}

template <typename T>
MATGRAD_DEVICE T load_shared(const T* from, const void* site = __builtin_source_location()) {
    simulated::KernelState& state = *simulated::state;
    ++state.shared_loads;
    state.shared_load_bytes += static_cast<long long>(sizeof(T));
    return state.may_access_shared(from, sizeof(T), false, site) ? *from : simulated::poison<T>();
}

template <typename T>
MATGRAD_DEVICE void store_shared(T* to, T value, const void* site = __builtin_source_location()) {
    simulated::KernelState& state = *simulated::state;
    ++state.shared_stores;
    state.shared_store_bytes += static_cast<long long>(sizeof(T));
    if (state.may_access_shared(to, sizeof(T), true, site)) {
        *to = value;
    }
}

/// Loaded and stored as one access of all its bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
    T entries[kCount];
};

/// Counted as a load and a store.
MATGRAD_DEVICE void atomic_add(long long* to, long long value,
                               const void* site = __builtin_source_location()) {
    const auto sum =
        static_cast<unsigned long long>(load(to, site)) + static_cast<unsigned long long>(value);
    store(to, static_cast<long long>(sum), site);
}

template <typename T>
MATGRAD_DEVICE T infinity() {
    return static_cast<T>(__builtin_inf());
}

MATGRAD_DEVICE float exp(float x) {
    return __builtin_expf(x);
}
MATGRAD_DEVICE double exp(double x) {
    return __builtin_exp(x);
}
MATGRAD_DEVICE float expm1(float x) {
    return __builtin_expm1f(x);
}
MATGRAD_DEVICE double expm1(double x) {
    return __builtin_expm1(x);
}
MATGRAD_DEVICE float log(float x) {
    return __builtin_logf(x);
}
MATGRAD_DEVICE double log(double x) {
    return __builtin_log(x);
}
MATGRAD_DEVICE float log1p(float x) {
    return __builtin_log1pf(x);
}
MATGRAD_DEVICE double log1p(double x) {
    return __builtin_log1p(x);
}
MATGRAD_DEVICE float sqrt(float x) {
    return __builtin_sqrtf(x);
}
MATGRAD_DEVICE double sqrt(double x) {
    return __builtin_sqrt(x);
}
MATGRAD_DEVICE float rsqrt(float x) {
    return 1 / __builtin_sqrtf(x);
}
MATGRAD_DEVICE double rsqrt(double x) {
    return 1 / __builtin_sqrt(x);
}
MATGRAD_DEVICE float fabs(float x) {
    return __builtin_fabsf(x);
}
MATGRAD_DEVICE double fabs(double x) {
    return __builtin_fabs(x);
}
MATGRAD_DEVICE float floor(float x) {
    return __builtin_floorf(x);
}
MATGRAD_DEVICE double floor(double x) {
    return __builtin_floor(x);
}
MATGRAD_DEVICE float pow(float x, float y) {
    return __builtin_powf(x, y);
}
MATGRAD_DEVICE double pow(double x, double y) {
    return __builtin_pow(x, y);
}
MATGRAD_DEVICE float sin(float x) {
    return __builtin_sinf(x);
}
MATGRAD_DEVICE double sin(double x) {
    return __builtin_sin(x);
}
MATGRAD_DEVICE float cos(float x) {
    return __builtin_cosf(x);
}
MATGRAD_DEVICE double cos(double x) {
    return __builtin_cos(x);
}
MATGRAD_DEVICE float tan(float x) {
    return __builtin_tanf(x);
}
MATGRAD_DEVICE double tan(double x) {
    return __builtin_tan(x);
}
MATGRAD_DEVICE float atan(float x) {
    return __builtin_atanf(x);
}
MATGRAD_DEVICE double atan(double x) {
    return __builtin_atan(x);
}
MATGRAD_DEVICE float cosh(float x) {
    return __builtin_coshf(x);
}
MATGRAD_DEVICE double cosh(double x) {
    return __builtin_cosh(x);
}
MATGRAD_DEVICE float sinh(float x) {
    return __builtin_sinhf(x);
}
MATGRAD_DEVICE double sinh(double x) {
    return __builtin_sinh(x);
}
MATGRAD_DEVICE float tanh(float x) {
    return __builtin_tanhf(x);
}
MATGRAD_DEVICE double tanh(double x) {
    return __builtin_tanh(x);
}
MATGRAD_DEVICE float erf(float x) {
    return __builtin_erff(x);
}
MATGRAD_DEVICE double erf(double x) {
    return __builtin_erf(x);
}
MATGRAD_DEVICE float asinh(float x) {
    return __builtin_asinhf(x);
}
MATGRAD_DEVICE double asinh(double x) {
    return __builtin_asinh(x);
}
MATGRAD_DEVICE float acosh(float x) {
    return __builtin_acoshf(x);
}
MATGRAD_DEVICE double acosh(double x) {
    return __builtin_acosh(x);
}
MATGRAD_DEVICE float atanh(float x) {
    return __builtin_atanhf(x);
}
MATGRAD_DEVICE double atanh(double x) {
    return __builtin_atanh(x);
}
MATGRAD_DEVICE float lgamma(float x) {
    return __builtin_lgammaf(x);
}
MATGRAD_DEVICE double lgamma(double x) {
    return __builtin_lgamma(x);
}
MATGRAD_DEVICE float copysign(float size, float sign) {
    return __builtin_copysignf(size, sign);
}
MATGRAD_DEVICE double copysign(double size, double sign) {
    return __builtin_copysign(size, sign);
}
/// The larger, the smaller; NaN where one is a NaN.
template <typename T>
MATGRAD_DEVICE T max(T x, T y) {
    return x > y || x != x ? x : y;
}
template <typename T>
MATGRAD_DEVICE T min(T x, T y) {
    return x < y || x != x ? x : y;
}

template <typename T>
MATGRAD_DEVICE T not_a_number() {
    return static_cast<T>(__builtin_nan(""));
}

template <typename T>
MATGRAD_DEVICE bool isnan(T x) {
    return x != x;
}
template <typename T>
MATGRAD_DEVICE bool isfinite(T x) {
    return fabs(x) < infinity<T>();
}

}  // namespace matgrad::block
