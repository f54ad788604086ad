// The simulated GPU's side of platform.hpp.
//
// There a stream is held by asking that every task runs as late as it can: then nothing runs until
// somebody waits, and a task that is first in the stream tells whether it has run.
#include "platform.hpp"

#include <atomic>
#include <string>

#include "device.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::probe {

bool on_simulated_gpu() {
    return true;
}

struct HeldStreams::State {
    std::vector<cudaStream_t> streams;
    std::shared_ptr<std::optional<Clock::time_point>> first_run =
        std::make_shared<std::optional<Clock::time_point>>();
    std::optional<Clock::time_point> released_at;
};

HeldStreams::HeldStreams(const std::vector<cudaStream_t>& streams, double)
    : state_(std::make_unique<State>()) {
    state_->streams = streams;
    simulated::Schedule late;
    late.eagerness = 0;
    simulated::set_schedule(late);
    for (cudaStream_t stream : streams) {
        must(simulated::enqueue(stream, "the holder",
                                [first_run = state_->first_run] {
                                    if (!*first_run) {
                                        *first_run = Clock::now();
                                    }
                                }),
             "the holder of a stream");
    }
}

HeldStreams::~HeldStreams() {
    release();
    for (cudaStream_t stream : state_->streams) {
        (void)cudaStreamSynchronize(stream);
    }
}

std::optional<HeldStreams::Clock::time_point> HeldStreams::let_go_at() const {
    return *state_->first_run ? *state_->first_run : state_->released_at;
}

void HeldStreams::release() {
    state_->released_at = Clock::now();
    // In another random order each time, over all streams.
    static std::atomic<std::uint64_t> seed = 0;
    simulated::set_schedule({++seed, 1});
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
