// Libraries of kernels, and launches.

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "simulated_gpu/block_memory.hpp"
#include "simulated_gpu/block_runner.hpp"
#include "simulated_gpu/cubin.hpp"
#include "simulated_gpu/linked_kernel.hpp"
#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

/// What a launch may pass to a kernel.
constexpr unsigned long kMostArgumentBytes = 32764;

struct KernelCode {
    std::string name;
    KernelFunction function = nullptr;
    std::size_t argument_bytes = 0;
    unsigned long most_threads = 0;  ///< its launch bound
    /// By device: how much dynamic shared memory a launch may give, where that was set.
    std::map<int, std::size_t> most_dynamic_set;

    [[nodiscard]] std::size_t most_dynamic(int device) const {
        const auto found = most_dynamic_set.find(device);
        return found == most_dynamic_set.end() ? BlockMemory::kMostStatic : found->second;
    }
};

struct LibraryState {
    void* code = nullptr;
    std::map<std::string, std::shared_ptr<KernelCode>> kernels;

    LibraryState() = default;
    LibraryState(const LibraryState&) = delete;
    LibraryState& operator=(const LibraryState&) = delete;
    ~LibraryState() {
        if (code != nullptr) {
            (void)dlclose(code);
        }
    }
};

std::map<const void*, std::shared_ptr<LibraryState>>& libraries() {
    static auto& all = *new std::map<const void*, std::shared_ptr<LibraryState>>;
    return all;
}

/// The kernel of a handle and its library, which must stay loaded while a launch waits; null for one
/// that is part of the program.
struct Found {
    std::shared_ptr<KernelCode> kernel;
    std::shared_ptr<LibraryState> library;
};

Found find_kernel(const void* handle) {
    for (const auto& [address, library] : libraries()) {
        for (const auto& [name, kernel] : library->kernels) {
            if (kernel.get() == handle) {
                return {kernel, library};
            }
        }
    }
    return {};
}

template <typename T>
T* symbol(const LibraryState& library, const std::string& name) {
    return reinterpret_cast<T*>(dlsym(library.code, name.c_str()));
}

cudaError_t load(cudaLibrary_t* handle, const void* image) {
    const std::optional<Cubin> cubin = read_cubin(image);
    if (!cubin) {
        return cudaErrorInvalidKernelImage;
    }
    // A cubin runs on its own generation of devices only.
    if (cubin->architecture / 10 != 9) {
        return cudaErrorNoKernelImageForDevice;
    }
    const auto library = std::make_shared<LibraryState>();
    library->code = dlopen(cubin->file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library->code == nullptr) {
        report(std::string("a kernel's shared object cannot be opened: ") + dlerror());
        return cudaErrorInvalidKernelImage;
    }
    auto* const bind = symbol<void(KernelState*)>(*library, "matgrad_bind_kernel_state");
    if (bind != nullptr) {
        bind(kernel_state());
    }
    libraries()[library.get()] = library;
    *handle = reinterpret_cast<cudaLibrary_t>(library.get());
    return cudaSuccess;
}

cudaError_t look_up(cudaKernel_t* handle, LibraryState& library, const std::string& name) {
    std::shared_ptr<KernelCode>& kernel = library.kernels[name];
    if (!kernel) {
        auto* const function = symbol<void(const void*)>(library, name);
        const auto* bytes = symbol<const unsigned long>(library, name + "_bytes");
        const auto* threads = symbol<const unsigned long>(library, name + "_threads");
        if (function == nullptr || bytes == nullptr || threads == nullptr) {
            library.kernels.erase(name);
            return cudaErrorSymbolNotFound;
        }
        kernel = std::make_shared<KernelCode>(KernelCode{name, function, *bytes, *threads, {}});
        if (*bytes > kMostArgumentBytes) {
            report("kernel " + name + " takes " + std::to_string(*bytes) +
                   " bytes of arguments: expected at most " + std::to_string(kMostArgumentBytes));
        }
    }
    *handle = reinterpret_cast<cudaKernel_t>(kernel.get());
    return cudaSuccess;
}

