// The GPU's side of platform.hpp.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "device.hpp"
#include "platform.hpp"

namespace matgrad::probe {
namespace {

/// Nobody may hold a GPU for longer, whatever becomes of the host.
constexpr unsigned long long kMostNanoseconds = 3'000'000'000ULL;

__global__ void spin(const volatile int* released) {
    unsigned long long begin = 0;
    unsigned long long now = 0;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
    do {
        __nanosleep(1000);
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (*released == 0 && now - begin < kMostNanoseconds);
}

__global__ void nothing() {}

/// A word of the host's memory that kernels can read.
int* make_flag() {
    void* flag = nullptr;
    MATGRAD_PROBE(cudaHostAlloc(&flag, sizeof(int), cudaHostAllocMapped));
    return static_cast<int*>(flag);
}

}  // namespace

bool on_simulated_gpu() {
    return false;
}

struct HeldStreams::State {
    std::vector<cudaStream_t> streams;
    Owner<int*, cudaFreeHost> flag{make_flag()};
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::optional<Clock::time_point> let_go_at;
    std::thread watchdog;

    void release() {
        *static_cast<volatile int*>(flag.get()) = 1;
        if (!let_go_at) {
            let_go_at = Clock::now();
        }
        changed.notify_all();
    }
    void wait() const {
        for (cudaStream_t stream : streams) {
            (void)cudaStreamSynchronize(stream);
        }
    }
};

HeldStreams::HeldStreams(const std::vector<cudaStream_t>& streams, double seconds)
    : state_(std::make_unique<State>()) {
    State& state = *state_;
    *static_cast<volatile int*>(state.flag.get()) = 0;
    void* flag = nullptr;
    MATGRAD_PROBE(cudaHostGetDevicePointer(&flag, state.flag.get(), 0));
    for (cudaStream_t stream : streams) {
        spin<<<1, 1, 0, stream>>>(static_cast<const volatile int*>(flag));
        const cudaError_t code = cudaGetLastError();
        if (code != cudaSuccess) {
            state.release();
            state.wait();
            must(code, "the launch of a kernel that spins");
        }
        state.streams.push_back(stream);
    }
    state.watchdog = std::thread([&state, seconds] {
        std::unique_lock lock(state.mutex);
        const auto end = Clock::now() + std::chrono::duration<double>(seconds);
        if (!state.changed.wait_until(lock, end, [&] { return state.let_go_at.has_value(); })) {
            state.release();
        }
    });
}

HeldStreams::~HeldStreams() {
    release();
    state_->watchdog.join();
    state_->wait();
}

std::optional<HeldStreams::Clock::time_point> HeldStreams::let_go_at() const {
    const std::lock_guard lock(state_->mutex);
    return state_->let_go_at;
}

void HeldStreams::release() {
    const std::lock_guard lock(state_->mutex);
    state_->release();
}

void launch_empty(cudaStream_t stream) {
    nothing<<<1, 1, 0, stream>>>();
    must(cudaGetLastError(), "the launch of an empty kernel");
}

void forget_refusals() {}

}  // namespace matgrad::probe
