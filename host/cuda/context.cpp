#include "cuda/context.hpp"

#include <fmt/format.h>

#include <map>

namespace matgrad::gpu {
namespace {

/// As many calls may enqueue at once on one device; an enqueue takes microseconds.
constexpr int kHandles = 4;

std::unique_ptr<Handles> make_handles() {
    auto handles = std::make_unique<Handles>();
    cublasHandle_t blas = nullptr;
    MATGRAD_CUDA(cublasCreate(&blas));
    handles->blas = BlasHandle(blas);
    cusolverDnHandle_t solver = nullptr;
    MATGRAD_CUDA(cusolverDnCreate(&solver));
    handles->solver = SolverHandle(solver);
    cusolverDnParams_t parameters = nullptr;
    MATGRAD_CUDA(cusolverDnCreateParams(&parameters));
    handles->solver_parameters = SolverParameters(parameters);
    return handles;
}

}  // namespace

Lease::Lease(Lease&& other) noexcept
    : context_(other.context_), handles_(std::exchange(other.handles_, nullptr)) {}

Lease::~Lease() {
    if (handles_ != nullptr) {
        context_->give_back(handles_);
    }
}

Context::Context(const DeviceInfo& info) : info_(info) {
    const CurrentDevice current(info.index);
    for (int i = 0; i < kHandles; ++i) {
        handles_.push_back(make_handles());
        free_.push_back(handles_.back().get());
    }
}

std::shared_ptr<const Context> Context::of(int device) {
    // Never destroyed: the runtime may be gone before static destructors run.
    static auto& mutex = *new std::mutex;
    static auto& contexts = *new std::map<int, std::shared_ptr<const Context>>;
    const std::lock_guard lock(mutex);
    std::shared_ptr<const Context>& context = contexts[device];
    if (!context) {
        const int count = count_devices();
        if (device < 0 || device >= count) {
            throw OperandError(fmt::format(
                "device cuda:{} does not exist: expected an index below {}", device, count));
        }
        context = std::make_shared<const Context>(describe_device(device));
    }
    return context;
}

Lease Context::lease(cudaStream_t stream, void* workspace) const {
    Handles* handles = nullptr;
    {
        std::unique_lock lock(mutex_);
        returned_.wait(lock, [this] { return !free_.empty(); });
        handles = free_.back();
        free_.pop_back();
    }
    Lease lease(*this, handles);
    MATGRAD_CUDA(cublasSetStream(lease.blas(), stream));
    // Setting the stream has put back the library's own workspace.
    MATGRAD_CUDA(cublasSetWorkspace(lease.blas(), workspace, kBlasWorkspaceBytes));
    MATGRAD_CUDA(cublasSetMathMode(lease.blas(), CUBLAS_DEFAULT_MATH));
    MATGRAD_CUDA(cusolverDnSetStream(lease.solver(), stream));
    return lease;
}

void Context::give_back(Handles* handles) const noexcept {
    {
        const std::lock_guard lock(mutex_);
        free_.push_back(handles);  // never grows past what the constructor pushed
    }
    returned_.notify_one();
}

int count_devices() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorInsufficientDriver) {
        int driver = 0;
        (void)cudaGetLastError();
        (void)cudaDriverGetVersion(&driver);
        if (driver == 0) {
            throw MachineError("no NVIDIA driver is installed");
        }
        int runtime = 0;
        MATGRAD_CUDA(cudaRuntimeGetVersion(&runtime));
        throw MachineError(
            fmt::format("the NVIDIA driver is for CUDA {}.{}: expected {}.{} or later",
                        driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10));
    }
    if (code == cudaErrorNoDevice || (code == cudaSuccess && count == 0)) {
        (void)cudaGetLastError();
        throw MachineError("the NVIDIA driver finds no device");
    }
    check(code, "cudaGetDeviceCount");
    return count;
}

DeviceInfo describe_device(int device) {
    cudaDeviceProp properties{};
    MATGRAD_CUDA(cudaGetDeviceProperties(&properties, device));
    const CurrentDevice current(device);
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    MATGRAD_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    return {device,
            properties.name,
            properties.major,
            properties.minor,
            total_bytes,
            free_bytes,
            properties.multiProcessorCount};
}

}  // namespace matgrad::gpu
