#include "cuda/compile.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "cuda/checked.hpp"
#include "cuda/kernel_cache.hpp"

namespace matgrad::gpu {
namespace {

constexpr const char* kMachineCode = "--gpu-architecture=sm_";
constexpr const char* kTextForDriver = "--gpu-architecture=compute_";

struct DestroyProgram {
    void operator()(nvrtcProgram program) const noexcept { (void)nvrtcDestroyProgram(&program); }
};
using NvrtcProgram = std::unique_ptr<std::remove_pointer_t<nvrtcProgram>, DestroyProgram>;

/// The option that names what NVRTC compiles for: the device itself, or, for a device newer than it,
/// text that the driver compiles on.
std::string architecture_option(int architecture) {
    int count = 0;
    MATGRAD_CUDA(nvrtcGetNumSupportedArchs(&count));
    std::vector<int> supported(static_cast<std::size_t>(count));
    MATGRAD_CUDA(nvrtcGetSupportedArchs(supported.data()));
    int best = 0;
    for (const int candidate : supported) {
        if (candidate == architecture) {
            return kMachineCode + std::to_string(architecture);
        }
        if (candidate < architecture) {
            best = std::max(best, candidate);
        }
    }
    if (best == 0) {
        throw MachineError(fmt::format(
            "the device has compute capability {}.{}: NVRTC compiles for {}.{} and later",
            architecture / 10, architecture % 10,
            supported.empty() ? 0 : *std::min_element(supported.begin(), supported.end()) / 10,
            supported.empty() ? 0 : *std::min_element(supported.begin(), supported.end()) % 10));
    }
    return kTextForDriver + std::to_string(best);
}

/// The NVRTC of this process. Its version has no number for updates, so the file counts as well.
std::string compiler_name() {
    int major = 0;
    int minor = 0;
    MATGRAD_CUDA(nvrtcVersion(&major, &minor));
    std::string name = fmt::format("NVRTC {}.{}", major, minor);
    Dl_info library{};
    struct stat file {};
    if (::dladdr(reinterpret_cast<const void*>(&nvrtcVersion), &library) != 0 &&
        ::stat(library.dli_fname, &file) == 0) {
        name += fmt::format(" {} {} {}.{:09}", library.dli_fname, file.st_size, file.st_mtim.tv_sec,
                            file.st_mtim.tv_nsec);
    }
    return name;
}

std::string log_of(nvrtcProgram program) {
    std::size_t size = 0;
    MATGRAD_CUDA(nvrtcGetProgramLogSize(program, &size));
    std::string log(size, '\0');
    if (size > 0) {
        MATGRAD_CUDA(nvrtcGetProgramLog(program, log.data()));
    }
    return log.substr(0, log.find('\0'));
}

/// The line of the log that says what is wrong.
std::string first_error(const std::string& log) {
    const std::size_t error = log.find("error");
    const std::size_t begin = error == std::string::npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, log.find('\n', begin) - begin);
}

std::vector<char> compile_or_find(const Compilation& compilation) {
    const KernelCache kept(kernel_cache_folder());
    const std::string key = key_of(compilation);
    if (std::optional<std::vector<char>> code = kept.find(key)) {
        return *std::move(code);
    }
    std::vector<char> code = compile_now(compilation).code;
    kept.keep(key, code);
    return code;
}

}  // namespace

Compiled compile_now(const Compilation& compilation) {
    std::vector<const char*> texts;
    std::vector<const char*> names;
    for (const EmbeddedHeader& header : compilation.headers) {
        texts.push_back(header.text);
        names.push_back(header.name);
    }
    nvrtcProgram raw = nullptr;
    MATGRAD_CUDA(nvrtcCreateProgram(&raw, compilation.source.c_str(), "matgrad_kernels.cu",
                                    static_cast<int>(names.size()), texts.data(), names.data()));
    const NvrtcProgram program(raw);
    std::vector<const char*> options;
    for (const std::string& option : compilation.options) {
        options.push_back(option.c_str());
    }
    const nvrtcResult result =
        nvrtcCompileProgram(raw, static_cast<int>(options.size()), options.data());
    if (result == NVRTC_ERROR_COMPILATION) {
        throw MachineError(fmt::format("NVRTC does not compile a generated kernel ({}): {}",
                                       compilation.options.front(), first_error(log_of(raw))));
    }
    check(result, "nvrtcCompileProgram");
    std::size_t size = 0;
    std::vector<char> code;
    if (compilation.options.front().starts_with(kMachineCode)) {
        MATGRAD_CUDA(nvrtcGetCUBINSize(raw, &size));
        code.resize(size);
        MATGRAD_CUDA(nvrtcGetCUBIN(raw, code.data()));
    } else {
        MATGRAD_CUDA(nvrtcGetPTXSize(raw, &size));
        code.resize(size);
        MATGRAD_CUDA(nvrtcGetPTX(raw, code.data()));
    }
    return {std::move(code), log_of(raw)};
}

Compilation compilation_for(const std::string& source, int major, int minor) {
    return {compiler_name(),
            {architecture_option(10 * major + minor), "--std=c++17"},
            source,
            embedded_headers()};
}

std::string key_of(const Compilation& compilation) {
    std::string key;
    const auto add = [&](std::string_view text) {
        key += fmt::format("{} ", text.size());  // so that no text runs into the next
        key += text;
        key += '\n';
    };
    add(compilation.compiler);
    add(std::to_string(compilation.options.size()));
    for (const std::string& option : compilation.options) {
        add(option);
    }
    for (const EmbeddedHeader& header : compilation.headers) {
        add(header.name);
        add(header.text);
    }
    add(compilation.source);
    return key;
}

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
    auto code = std::make_shared<const std::vector<char>>(
        compile_or_find(compilation_for(source, major, minor)));
    const std::lock_guard lock(mutex);
    return compiled.emplace(std::move(key), std::move(code)).first->second;
}

}  // namespace matgrad::gpu
