#include "cuda/module.hpp"

#include <cstring>

#include "cuda/context.hpp"
#include "cuda/cuda_executor.hpp"
#include "cuda/kernel_report.hpp"
#include "cuda/kernel_standalone.hpp"
#include "cuda/module_entry.hpp"
#include "cuda/stopwatch.hpp"

namespace matgrad::gpu {
namespace {

class CudaModule final : public Module {
public:
    [[nodiscard]] std::vector<DeviceInfo> devices() const override {
        std::vector<DeviceInfo> devices;
        for (int i = 0, count = count_devices(); i < count; ++i) {
            devices.push_back(describe_device(i));
        }
        return devices;
    }
    [[nodiscard]] std::vector<Version> versions() const override { return cuda_versions(); }
    [[nodiscard]] std::unique_ptr<Stopwatch> make_stopwatch(int device) const override {
        return make_event_stopwatch(device);
    }
    [[nodiscard]] std::unique_ptr<const Executor> make_executor(
        Program program, const ExecutorOptions& options) const override {
        return make_cuda_executor(program, options);
    }
    [[nodiscard]] KernelReport report_kernel(const Program& program, int architecture,
                                             std::int64_t batch) const override {
        return gpu::report_kernel(program, architecture, batch);
    }
    [[nodiscard]] std::string standalone_kernel(const Program& program, int architecture,
                                                std::int64_t batch,
                                                const KernelCheck& check) const override {
        return gpu::standalone_kernel(program, architecture, batch, check);
    }
};

}  // namespace
}  // namespace matgrad::gpu

extern "C" const matgrad::gpu::Module* matgrad_cuda_module(const char* version) {
    static const matgrad::gpu::CudaModule module;
    return std::strcmp(version, MATGRAD_MODULE_VERSION) == 0 ? &module : nullptr;
}
