#pragma once
/// \file A CUDA graph of one enqueue.

#include "cuda/device_run.hpp"

namespace matgrad::test {

class CapturedGraph {
public:
    CapturedGraph(const DeviceRun& run, cudaStream_t stream) {
        MATGRAD_MUST(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
        try {
            run.enqueue(stream);
        } catch (...) {
            (void)cudaStreamEndCapture(stream, &graph_);
            (void)cudaGraphDestroy(graph_);
            throw;
        }
        MATGRAD_MUST(cudaStreamEndCapture(stream, &graph_));
        MATGRAD_MUST(cudaGraphInstantiate(&executable_, graph_, 0));
    }
    CapturedGraph(const CapturedGraph&) = delete;
    CapturedGraph& operator=(const CapturedGraph&) = delete;
    ~CapturedGraph() {
        (void)cudaGraphExecDestroy(executable_);
        (void)cudaGraphDestroy(graph_);
    }
    [[nodiscard]] cudaGraph_t get() const { return graph_; }
    void launch(cudaStream_t stream) const { MATGRAD_MUST(cudaGraphLaunch(executable_, stream)); }

private:
    cudaGraph_t graph_ = nullptr;
    cudaGraphExec_t executable_ = nullptr;
};

}  // namespace matgrad::test
