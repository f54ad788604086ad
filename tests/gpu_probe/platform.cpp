// The simulated GPU's side of platform.hpp.
//
// There a stream is held by asking that every task runs as late as it can: then nothing runs until
// somebody waits, and a task that is first in the stream tells whether it has run.
#include "platform.hpp"

#include <string>

#include "device.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::probe {

bool on_simulated_gpu() {
    return true;
}

struct HeldStream::State {
    cudaStream_t stream = nullptr;
    std::shared_ptr<bool> has_run = std::make_shared<bool>(false);
};

HeldStream::HeldStream(cudaStream_t stream, double) : state_(std::make_unique<State>()) {
    state_->stream = stream;
    simulated::Schedule late;
    late.eagerness = 0;
    simulated::set_schedule(late);
    must(simulated::enqueue(stream, "the holder", [has_run = state_->has_run] { *has_run = true; }),
         "the holder of a stream");
}

HeldStream::~HeldStream() {
    release();
    (void)cudaStreamSynchronize(state_->stream);
}

bool HeldStream::is_held() const {
    return !*state_->has_run;
}

void HeldStream::release() {
    simulated::set_schedule({});
}

void launch_empty(cudaStream_t stream) {
    must(simulated::enqueue(stream, "kernel nothing", [] {}), "the launch of an empty kernel");
}

void forget_refusals() {
    for (const std::string& complaint : simulated::take_complaints()) {
        if (complaint.find("while its stream is being captured") == std::string::npos) {
            simulated::report(complaint);
        }
    }
}

}  // namespace matgrad::probe
