#pragma once
/// \file All that device code uses of CUDA. It has a host twin, tests/simulated_gpu/device.cuh, which
/// takes its place when generated kernels run on the simulated GPU: so device code touches device
/// memory through load, store and atomic_add alone, and includes no header but those of kernels/ and
/// what a status is made of (matgrad/status_kind.hpp). What it does in arrays of the block is checked
/// and counted where it goes through load_shared and store_shared.
///
/// Sizes and places are `long long` where they may pass 2^31 and `int` or `unsigned` elsewhere: there
/// is no <cstdint> here. Everything is in matgrad::block, where the names of the functions below hide
/// those of the C library; generated kernels are in that namespace too.

// Where kernels are compiled ahead for the simulated GPU, the twin has been included before.
#ifndef MATGRAD_KERNEL

namespace matgrad::block {

/// Opens a kernel of blocks of `threads` threads whose one argument is a struct, by value:
///
///     MATGRAD_KERNEL(divide_0, DivideArgs, 256) { divide<Divide0>(args); }
///
/// `Args` is the name of a type; one with a comma in it needs a name of its own first. One block on a
/// multiprocessor is enough, so the compiler does not spill registers to make room for more.
#define MATGRAD_KERNEL(name, Args, threads) \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ Args args)

/// Before a function of device code.
#define MATGRAD_DEVICE __device__ __forceinline__

/// An array of the block, in a function that all its threads call. Two functions have two arrays.
#define MATGRAD_SHARED(type, name, count) __shared__ type name[count]

/// An array of the block of any size: `name`, of `bytes` bytes (a constant), at a multiple of 16. A kernel
/// has one, in a function that all its threads call, and its launch gives the bytes as dynamic shared
/// memory: above 48 KiB only after cudaFuncAttributeMaxDynamicSharedMemorySize allows them.
#define MATGRAD_BLOCK_MEMORY(name, bytes)                                 \
    static_assert((bytes) <= 227 * 1024, "no device gives a block more"); \
    extern __shared__ __align__(16) unsigned char name[]

/// Before a loop of few rounds, known at compile time, whose arrays are to become registers.
#define MATGRAD_UNROLL _Pragma("unroll")
/// Before a loop that is to stay one: code of many rounds side by side would not fit a cache.
#define MATGRAD_NO_UNROLL _Pragma("unroll 1")

/// In a function that only loads or stores for its caller, as the last parameter and, there, the last
/// argument: a profile on the simulated GPU names the caller's place in the text. Nothing on a GPU.
#define MATGRAD_PLACE_PARAMETER
#define MATGRAD_PLACE

/// All threads of the block have come here, and see what any of them wrote before.
MATGRAD_DEVICE void barrier() {
    __syncthreads();
}

/// All threads of the warp that have not ended have come here, and see what any of them wrote before.
MATGRAD_DEVICE void warp_barrier() {
    __syncwarp();
}

MATGRAD_DEVICE int thread_index() {
    return static_cast<int>(threadIdx.x);
}
MATGRAD_DEVICE int block_size() {
    return static_cast<int>(blockDim.x);
}
MATGRAD_DEVICE long long block_index() {
    return blockIdx.x;
}

/// Neighbouring threads that run together; blocks are of whole warps.
inline constexpr int kWarp = 32;

/// The number that the thread `distance` farther in the warp has; nothing in particular past its end.
/// All threads of the warp call it. It is no barrier for what is in memory.
template <typename T>
MATGRAD_DEVICE T from_neighbour(T mine, int distance) {
    return __shfl_down_sync(0xffffffffU, mine, static_cast<unsigned>(distance));
}

/// The number that the thread `lane` of the warp has, 0 to 31. All threads of the warp call it. It is no
/// barrier for what is in memory.
template <typename T>
MATGRAD_DEVICE T from_lane(T mine, int lane) {
    return __shfl_sync(0xffffffffU, mine, lane);
}

template <typename T>
MATGRAD_DEVICE T load(const T* from) {
    return *from;
}

template <typename T>
MATGRAD_DEVICE void store(T* to, T value) {
    *to = value;
}

/// From and to an array of the block.
template <typename T>
MATGRAD_DEVICE T load_shared(const T* from) {
    return *from;
}
template <typename T>
MATGRAD_DEVICE void store_shared(T* to, T value) {
    *to = value;
}

/// Neighbouring entries: loaded and stored by one access, at a multiple of their bytes.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
    T entries[kCount];
};

MATGRAD_DEVICE Pack<float, 2> load(const Pack<float, 2>* from) {
    const float2 v = *reinterpret_cast<const float2*>(from);
    return {{v.x, v.y}};
}
MATGRAD_DEVICE Pack<float, 4> load(const Pack<float, 4>* from) {
    const float4 v = *reinterpret_cast<const float4*>(from);
    return {{v.x, v.y, v.z, v.w}};
}
MATGRAD_DEVICE Pack<double, 2> load(const Pack<double, 2>* from) {
    const double2 v = *reinterpret_cast<const double2*>(from);
    return {{v.x, v.y}};
}
// In PTX: of a vector the compiler makes several accesses where it does not find them side by side.
MATGRAD_DEVICE void store(Pack<float, 2>* to, const Pack<float, 2>& pack) {
    asm volatile("st.global.v2.f32 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(to)),
                 "f"(pack.entries[0]), "f"(pack.entries[1])
                 : "memory");
}
MATGRAD_DEVICE void store(Pack<float, 4>* to, const Pack<float, 4>& pack) {
    asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)),
                 "f"(pack.entries[0]), "f"(pack.entries[1]), "f"(pack.entries[2]),
                 "f"(pack.entries[3])
                 : "memory");
}
MATGRAD_DEVICE void store(Pack<double, 2>* to, const Pack<double, 2>& pack) {
    asm volatile("st.global.v2.f64 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(to)),
                 "d"(pack.entries[0]), "d"(pack.entries[1])
                 : "memory");
}

