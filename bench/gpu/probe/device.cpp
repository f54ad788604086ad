#include "device.hpp"

#include <algorithm>

namespace matgrad::probe {

CallFailed::CallFailed(const char* call, const std::string& code)
    : std::runtime_error(std::string(call).substr(0, std::string(call).find('(')) + ": " + code) {}

void must(cudaError_t code, const char* call) {
    if (code != cudaSuccess) {
        (void)cudaGetLastError();  // it must not be taken for another call's
        throw CallFailed(call, cudaGetErrorName(code));
    }
}

void must(cublasStatus_t code, const char* call) {
    if (code != CUBLAS_STATUS_SUCCESS) {
        (void)cudaGetLastError();
        throw CallFailed(call, cublasGetStatusName(code));
    }
}

void must(cusolverStatus_t code, const char* call) {
    if (code != CUSOLVER_STATUS_SUCCESS) {
        (void)cudaGetLastError();
        throw CallFailed(call, "cusolverStatus_t " + std::to_string(static_cast<int>(code)));
    }
}

std::string why_no_device() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorInsufficientDriver) {
        int driver = 0;
        int runtime = 0;
        (void)cudaGetLastError();
        (void)cudaDriverGetVersion(&driver);
        (void)cudaRuntimeGetVersion(&runtime);
        if (driver == 0) {
            return "no NVIDIA driver is installed";
        }
        const auto version = [](int number) {
            return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
        };
        return "the NVIDIA driver is for CUDA " + version(driver) + ": expected " +
               version(runtime) + " or later";
    }
    if (code == cudaErrorNoDevice || (code == cudaSuccess && count == 0)) {
        return "the NVIDIA driver finds no device";
    }
    return code == cudaSuccess ? "" : std::string("cudaGetDeviceCount: ") + cudaGetErrorName(code);
}

bool is_shared() {
    int mode = cudaComputeModeDefault;
    MATGRAD_PROBE(cudaDeviceGetAttribute(&mode, cudaDevAttrComputeMode, 0));
    return mode == cudaComputeModeDefault;
}

void hold_context() {
    MATGRAD_PROBE(cudaSetDevice(0));
    MATGRAD_PROBE(cudaFree(nullptr));
}

Stream::Stream() {
    cudaStream_t stream = nullptr;
    MATGRAD_PROBE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    static_cast<Owner&>(*this) = Owner(stream);
}

void Stream::wait() const {
    MATGRAD_PROBE(cudaStreamSynchronize(get()));
}

Event::Event() {
    cudaEvent_t event = nullptr;
    MATGRAD_PROBE(cudaEventCreateWithFlags(&event, cudaEventDefault));
    static_cast<Owner&>(*this) = Owner(event);
}

Buffer::Buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes > 0) {
        void* data = nullptr;
        MATGRAD_PROBE(cudaMalloc(&data, bytes));
        memory_ = Owner<void*, cudaFree>(data);
    }
}

std::vector<std::byte> Buffer::download() const {
    std::vector<std::byte> bytes(bytes_);
    if (bytes_ > 0) {
        MATGRAD_PROBE(cudaMemcpy(bytes.data(), data(), bytes_, cudaMemcpyDeviceToHost));
    }
    return bytes;
}

void copy(const Buffer& to, const Buffer& from, cudaStream_t stream) {
    if (from.bytes() > 0) {
        MATGRAD_PROBE(cudaMemcpyAsync(to.data(), from.data(), from.bytes(),
                                      cudaMemcpyDeviceToDevice, stream));
    }
}

void upload(const Buffer& to, const std::vector<std::byte>& bytes, cudaStream_t stream) {
    if (!bytes.empty()) {
        MATGRAD_PROBE(
            cudaMemcpyAsync(to.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream));
    }
}

std::size_t free_bytes() {
    std::size_t free = 0;
    std::size_t total = 0;
    MATGRAD_PROBE(cudaMemGetInfo(&free, &total));
    return free;
}

Handles::Handles() : workspace_(kWorkspaceBytes) {
    cublasHandle_t blas = nullptr;
    MATGRAD_PROBE(cublasCreate(&blas));
    blas_ = Owner<cublasHandle_t, cublasDestroy>(blas);
    cusolverDnHandle_t solver = nullptr;
    MATGRAD_PROBE(cusolverDnCreate(&solver));
    solver_ = Owner<cusolverDnHandle_t, cusolverDnDestroy>(solver);
    cusolverDnParams_t parameters = nullptr;
    MATGRAD_PROBE(cusolverDnCreateParams(&parameters));
    parameters_ = Owner<cusolverDnParams_t, cusolverDnDestroyParams>(parameters);
}

void Handles::bind(cudaStream_t stream, const Buffer& workspace) const {
    MATGRAD_PROBE(cublasSetStream(blas(), stream));
    MATGRAD_PROBE(cublasSetWorkspace(blas(), workspace.data(), workspace.bytes()));
    MATGRAD_PROBE(cublasSetMathMode(blas(), CUBLAS_DEFAULT_MATH));
    MATGRAD_PROBE(cusolverDnSetStream(solver(), stream));
}

}  // namespace matgrad::probe
