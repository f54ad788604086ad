// Times of the host and of the device for the small things around each call.
#include "device_work.hpp"
#include "part.hpp"
#include "platform.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

struct Small {
    const char* name;
    const char* call;
    std::function<void()> work;
};

void ask_times(const Recorder& recorder) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const Event event;
    const Size most = recorder.small() ? 100 : 65536;
    const Buffer memory(static_cast<std::size_t>(most) * sizeof(void*));
    void** const pointers = memory.as<void*>();
    const Small all[] = {
        {"empty_kernel", "", [&] { launch_empty(stream.get()); }},
        {"thrust_1", "thrust::for_each_n",
         [&] { fill_pointers(pointers, pointers, 8, 1, stream.get()); }},
        {"pointers_1000", "thrust::for_each_n",
         [&] { fill_pointers(pointers, pointers, 8, most / 65, stream.get()); }},
        {"pointers_65536", "thrust::for_each_n",
         [&] { fill_pointers(pointers, pointers, 8, most, stream.get()); }},
        {"memset", "cudaMemsetAsync",
         [&] { MATGRAD_PROBE(cudaMemsetAsync(memory.data(), 0, 64, stream.get())); }},
        {"event", "cudaEventRecord",
         [&] { MATGRAD_PROBE(cudaEventRecord(event.get(), stream.get())); }},
        {"bind", "cublasSetStream, cublasSetWorkspace, cublasSetMathMode, cusolverDnSetStream",
         [&] { handles.bind(stream.get()); }},
        {"is_capturing", "cudaStreamIsCapturing",
         [&] {
             cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
             MATGRAD_PROBE(cudaStreamIsCapturing(stream.get(), &status));
         }},
        {"memory", "cudaMemGetInfo", [] { (void)free_bytes(); }},
    };
    for (const Small& small : all) {
        const double host = stopwatch.host_us(small.work, recorder.small() ? 5 : 500);
        const double device = stopwatch.us(small.work);
        recorder.add({std::string("times.") + small.name,
                      small.call,
                      short_number(host) + " us of the host, " + short_number(device) +
                          " us a call on the stream",
                      {{"host_us", host}, {"device_us", device}}});
    }
}

/// Kernels one by one, and as one graph.
void ask_graph(const Recorder& recorder) {
    constexpr int kKernels = 10;
    const Stream stream;
    const Stopwatch stopwatch(stream, recorder);
    const auto kernels = [&] {
        for (int i = 0; i < kKernels; ++i) {
            launch_empty(stream.get());
        }
    };
    kernels();
    stream.wait();
    MATGRAD_PROBE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
    kernels();
    cudaGraph_t raw = nullptr;
    MATGRAD_PROBE(cudaStreamEndCapture(stream.get(), &raw));
    const Owner<cudaGraph_t, cudaGraphDestroy> graph(raw);
    cudaGraphExec_t made = nullptr;
    MATGRAD_PROBE(cudaGraphInstantiate(&made, graph.get(), 0));
    const Owner<cudaGraphExec_t, cudaGraphExecDestroy> executable(made);
    const auto launch = [&] { MATGRAD_PROBE(cudaGraphLaunch(executable.get(), stream.get())); };
    const int count = recorder.small() ? 3 : 200;
    const double host_each = stopwatch.host_us(kernels, count);
    const double host_graph = stopwatch.host_us(launch, count);
    const double each = stopwatch.us(kernels);
    const double as_graph = stopwatch.us(launch);
    recorder.add({"times.graph_of_10",
                  "cudaGraphLaunch",
                  short_number(host_graph) + " us of the host, " + short_number(as_graph) +
                      " us on the stream; one by one " + short_number(host_each) + " and " +
                      short_number(each),
                  {{"graph_host_us", host_graph},
                   {"graph_us", as_graph},
                   {"each_host_us", host_each},
                   {"each_us", each}}});
}

}  // namespace

void add_time_parts(std::vector<Part>& parts) {
    parts.push_back({"times", Group::facts, 10, true, [](const Recorder& recorder) {
                         ask_times(recorder);
                         ask_graph(recorder);
                     }});
}

}  // namespace matgrad::probe
