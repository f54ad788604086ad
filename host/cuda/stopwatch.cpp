#include "cuda/stopwatch.hpp"

#include <fmt/format.h>

#include "cuda/context.hpp"
#include "cuda/owners.hpp"

namespace matgrad::gpu {
namespace {

class GraphRecording final : public Recording {
public:
    GraphRecording(GraphExecutable executable, cudaStream_t stream)
        : executable_(std::move(executable)), stream_(stream) {}
    void replay() const override { MATGRAD_CUDA(cudaGraphLaunch(executable_.get(), stream_)); }

private:
    GraphExecutable executable_;
    cudaStream_t stream_;
};

/// While it lives the stream records what is enqueued on it. Other threads may go on as they like.
class Capture {
public:
    explicit Capture(cudaStream_t stream) : stream_(stream) {
        MATGRAD_CUDA(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
    }
    [[nodiscard]] Graph end() {
        ended_ = true;
        cudaGraph_t graph = nullptr;
        const cudaError_t code = cudaStreamEndCapture(stream_, &graph);
        Graph owned(graph);
        check(code, "cudaStreamEndCapture");
        return owned;
    }
    ~Capture() {
        if (!ended_) {
            cudaGraph_t graph = nullptr;
            (void)cudaStreamEndCapture(stream_, &graph);
            (void)cudaGetLastError();  // that the capture failed is told already
            const Graph owned(graph);
        }
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

private:
    cudaStream_t stream_;
    bool ended_ = false;
};

class EventStopwatch final : public Stopwatch {
public:
    explicit EventStopwatch(int device)
        : device_(Context::of(device)->info().index),
          current_(device_),
          stream_(make_stream()),
          start_(make_event(cudaEventDefault)),
          stop_(make_event(cudaEventDefault)) {}
    ~EventStopwatch() override {
        (void)cudaStreamSynchronize(
            stream_.get());  // what was enqueued before an error uses the memory
    }
    EventStopwatch(const EventStopwatch&) = delete;
    EventStopwatch& operator=(const EventStopwatch&) = delete;

    [[nodiscard]] std::byte* allocate(std::size_t bytes) override {
        memory_.push_back(allocate_device(bytes));
        return memory_.back().get();
    }
    void copy(void* to, const void* from, std::size_t bytes) override {
        MATGRAD_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_.get()));
    }
    void wait() override { MATGRAD_CUDA(cudaStreamSynchronize(stream_.get())); }
    [[nodiscard]] void* stream() const noexcept override { return stream_.get(); }
    void start() override { MATGRAD_CUDA(cudaEventRecord(start_.get(), stream_.get())); }
    [[nodiscard]] double stop() override {
        constexpr double kMilli = 1e-3;
        float elapsed = 0;
        MATGRAD_CUDA(cudaEventRecord(stop_.get(), stream_.get()));
        MATGRAD_CUDA(cudaEventSynchronize(stop_.get()));
        MATGRAD_CUDA(cudaEventElapsedTime(&elapsed, start_.get(), stop_.get()));
        return kMilli * static_cast<double>(elapsed);
    }
    [[nodiscard]] std::unique_ptr<const Recording> record(
        const std::function<void()>& enqueue) override {
        Capture capture(stream_.get());
        enqueue();
        const Graph graph = capture.end();
        cudaGraphExec_t executable = nullptr;
        MATGRAD_CUDA(cudaGraphInstantiate(&executable, graph.get(), 0));
        return std::make_unique<GraphRecording>(GraphExecutable(executable), stream_.get());
    }

private:
    int device_;
    CurrentDevice current_;  // for as long as the stopwatch lives
    std::vector<DeviceMemory> memory_;
    Stream stream_;
    Event start_, stop_;
};

/// Of the library that is loaded, which need not be that of the headers.
template <typename Status>
std::string version_of(Status (*property)(libraryPropertyType, int*)) {
    int parts[3] = {};
    MATGRAD_CUDA(property(MAJOR_VERSION, &parts[0]));
    MATGRAD_CUDA(property(MINOR_VERSION, &parts[1]));
    MATGRAD_CUDA(property(PATCH_LEVEL, &parts[2]));
    return fmt::format("{}.{}.{}", parts[0], parts[1], parts[2]);
}

std::string version_text(int number) {
    return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

}  // namespace

std::unique_ptr<Stopwatch> make_event_stopwatch(int device) {
    return std::make_unique<EventStopwatch>(device);
}

std::vector<Version> cuda_versions() {
    int driver = 0;
    int runtime = 0;
    MATGRAD_CUDA(cudaDriverGetVersion(&driver));
    MATGRAD_CUDA(cudaRuntimeGetVersion(&runtime));
    return {{"CUDA driver", version_text(driver)},
            {"CUDA runtime", version_text(runtime)},
            {"cuBLAS", version_of(cublasGetProperty)},
            {"cuSOLVER", version_of(cusolverGetProperty)}};
}

}  // namespace matgrad::gpu
