// Compiled by nvcc for the peer, and as plain C++ for the simulated GPU of the tests, whose device.cuh
// has the same names.
#include <algorithm>
#include <type_traits>

#include "bench/cpp_peers/cublas/sums.hpp"
#include "cuda/checked.hpp"
#include "device.cuh"
#ifndef __CUDACC__
#include "simulated_gpu/linked_kernel.hpp"
#endif

namespace matgrad::block {

constexpr int kSumThreads = 256;
constexpr int kSpreadEach = 4;  ///< entries of a thread

enum Term { kProduct, kSquare, kLog, kAlone };

template <typename T>
struct SumArgs {
    const T* a;
    const T* b;
    T* out;
    long long a_stride, a_step, b_stride, b_step;
    long long count, parts;
    long long sums;  ///< parts of all problems
    T weight;
    int term;
    int lanes;  ///< threads that share a sum, a power of two
};

template <typename T>
MATGRAD_DEVICE T term_of(const SumArgs<T>& args, const T* a, const T* b, long long i) {
    const T x = load(a + i * args.a_step);
    switch (args.term) {
        case kProduct:
            return x * load(b + i * args.b_step);
        case kSquare:
            return x * x;
        case kLog:
            return log(x);
        default:
            return x;
    }
}

/// Each of `lanes` neighbouring threads adds up its share; they join by halves.
template <typename T>
MATGRAD_DEVICE void sum_terms(const SumArgs<T>& args) {
    const int thread = thread_index();
    const int lane = thread % args.lanes;
    const long long sum = block_index() * (kSumThreads / args.lanes) + thread / args.lanes;
    T mine = T(0);
    if (sum < args.sums) {
        const long long problem = sum / args.parts;
        const long long each = (args.count + args.parts - 1) / args.parts;
        const long long first = sum % args.parts * each;
        const long long last = first + each < args.count ? first + each : args.count;
        const T* const a = args.a + problem * args.a_stride;
        const T* const b = args.b + problem * args.b_stride;
        for (long long i = first + lane; i < last; i += args.lanes) {
            mine += term_of(args, a, b, i);
        }
    }
    MATGRAD_SHARED(T, lane_sums, kSumThreads);
    lane_sums[thread] = mine;
    for (int half = args.lanes / 2; half > 0; half /= 2) {
        barrier();
        if (lane < half) {
            mine += lane_sums[thread + half];
            lane_sums[thread] = mine;
        }
    }
    if (lane == 0 && sum < args.sums) {
        store(args.out + sum, args.weight * mine);
    }
}

template <typename T>
struct SpreadArgs {
    const T* from;
    T* to;
    long long count, total;
};

template <typename T>
MATGRAD_DEVICE void spread_entries(const SpreadArgs<T>& args) {
    const long long first = block_index() * (kSumThreads * kSpreadEach);
    const long long at = first % args.count;  // one long division, of a block
    MATGRAD_UNROLL
    for (int k = 0; k < kSpreadEach; ++k) {
        const int offset = k * kSumThreads + thread_index();
        if (first + offset < args.total) {
            // Below 2^31 + 2^10.
            const unsigned from = static_cast<unsigned>(at + offset);
            store(args.to + first + offset,
                  load(args.from + from % static_cast<unsigned>(args.count)));
        }
    }
}

using SumArgsFloat = SumArgs<float>;
using SumArgsDouble = SumArgs<double>;
using SpreadArgsFloat = SpreadArgs<float>;
using SpreadArgsDouble = SpreadArgs<double>;
MATGRAD_KERNEL(matgrad_peer_sum_float, SumArgsFloat, kSumThreads) {
    sum_terms(args);
}
MATGRAD_KERNEL(matgrad_peer_sum_double, SumArgsDouble, kSumThreads) {
    sum_terms(args);
}
MATGRAD_KERNEL(matgrad_peer_spread_float, SpreadArgsFloat, kSumThreads) {
    spread_entries(args);
}
MATGRAD_KERNEL(matgrad_peer_spread_double, SpreadArgsDouble, kSumThreads) {
    spread_entries(args);
}

}  // namespace matgrad::block

