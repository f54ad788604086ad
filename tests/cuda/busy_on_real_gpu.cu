#include <stdexcept>
#include <string>

#include "cuda/busy_stream.hpp"

namespace matgrad::test {
namespace {

void must(cudaError_t code) {
    if (code != cudaSuccess) {
        throw std::runtime_error(std::string("a busy stream: ") + cudaGetErrorString(code));
    }
}

constexpr unsigned long long kPatience = 500'000'000;  // nanoseconds

struct Flags {
    int released, gave_up;
};

__device__ unsigned long long nanoseconds() {
    unsigned long long now = 0;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

/// `flags` lies in memory of the host.
__global__ void spin(volatile Flags* flags) {
    const unsigned long long start = nanoseconds();
    while (flags->released == 0) {
        if (nanoseconds() - start > kPatience) {
            flags->gave_up = 1;
            return;
        }
    }
}

}  // namespace

struct BusyStream::State {
    cudaStream_t stream = nullptr;
    volatile Flags* flags = nullptr;
    ~State() {
        (void)cudaStreamSynchronize(stream);
        (void)cudaFreeHost(const_cast<Flags*>(flags));
    }
};

BusyStream::BusyStream(cudaStream_t stream) : state_(std::make_shared<State>()) {
    void* flags = nullptr;
    must(cudaHostAlloc(&flags, sizeof(Flags), cudaHostAllocMapped));
    state_->stream = stream;
    state_->flags = static_cast<Flags*>(flags);
    state_->flags->released = 0;
    state_->flags->gave_up = 0;
    void* seen = nullptr;
    must(cudaHostGetDevicePointer(&seen, flags, 0));
    spin<<<1, 1, 0, stream>>>(static_cast<Flags*>(seen));
    must(cudaGetLastError());
}

BusyStream::~BusyStream() {
    release();
}

void BusyStream::release() {
    state_->flags->released = 1;
}

bool BusyStream::gave_up() const {
    return state_->flags->gave_up != 0;
}

}  // namespace matgrad::test
