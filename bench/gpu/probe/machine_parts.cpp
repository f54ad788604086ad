// The device, versions, the sizes of cuSOLVER's buffers, and what handles take of the device's memory.
#include <chrono>

#include "call.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

template <typename GetProperty>
std::string version_of(GetProperty get) {
    std::string text;
    for (const auto type : {MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL}) {
        int number = 0;
        MATGRAD_PROBE(get(type, &number));
        text += (text.empty() ? "" : ".") + std::to_string(number);
    }
    return text;
}

void ask_device(const Recorder& recorder) {
    const auto begin = Clock::now();
    MATGRAD_PROBE(cudaFree(nullptr));
    const double context_us = us_since(begin);
    cudaDeviceProp device{};
    MATGRAD_PROBE(cudaGetDeviceProperties(&device, 0));
    const auto memory = static_cast<std::int64_t>(device.totalGlobalMem);
    recorder.add({"device.name",
                  "",
                  std::string(device.name) + ", " + std::to_string(memory >> 20) + " MiB",
                  {{"compute_capability", std::int64_t{10} * device.major + device.minor},
                   {"bytes", memory},
                   {"multiprocessors", std::int64_t{device.multiProcessorCount}},
                   {"l2_bytes", std::int64_t{device.l2CacheSize}},
                   {"free_bytes", static_cast<std::int64_t>(free_bytes())}}});
    int driver = 0;
    int runtime = 0;
    MATGRAD_PROBE(cudaDriverGetVersion(&driver));
    MATGRAD_PROBE(cudaRuntimeGetVersion(&runtime));
    // Those of the libraries that are loaded, which need not be the headers' ones.
    const std::string blas = version_of(cublasGetProperty);
    const std::string solver = version_of(cusolverGetProperty);
    recorder.add({"device.versions",
                  "",
                  "driver for CUDA " + version_text(driver) + ", runtime " + version_text(runtime) +
                      ", cuBLAS " + blas + ", cuSOLVER " + solver,
                  {{"driver", std::int64_t{driver}},
                   {"runtime", std::int64_t{runtime}},
                   {"cublas", blas},
                   {"cusolver", solver}}});
    recorder.add({"device.context",
                  "cudaFree",
                  std::to_string(static_cast<std::int64_t>(context_us)) + " us to make a context",
                  {{"us", context_us}}});
}

void ask_buffers(const Recorder& recorder) {
    const Handles handles;
    for (const Type type : {Type::f32, Type::f64}) {
        for (const auto fill :
             {CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_FULL}) {
            const bool lu = fill == CUBLAS_FILL_MODE_FULL;
            const std::string which = lu                               ? "xgetrf"
                                      : fill == CUBLAS_FILL_MODE_UPPER ? "xpotrf.upper"
                                                                       : "xpotrf.lower";
            Fact fact{"buffers." + which + "." + name_of(type),
                      lu ? "cusolverDnXgetrf_bufferSize" : "cusolverDnXpotrf_bufferSize",
                      "",
                      {}};
            std::size_t most_host = 0;
            for (const Size n : {1, 16, 64, 256, 512, 1024, 2048, 4096}) {
                const SolverBytes needed =
                    lu ? getrf_bytes(handles, type, n) : potrf_bytes(handles, type, fill, n);
                const std::string at = std::to_string(n);
                fact.values.emplace_back("device_" + at, static_cast<std::int64_t>(needed.device));
                fact.values.emplace_back("host_" + at, static_cast<std::int64_t>(needed.host));
                most_host = std::max(most_host, needed.host);
                if (n == 512 || n == 4096) {
                    fact.answer +=
                        "n " + at + " " + std::to_string(needed.device) + " bytes on the device; ";
                }
            }
            fact.answer += "at most " + std::to_string(most_host) + " on the host";
            recorder.add(fact);
        }
    }
}

/// Time and device memory that something takes.
struct Taken {
    double us = 0;
    std::int64_t bytes = 0;
};

template <typename Work>
Taken taken_by(Work work) {
    const auto free_before = static_cast<std::int64_t>(free_bytes());
    const auto begin = Clock::now();
    work();
    Taken taken;
    taken.us = us_since(begin);
    MATGRAD_PROBE(cudaDeviceSynchronize());
    taken.bytes = free_before - static_cast<std::int64_t>(free_bytes());
    return taken;
}

void add_taken(const Recorder& recorder, const std::string& name, const char* call,
               const Taken& taken) {
    recorder.add({"handles." + name,
                  call,
                  std::to_string(taken.bytes) + " bytes, " +
                      std::to_string(static_cast<std::int64_t>(taken.us)) + " us",
                  {{"bytes", taken.bytes}, {"us", taken.us}}});
}

void ask_handles(const Recorder& recorder) {
    using Blas = Owner<cublasHandle_t, cublasDestroy>;
    using Solver = Owner<cusolverDnHandle_t, cusolverDnDestroy>;
    MATGRAD_PROBE(cudaFree(nullptr));
    std::vector<Blas> blas;
    std::vector<Solver> solvers;
    for (const char* which : {"first", "second", "third"}) {
        add_taken(recorder, std::string("cublas.") + which, "cublasCreate", taken_by([&] {
                      cublasHandle_t handle = nullptr;
                      MATGRAD_PROBE(cublasCreate(&handle));
                      blas.emplace_back(handle);
                  }));
    }
    for (const char* which : {"first", "second", "third"}) {
        add_taken(recorder, std::string("cusolver.") + which, "cusolverDnCreate", taken_by([&] {
                      cusolverDnHandle_t handle = nullptr;
                      MATGRAD_PROBE(cusolverDnCreate(&handle));
                      solvers.emplace_back(handle);
                  }));
    }
    add_taken(recorder, "cublas.destroy_all", "cublasDestroy", taken_by([&] { blas.clear(); }));
    add_taken(recorder, "cusolver.destroy_all", "cusolverDnDestroy",
              taken_by([&] { solvers.clear(); }));
    // With use: what the first call of a handle takes, kernels loaded before by another one.
    const Stream stream;
    const Size n = recorder.small() ? 33 : 128;
    const CallPointer call = potrf_batched_call(Type::f32, n, 4, stream);
    const auto factor = [&](const Handles& handles) {
        call->reset(stream.get());
        call->make(handles, stream.get());
        stream.wait();
    };
    const Handles loads_kernels;
    factor(loads_kernels);
    const Handles fresh;
    add_taken(recorder, "cusolver.first_use", "cusolverDnSpotrfBatched",
              taken_by([&] { factor(fresh); }));
    add_taken(recorder, "cusolver.second_use", "cusolverDnSpotrfBatched",
              taken_by([&] { factor(fresh); }));
}

}  // namespace

void add_device_part(std::vector<Part>& parts) {
    parts.push_back({"device", Group::facts, 20, true, ask_device});
}

void add_handle_part(std::vector<Part>& parts) {
    parts.push_back({"handles", Group::facts, 10, true, ask_handles});
}

void add_buffer_parts(std::vector<Part>& parts) {
    parts.push_back({"buffers", Group::facts, 8, false, ask_buffers});
}

}  // namespace matgrad::probe