namespace matgrad::bench {
namespace {

#ifdef __CUDACC__
#define MATGRAD_PEER_LAUNCH(name, config, args) launch(block::name, config, args)

template <typename Args>
void launch(void (*kernel)(const Args), const cudaLaunchConfig_t& config, Args args) {
    void* arguments[] = {&args};
    MATGRAD_CUDA(cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(kernel), arguments));
}
#else
#define MATGRAD_PEER_LAUNCH(name, config, args)                                                 \
    launch({#name,                                                                              \
            [](const void* given) {                                                             \
                block::name(*static_cast<const std::decay_t<decltype(args)>*>(given));          \
            },                                                                                  \
            block::name##_bytes, block::name##_threads, &simulated::matgrad_bind_kernel_state}, \
           config, args)

template <typename Args>
void launch(const simulated::LinkedKernel& kernel, const cudaLaunchConfig_t& config,
            const Args& args) {
    gpu::check(simulated::launch_linked(config, kernel, &args), "cudaLaunchKernelExC");
}
#endif

cudaLaunchConfig_t blocks_for(std::int64_t work, std::int64_t each, cudaStream_t stream) {
    cudaLaunchConfig_t config{};
    config.gridDim = {static_cast<unsigned>((work + each - 1) / each), 1, 1};
    config.blockDim = {block::kSumThreads, 1, 1};
    config.stream = stream;
    return config;
}

void launch_sum(const cudaLaunchConfig_t& config, const block::SumArgs<float>& args) {
    MATGRAD_PEER_LAUNCH(matgrad_peer_sum_float, config, args);
}
void launch_sum(const cudaLaunchConfig_t& config, const block::SumArgs<double>& args) {
    MATGRAD_PEER_LAUNCH(matgrad_peer_sum_double, config, args);
}
void launch_spread(const cudaLaunchConfig_t& config, const block::SpreadArgs<float>& args) {
    MATGRAD_PEER_LAUNCH(matgrad_peer_spread_float, config, args);
}
void launch_spread(const cudaLaunchConfig_t& config, const block::SpreadArgs<double>& args) {
    MATGRAD_PEER_LAUNCH(matgrad_peer_spread_double, config, args);
}

/// Neighbours in memory go to neighbouring threads, a few to each.
int lanes_for(std::int64_t count) {
    constexpr std::int64_t kEach = 4;
    int lanes = 1;
    while (lanes < block::kSumThreads && lanes * kEach < count) {
        lanes *= 2;
    }
    return lanes;
}

template <typename T>
void enqueue_sum(block::SumArgs<T> args, cudaStream_t stream) {
    args.lanes = lanes_for((args.count + args.parts - 1) / args.parts);
    launch_sum(blocks_for(args.sums, block::kSumThreads / args.lanes, stream), args);
}

}  // namespace

template <typename T>
std::int64_t Sums<T>::parts(std::int64_t batch, std::int64_t count, int multiprocessors) {
    constexpr std::int64_t kLeast = 8192;    // terms of a part: 32 for each thread of its block
    constexpr std::int64_t kBlocksEach = 8;  // as many fit a multiprocessor at once
    const std::int64_t wanted = kBlocksEach * multiprocessors / std::max<std::int64_t>(1, batch);
    return std::max<std::int64_t>(1, std::min(wanted, count / kLeast));
}

template <typename T>
void Sums<T>::run(int term, T weight, const Entries<T>& a, const Entries<T>& b, T* out) const {
    const bool at_once = parts_ == 1;
    enqueue_sum<T>({a.data, b.data, at_once ? out : partial_, a.stride, a.step, b.stride, b.step,
                    count_, parts_, batch_ * parts_, at_once ? weight : T(1), term, 1},
                   stream_);
    if (!at_once) {
        enqueue_sum<T>(
            {partial_, nullptr, out, parts_, 1, 0, 0, parts_, 1, batch_, weight, block::kAlone, 1},
            stream_);
    }
}

template <typename T>
void Sums<T>::products(T weight, const Entries<T>& a, const Entries<T>& b, T* out) const {
    run(block::kProduct, weight, a, b, out);
}

template <typename T>
void Sums<T>::squares(T weight, const Entries<T>& a, T* out) const {
    run(block::kSquare, weight, a, {}, out);
}

template <typename T>
void Sums<T>::logs(T weight, const Entries<T>& a, T* out) const {
    run(block::kLog, weight, a, {}, out);
}

template <typename T>
void spread(const T* from, std::int64_t count, T* to, std::int64_t copies, cudaStream_t stream) {
    if (copies > 0) {
        launch_spread(blocks_for(count * copies, block::kSumThreads * block::kSpreadEach, stream),
                      block::SpreadArgs<T>{from, to, count, count * copies});
    }
}

template class Sums<float>;
template class Sums<double>;
template void spread(const float*, std::int64_t, float*, std::int64_t, cudaStream_t);
template void spread(const double*, std::int64_t, double*, std::int64_t, cudaStream_t);

}  // namespace matgrad::bench
