#include <gtest/gtest.h>

#include "cuda/busy_stream.hpp"
#include "cuda/device_memory.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {

struct BusyStream::State {
    cudaStream_t stream;
    bool released = false;
    bool gave_up = false;
};

BusyStream::BusyStream(cudaStream_t stream) : state_(std::make_shared<State>(State{stream})) {
    simulated::set_schedule({1, 0});  // only what is waited for runs
    MATGRAD_MUST(simulated::enqueue(stream, "a busy stream", [state = state_] {
        state->gave_up = state->gave_up || !state->released;
    }));
}

BusyStream::~BusyStream() {
    (void)cudaStreamSynchronize(state_->stream);
    simulated::set_schedule({});
}

void BusyStream::release() {
    state_->released = true;
}

bool BusyStream::gave_up() const {
    return state_->gave_up;
}

}  // namespace matgrad::test