MATGRAD_DEVICE void atomic_add(long long* to, long long value) {
    // In two's complement the sum is the same.
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}

template <typename T>
MATGRAD_DEVICE T infinity();
template <>
MATGRAD_DEVICE float infinity<float>() {
    return __int_as_float(0x7f800000);
}
template <>
MATGRAD_DEVICE double infinity<double>() {
    return __longlong_as_double(0x7ff0000000000000LL);
}

MATGRAD_DEVICE float exp(float x) {
    return ::expf(x);
}
MATGRAD_DEVICE double exp(double x) {
    return ::exp(x);
}
MATGRAD_DEVICE float expm1(float x) {
    return ::expm1f(x);
}
MATGRAD_DEVICE double expm1(double x) {
    return ::expm1(x);
}
MATGRAD_DEVICE float log(float x) {
    return ::logf(x);
}
MATGRAD_DEVICE double log(double x) {
    return ::log(x);
}
MATGRAD_DEVICE float log1p(float x) {
    return ::log1pf(x);
}
MATGRAD_DEVICE double log1p(double x) {
    return ::log1p(x);
}
MATGRAD_DEVICE float sqrt(float x) {
    return ::sqrtf(x);
}
MATGRAD_DEVICE double sqrt(double x) {
    return ::sqrt(x);
}
/// 1/sqrt(x), within 2 units in the last place.
MATGRAD_DEVICE float rsqrt(float x) {
    return ::rsqrtf(x);
}
MATGRAD_DEVICE double rsqrt(double x) {
    return ::rsqrt(x);
}
MATGRAD_DEVICE float fabs(float x) {
    return ::fabsf(x);
}
MATGRAD_DEVICE double fabs(double x) {
    return ::fabs(x);
}
MATGRAD_DEVICE float floor(float x) {
    return ::floorf(x);
}
MATGRAD_DEVICE double floor(double x) {
    return ::floor(x);
}
MATGRAD_DEVICE float pow(float x, float y) {
    return ::powf(x, y);
}
MATGRAD_DEVICE double pow(double x, double y) {
    return ::pow(x, y);
}
MATGRAD_DEVICE float sin(float x) {
    return ::sinf(x);
}
MATGRAD_DEVICE double sin(double x) {
    return ::sin(x);
}
MATGRAD_DEVICE float cos(float x) {
    return ::cosf(x);
}
MATGRAD_DEVICE double cos(double x) {
    return ::cos(x);
}
MATGRAD_DEVICE float tan(float x) {
    return ::tanf(x);
}
MATGRAD_DEVICE double tan(double x) {
    return ::tan(x);
}
MATGRAD_DEVICE float atan(float x) {
    return ::atanf(x);
}
MATGRAD_DEVICE double atan(double x) {
    return ::atan(x);
}
MATGRAD_DEVICE float cosh(float x) {
    return ::coshf(x);
}
MATGRAD_DEVICE double cosh(double x) {
    return ::cosh(x);
}
MATGRAD_DEVICE float sinh(float x) {
    return ::sinhf(x);
}
MATGRAD_DEVICE double sinh(double x) {
    return ::sinh(x);
}
MATGRAD_DEVICE float tanh(float x) {
    return ::tanhf(x);
}
MATGRAD_DEVICE double tanh(double x) {
    return ::tanh(x);
}
MATGRAD_DEVICE float erf(float x) {
    return ::erff(x);
}
MATGRAD_DEVICE double erf(double x) {
    return ::erf(x);
}
MATGRAD_DEVICE float asinh(float x) {
    return ::asinhf(x);
}
MATGRAD_DEVICE double asinh(double x) {
    return ::asinh(x);
}
MATGRAD_DEVICE float acosh(float x) {
    return ::acoshf(x);
}
MATGRAD_DEVICE double acosh(double x) {
    return ::acosh(x);
}
MATGRAD_DEVICE float atanh(float x) {
    return ::atanhf(x);
}
MATGRAD_DEVICE double atanh(double x) {
    return ::atanh(x);
}
MATGRAD_DEVICE float lgamma(float x) {
    return ::lgammaf(x);
}
MATGRAD_DEVICE double lgamma(double x) {
    return ::lgamma(x);
}
MATGRAD_DEVICE float copysign(float size, float sign) {
    return ::copysignf(size, sign);
}
MATGRAD_DEVICE double copysign(double size, double sign) {
    return ::copysign(size, sign);
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
MATGRAD_DEVICE T not_a_number();
template <>
MATGRAD_DEVICE float not_a_number<float>() {
    return __int_as_float(0x7fc00000);
}
template <>
MATGRAD_DEVICE double not_a_number<double>() {
    return __longlong_as_double(0x7ff8000000000000LL);
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

#endif