cudaError_t check_configuration(const cudaLaunchConfig_t& config, const KernelCode& kernel,
                                int device) {
    constexpr unsigned kMostThreads = 1024;
    constexpr unsigned kMostBlocks = 2147483647;
    const unsigned block = config.blockDim.x;
    const unsigned grid = config.gridDim.x;
    if (block == 0 || block > kMostThreads || grid == 0 || grid > kMostBlocks) {
        report("kernel " + kernel.name + ": a launch of " + std::to_string(grid) + " blocks of " +
               std::to_string(block) + " threads");
        return cudaErrorInvalidConfiguration;
    }
    if (config.blockDim.y * config.blockDim.z * config.gridDim.y * config.gridDim.z != 1) {
        report("kernel " + kernel.name + ": the simulation has blocks and grids of one dimension");
        return cudaErrorInvalidConfiguration;
    }
    if (config.dynamicSmemBytes > kernel.most_dynamic(device)) {
        return cudaErrorInvalidValue;
    }
    return block > kernel.most_threads ? cudaErrorLaunchOutOfResources : cudaSuccess;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const Found& found, const void* arguments,
                   const std::shared_ptr<StreamState>& stream, bool breaks) {
    const unsigned grid = config.gridDim.x;
    const unsigned block = config.blockDim.x;
    const auto* begin = static_cast<const std::byte*>(arguments);
    const std::size_t words = found.kernel->argument_bytes / sizeof(std::max_align_t) + 1;
    const auto copy = std::make_shared<std::vector<std::max_align_t>>(words);
    std::memcpy(copy->data(), begin, found.kernel->argument_bytes);
    const int device = stream->device;
    const BlockMemoryOfLaunch memory{config.dynamicSmemBytes,
                                     found.kernel->most_dynamic(device) > BlockMemory::kMostStatic
                                         ? BlockMemory::kMost
                                         : BlockMemory::kMostStatic};
    const auto run = [=] {
        Simulation& s = simulation();
        if (breaks) {
            s.devices[static_cast<std::size_t>(device)].broken = cudaErrorLaunchFailure;
            return;
        }
        s.launches.push_back(run_kernel({found.kernel->name, found.kernel->function, copy->data(),
                                         grid, block, device, memory}));
    };
    return append(stream, {"kernel " + found.kernel->name, run, nullptr, nullptr});
}

/// A launch whose kernel `find` gives.
template <typename Find>
cudaError_t launch_call(const cudaLaunchConfig_t* config, const void* argument, Find find) {
    const std::lock_guard lock(simulation().mutex);
    // A launch failure is found when the kernel runs, other codes when it is launched.
    std::optional<int> injected = injected_failure("cudaLaunchKernelExC");
    if (injected && *injected != cudaErrorLaunchFailure) {
        return remember(static_cast<cudaError_t>(*injected));
    }
    if (const cudaError_t code = machine_state(); code != cudaSuccess) {
        return remember(code);
    }
    if (config == nullptr || argument == nullptr) {
        return remember(cudaErrorInvalidValue);
    }
    const auto stream = find_stream(config->stream, "cudaLaunchKernelExC");
    const Found found = find();
    if (!found.kernel) {
        report("cudaLaunchKernelExC: no such kernel");
        return remember(cudaErrorInvalidResourceHandle);
    }
    if (!stream || stream->device != current_device()) {
        return remember(cudaErrorInvalidResourceHandle);
    }
    if (const cudaError_t code = check_configuration(*config, *found.kernel, stream->device);
        code != cudaSuccess) {
        return remember(code);
    }
    return remember(launch(*config, found, argument, stream, injected.has_value()));
}

}  // namespace

cudaError_t launch_linked(const cudaLaunchConfig_t& config, const LinkedKernel& kernel,
                          const void* argument) {
    kernel.bind(kernel_state());
    return launch_call(&config, argument, [&] {
        return Found{
            std::make_shared<KernelCode>(KernelCode{
                kernel.name, kernel.function, kernel.argument_bytes, kernel.most_threads, {}}),
            nullptr};
    });
}

