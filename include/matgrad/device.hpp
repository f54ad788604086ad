#pragma once
/// \file Where a plan runs: the processor, or NVIDIA GPUs.
///
/// The CUDA executors are a module of their own, opened at first use of a GPU: nothing of CUDA is
/// loaded before, and a machine without a driver has everything else. MATGRAD_CUDA_MODULE in the
/// environment names another file than the one that was installed.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/error.hpp"
#include "matgrad/export.hpp"

namespace matgrad {

enum class DeviceKind {
    automatic,  ///< a GPU if one can be used and is predicted to be faster, else the processor
    cpu,
    cuda,
};

/// By what a GPU does the steps of each problem of a batch.
enum class GpuExecutor {
    automatic,  ///< fused where that can be, else the library
    library,    ///< every step by cuBLAS, cuSOLVER, or a kernel of its own
    fused,  ///< all steps by one generated kernel: each operand is read once and each result written once
};

/// A choice of device: `auto`, `cpu`, `cuda` (the first), `cuda:k`, `cuda:all`.
struct MATGRAD_API Device {
    static constexpr int kAll = -1;  ///< every GPU; a batch in host memory is shared among them

    DeviceKind kind = DeviceKind::cpu;
    int index = 0;  ///< of a GPU, from 0, or kAll
    friend bool operator==(const Device&, const Device&) = default;
};

/// Errors: OperandError for any other word. Does not check that the GPU exists.
[[nodiscard]] MATGRAD_API Device device_from_text(std::string_view text);
[[nodiscard]] MATGRAD_API std::string to_text(const Device& device);

/// One GPU.
struct MATGRAD_API DeviceInfo {
    int index = 0;
    std::string name;
    int major = 0, minor = 0;  ///< compute capability
    std::size_t memory_bytes = 0;
    std::size_t free_bytes = 0;
    int multiprocessors = 0;
};

/// The GPUs of this machine; if there is none that can be used, why, in one line: no driver, no
/// device, built without CUDA, module not found.
struct MATGRAD_API DeviceList {
    std::vector<DeviceInfo> gpus;
    std::string why_none;  ///< empty if there are GPUs
};
/// Opens the module of the CUDA executors, at the first call of a process. Errors: MachineError where
/// memory runs out, else none.
[[nodiscard]] MATGRAD_API DeviceList list_devices();

}  // namespace matgrad
