#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "cuda/kernels.hpp"

namespace matgrad::gpu {
namespace {

struct DestroyProgram {
    void operator()(nvrtcProgram program) const noexcept { (void)nvrtcDestroyProgram(&program); }
};
using Program = std::unique_ptr<std::remove_pointer_t<nvrtcProgram>, DestroyProgram>;

/// What NVRTC is to compile for: the device itself, or, for a device newer than it, text that the
/// driver compiles on.
struct Target {
    int architecture = 0;  ///< 10 * major + minor
    bool machine_code = true;
    [[nodiscard]] std::string option() const {
        return fmt::format("--gpu-architecture={}_{}", machine_code ? "sm" : "compute",
                           architecture);
    }
};

Target target_for(int architecture) {
    int count = 0;
    MATGRAD_CUDA(nvrtcGetNumSupportedArchs(&count));
    std::vector<int> supported(static_cast<std::size_t>(count));
    MATGRAD_CUDA(nvrtcGetSupportedArchs(supported.data()));
    Target best;
    best.machine_code = false;
    for (const int candidate : supported) {
        if (candidate == architecture) {
            return {architecture, true};
        }
        if (candidate < architecture) {
            best.architecture = std::max(best.architecture, candidate);
        }
    }
    if (best.architecture == 0) {
        throw MachineError(fmt::format(
            "the device has compute capability {}.{}: NVRTC compiles for {}.{} and later",
            architecture / 10, architecture % 10,
            supported.empty() ? 0 : *std::min_element(supported.begin(), supported.end()) / 10,
            supported.empty() ? 0 : *std::min_element(supported.begin(), supported.end()) % 10));
    }
    return best;
}

/// The line of the log that says what is wrong.
std::string first_error(nvrtcProgram program) {
    std::size_t size = 0;
    MATGRAD_CUDA(nvrtcGetProgramLogSize(program, &size));
    std::string log(size, '\0');
    if (size > 0) {
        MATGRAD_CUDA(nvrtcGetProgramLog(program, log.data()));
    }
    log = log.substr(0, log.find('\0'));
    const std::size_t error = log.find("error");
    const std::size_t begin = error == std::string::npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, log.find('\n', begin) - begin);
}

std::vector<char> compile_now(const std::string& source, const Target& target) {
    std::vector<const char*> texts;
    std::vector<const char*> names;
    for (const EmbeddedHeader& header : embedded_headers()) {
        texts.push_back(header.text);
        names.push_back(header.name);
    }
    nvrtcProgram raw = nullptr;
    MATGRAD_CUDA(nvrtcCreateProgram(&raw, source.c_str(), "matgrad_kernels.cu",
                                    static_cast<int>(names.size()), texts.data(), names.data()));
    const Program program(raw);
    const std::string architecture = target.option();
    const char* options[] = {architecture.c_str(), "--std=c++17"};
    const nvrtcResult result =
        nvrtcCompileProgram(raw, static_cast<int>(std::size(options)), options);
    if (result == NVRTC_ERROR_COMPILATION) {
        throw MachineError(fmt::format("NVRTC does not compile a generated kernel ({}): {}",
                                       architecture, first_error(raw)));
    }
    check(result, "nvrtcCompileProgram");
    std::size_t size = 0;
    std::vector<char> code;
    if (target.machine_code) {
        MATGRAD_CUDA(nvrtcGetCUBINSize(raw, &size));
        code.resize(size);
        MATGRAD_CUDA(nvrtcGetCUBIN(raw, code.data()));
    } else {
        MATGRAD_CUDA(nvrtcGetPTXSize(raw, &size));
        code.resize(size);
        MATGRAD_CUDA(nvrtcGetPTX(raw, code.data()));
    }
    return code;
}

}  // namespace

std::shared_ptr<const std::vector<char>> compile(const std::string& source, int major, int minor) {
    using Key = std::pair<int, std::string>;
    // Never destroyed: a plan may be made while static objects are destroyed.
    static auto& mutex = *new std::mutex;
    static auto& compiled = *new std::map<Key, std::shared_ptr<const std::vector<char>>>;
    Key key{10 * major + minor, source};
    {
        const std::lock_guard lock(mutex);
        const auto found = compiled.find(key);
        if (found != compiled.end()) {
            return found->second;
        }
    }
    // Unlocked: others need not wait while this one is compiled. Of two that are equal the first stays.
    auto code =
        std::make_shared<const std::vector<char>>(compile_now(source, target_for(key.first)));
    const std::lock_guard lock(mutex);
    return compiled.emplace(std::move(key), std::move(code)).first->second;
}

}  // namespace matgrad::gpu