cudaError_t load_linked(const LinkedKernel& kernel) {
    return runtime_call("cudaFuncGetAttributes", [&] {
        return kernel.function == nullptr ? cudaErrorInvalidDeviceFunction : cudaSuccess;
    });
}

}  // namespace matgrad::simulated

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption* options,
                                void** values, unsigned option_count,
                                cudaLibraryOption* library_options, void** library_values,
                                unsigned library_option_count) {
    return runtime_call("cudaLibraryLoadData", [&] {
        (void)options, (void)values, (void)library_options, (void)library_values;
        if (library == nullptr || code == nullptr || option_count != 0 ||
            library_option_count != 0) {
            return cudaErrorInvalidValue;
        }
        if (const cudaError_t code_now = forbid_while_capturing(); code_now != cudaSuccess) {
            return code_now;
        }
        return load(library, code);
    });
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
    return release_call("cudaLibraryUnload", [&] {
        const auto found = libraries().find(library);
        if (found == libraries().end()) {
            return cudaErrorInvalidResourceHandle;
        }
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        // Launches that wait, and graphs, hold the library too.
        if (found->second.use_count() > 1) {
            report("cudaLibraryUnload: launches of its kernels have not run, or are in a graph");
        }
        libraries().erase(found);
        return cudaSuccess;
    });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
    return runtime_call("cudaLibraryGetKernel", [&] {
        const auto found = libraries().find(library);
        if (found == libraries().end()) {
            return cudaErrorInvalidResourceHandle;
        }
        if (kernel == nullptr || name == nullptr) {
            return cudaErrorInvalidValue;
        }
        return look_up(kernel, *found->second, name);
    });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
    return runtime_call("cudaFuncGetAttributes", [&] {
        if (attributes == nullptr) {
            return cudaErrorInvalidValue;
        }
        const Found found = find_kernel(function);
        if (!found.kernel) {
            return cudaErrorInvalidDeviceFunction;
        }
        *attributes = {};
        attributes->maxThreadsPerBlock = static_cast<int>(found.kernel->most_threads);
        attributes->maxDynamicSharedSizeBytes =
            static_cast<int>(found.kernel->most_dynamic(current_device()));
        return cudaSuccess;
    });
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
    return runtime_call("cudaFuncSetAttribute", [&] {
        const Found found = find_kernel(function);
        if (!found.kernel) {
            return cudaErrorInvalidDeviceFunction;
        }
        switch (attribute) {
            case cudaFuncAttributeMaxDynamicSharedMemorySize:
                if (value < 0 || static_cast<std::size_t>(value) > BlockMemory::kMost) {
                    return cudaErrorInvalidValue;
                }
                found.kernel->most_dynamic_set[current_device()] = static_cast<std::size_t>(value);
                return cudaSuccess;
            case cudaFuncAttributePreferredSharedMemoryCarveout:
                return value < -1 || value > 100 ? cudaErrorInvalidValue : cudaSuccess;
            default:
                report("cudaFuncSetAttribute: the simulation does not know attribute " +
                       std::to_string(static_cast<int>(attribute)));
                return cudaErrorInvalidValue;
        }
    });
}

/// From threads and dynamic shared memory: registers and static arrays are not known.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function,
                                                          int block, std::size_t dynamic_bytes) {
    return runtime_call("cudaOccupancyMaxActiveBlocksPerMultiprocessor", [&] {
        constexpr int kMostBlocks = 32;
        constexpr int kMostWarps = 64;
        constexpr std::size_t kShared = std::size_t{228} << 10;
        constexpr std::size_t kReserved = 1024;  // of each block
        if (blocks == nullptr || block <= 0) {
            return cudaErrorInvalidValue;
        }
        const Found found = find_kernel(function);
        if (!found.kernel) {
            return cudaErrorInvalidDeviceFunction;
        }
        *blocks = 0;
        if (static_cast<unsigned long>(block) <= found.kernel->most_threads &&
            dynamic_bytes <= found.kernel->most_dynamic(current_device())) {
            *blocks = std::min({kMostBlocks, kMostWarps / ((block + 31) / 32),
                                static_cast<int>(kShared / (dynamic_bytes + kReserved))});
        }
        return cudaSuccess;
    });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function,
                                void** arguments) {
    return launch_call(config, arguments == nullptr ? nullptr : arguments[0],
                       [&] { return find_kernel(function); });
}

}  // extern "C"
