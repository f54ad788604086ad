// log_det_gram and frobenius, each in one kernel by cuBLASDx that is written by hand: a block computes a
// problem.

#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/cpp_peers/gpu_peer.hpp"
#include "bench/cpp_peers/mathdx/code.hpp"
#include "cuda/owners.hpp"

namespace matgrad::bench {
namespace {

const MathdxPlaces& places() {
    static const MathdxPlaces found = [] {
        Dl_info self{};
        const bool is_known = ::dladdr(reinterpret_cast<const void*>(&places), &self) != 0;
        return mathdx_places(is_known ? self.dli_fname : "");
    }();
    return found;
}

MathdxKernel kernel_on(const PeerTask& task, int device) {
    int major = 0;
    int minor = 0;
    MATGRAD_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    MATGRAD_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
    const std::optional<MathdxKernel> kernel = mathdx_kernel(task, 10 * major + minor);
    if (!kernel) {
        throw MachineError("no kernel with cuBLASDx for these sizes");
    }
    return *kernel;
}

class MathdxPeer final : public GpuPeer {
public:
    MathdxPeer(const PeerTask& task, const PeerPlace& place)
        : stream_(static_cast<cudaStream_t>(place.stopwatch->stream())) {
        MATGRAD_CUDA(cudaSetDevice(place.device));
        const MathdxKernel kernel = kernel_on(task, place.device);
        threads_ = kernel.threads;
        shared_bytes_ = kernel.shared_bytes;
        const std::vector<char> code = code_of(places(), kernel);
        cudaLibrary_t library = nullptr;
        MATGRAD_CUDA(
            cudaLibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
        library_ = gpu::Library(library);
        cudaKernel_t function = nullptr;
        MATGRAD_CUDA(cudaLibraryGetKernel(&function, library, kernel.name.c_str()));
        function_ = reinterpret_cast<const void*>(function);
        // Loads it now: at its first launch, memory would be allocated for its code.
        cudaFuncAttributes attributes{};
        MATGRAD_CUDA(cudaFuncGetAttributes(&attributes, function_));
        constexpr std::size_t kWithoutAsking = 48 << 10;
        if (shared_bytes_ > kWithoutAsking) {
            MATGRAD_CUDA(cudaFuncSetAttribute(function_,
                                              cudaFuncAttributeMaxDynamicSharedMemorySize,
                                              static_cast<int>(shared_bytes_)));
        }
    }

    void enqueue(const PeerTask& task) override {
        block::PeerArgs arguments{task.x.data,   task.a.data,   task.value,
                                  task.gradient, task.x.stride, task.a.stride};
        cudaLaunchConfig_t config{};
        config.gridDim = dim3(static_cast<unsigned>(task.batch));
        config.blockDim = dim3(static_cast<unsigned>(threads_));
        config.dynamicSmemBytes = shared_bytes_;
        config.stream = stream_;
        void* pointers[] = {&arguments};
        MATGRAD_CUDA(cudaLaunchKernelExC(&config, function_, pointers));
    }

private:
    cudaStream_t stream_;
    gpu::Library library_;
    const void* function_ = nullptr;
    int threads_ = 0;
    std::size_t shared_bytes_ = 0;
};

}  // namespace
}  // namespace matgrad::bench

using namespace matgrad::bench;

GpuPeer* matgrad_mathdx_peer(const PeerTask& task, const PeerPlace& place) {
    return new MathdxPeer(task, place);
}

bool matgrad_mathdx_offers(const PeerTask& task, int capability) {
    const std::optional<MathdxKernel> kernel = mathdx_kernel(task, capability);
    return kernel && has_code(places(), *kernel);
}

const char* matgrad_mathdx_absent() {
    static const std::string why = why_absent(places());
    return why.c_str();
}

const char* matgrad_mathdx_version() {
    static const std::string version = cublasdx_version(places());
    return version.c_str();
}
