// What Thrust algorithms become when they are compiled for the simulated GPU.

#include "on_stream.hpp"
#include "simulated_gpu/machine.hpp"

namespace matgrad::gpu {

void simulated_task(cudaStream_t stream, std::function<void()> task) {
    // Like a launch, it leaves its error for cudaGetLastError.
    const std::optional<int> injected = simulated::injected_failure("thrust");
    (void)simulated::remember(injected ? static_cast<cudaError_t>(*injected)
                                       : simulated::enqueue(stream, "thrust", std::move(task)));
}

}  // namespace matgrad::gpu
