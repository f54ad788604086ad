#include "cuda/loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

namespace matgrad::gpu {
namespace {

namespace fs = std::filesystem;

const Module* linked_module = nullptr;

/// The folder of the program or library that this code was linked into.
fs::path own_folder() {
    Dl_info info{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what dladdr asks for
    if (dladdr(reinterpret_cast<const void*>(&load_module), &info) == 0 ||
        info.dli_fname == nullptr) {
        return {};
    }
    std::error_code ignored;
    const fs::path file = fs::canonical(info.dli_fname, ignored);
    return ignored ? fs::path() : file.parent_path();
}

std::vector<fs::path> places() {
    if (const char* file = std::getenv("MATGRAD_CUDA_MODULE"); file != nullptr && *file != 0) {
        return {file};
    }
    std::vector<fs::path> folders;
    if (const fs::path own = own_folder(); !own.empty()) {
        folders = {own / "matgrad", own.parent_path() / "lib" / "matgrad"};
    }
    folders.emplace_back(MATGRAD_MODULE_INSTALLED);
    for (fs::path& folder : folders) {
        folder /= MATGRAD_MODULE_FILE;
    }
    return folders;
}

struct Loaded {
    const Module* module = nullptr;
    std::string why;
};

Loaded open(const fs::path& file) {
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return {nullptr, fmt::format("the CUDA module cannot be opened: {}", dlerror())};
    }
    void* symbol = dlsym(library, kModuleEntry);
    if (symbol == nullptr) {
        return {nullptr, fmt::format("{} is not a CUDA module of matgrad", file.string())};
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as POSIX has it
    const Module* module = reinterpret_cast<ModuleEntry>(symbol)(MATGRAD_MODULE_VERSION);
    if (module == nullptr) {
        return {nullptr, fmt::format("{} is of another version: expected {}", file.string(),
                                     MATGRAD_MODULE_VERSION)};
    }
    return {module, ""};
}

Loaded find() {
    std::string looked;
    for (const fs::path& file : places()) {
        std::error_code ignored;
        if (fs::exists(file, ignored)) {
            return open(file);
        }
        looked += (looked.empty() ? "" : ", ") + file.string();
    }
    return {nullptr, MATGRAD_BUILT_WITH_CUDA != 0
                         ? fmt::format("the CUDA module was not found; looked for {}", looked)
                         : std::string("this build has no CUDA executors")};
}

}  // namespace

const Module* load_module(std::string& why) {
    if (linked_module != nullptr) {
        return linked_module;
    }
    // Never closed: what it made may outlive everything else.
    static const Loaded loaded = find();
    why = loaded.why;
    return loaded.module;
}

void use_linked_module(const Module* module) {
    linked_module = module;
}

}  // namespace matgrad::gpu
