#include "cuda/context.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace matgrad::gpu {
namespace {

/// Handles for a question that enqueues nothing.
class AskedSolver {
public:
    explicit AskedSolver(StreamPool<SolverHandles>& pool)
        : pool_(pool), entry_(pool.take_for_question()) {}
    ~AskedSolver() { pool_.give_back(entry_); }
    AskedSolver(const AskedSolver&) = delete;
    AskedSolver& operator=(const AskedSolver&) = delete;
    [[nodiscard]] cusolverDnHandle_t handle() const { return entry_.handles.solver.get(); }
    [[nodiscard]] cusolverDnParams_t parameters() const { return entry_.handles.parameters.get(); }

private:
    StreamPool<SolverHandles>& pool_;
    StreamPool<SolverHandles>::Entry& entry_;
};

Context::SolverBuffer as_buffer(std::size_t device, std::size_t host) {
    return {static_cast<std::int64_t>(device), static_cast<std::int64_t>(host)};
}

}  // namespace

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

Context::SolverBuffer Context::cholesky_buffer(std::int64_t n, cudaDataType type) const {
    const AskedSolver solver(handles_.solver);
    std::size_t device = 0;
    std::size_t host = 0;
    MATGRAD_CUDA(cusolverDnXpotrf_bufferSize(solver.handle(), solver.parameters(),
                                             CUBLAS_FILL_MODE_UPPER, n, type, nullptr, n, type,
                                             &device, &host));
    return as_buffer(device, host);
}

Context::SolverBuffer Context::lu_buffer(std::int64_t n, cudaDataType type) const {
    const AskedSolver solver(handles_.solver);
    std::size_t device = 0;
    std::size_t host = 0;
    MATGRAD_CUDA(cusolverDnXgetrf_bufferSize(solver.handle(), solver.parameters(), n, n, type,
                                             nullptr, n, type, &device, &host));
    return as_buffer(device, host);
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
