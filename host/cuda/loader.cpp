#include "cuda/loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

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
    link_map* object = nullptr;
    const bool found = dladdr1(reinterpret_cast<const void*>(&load_module), &info,
                               reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) != 0 &&
                       object != nullptr;
    if (!found) {
        return {};
    }
    // The program itself has no name there, and its first argument need not be a path.
    const char* name = *object->l_name == 0 ? "/proc/self/exe" : object->l_name;
    std::error_code error;
    const fs::path file = fs::canonical(name, error);
    return error ? fs::path() : file.parent_path();
}

std::vector<fs::path> places() {
    std::vector<fs::path> folders;
    if (const fs::path own = own_folder(); !own.empty()) {
        folders.push_back(own);
        folders.push_back(own / "matgrad");
        for (const char* libraries : {"lib", MATGRAD_MODULE_LIBDIR}) {
            const fs::path folder = (own.parent_path() / libraries / "matgrad").lexically_normal();
            if (folder != folders.back()) {
                folders.push_back(folder);
            }
        }
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

Loaded use(void* library, const std::string& file) {
    void* symbol = dlsym(library, kModuleEntry);
    if (symbol == nullptr) {
        return {nullptr, fmt::format("{} is not a CUDA module of matgrad", file)};
    }
    const Module* module = reinterpret_cast<ModuleEntry>(symbol)(MATGRAD_MODULE_VERSION);
    if (module == nullptr) {
        return {nullptr, fmt::format("the CUDA module {} is of another version: expected {}", file,
                                     MATGRAD_MODULE_VERSION)};
    }
    return {module, ""};
}

Loaded open(const fs::path& file) {
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return {nullptr, fmt::format("the CUDA module cannot be opened: {}", dlerror())};
    }
    return use(library, file.string());
}

/// Where the system looks: the run path of the program first, LD_LIBRARY_PATH.
std::optional<Loaded> open_by_name() {
    void* library = dlopen(MATGRAD_MODULE_FILE, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
        return use(library, MATGRAD_MODULE_FILE);
    }
    const std::string error = dlerror();
    if (error.rfind(MATGRAD_MODULE_FILE, 0) == 0) {
        return std::nullopt;  // the module itself, not one of its libraries
    }
    return Loaded{nullptr, fmt::format("the CUDA module cannot be opened: {}", error)};
}

Loaded find() {
    std::error_code ignored;
    if (const char* named = std::getenv("MATGRAD_CUDA_MODULE"); named != nullptr && *named != 0) {
        const fs::path file = fs::absolute(named, ignored);
        return fs::exists(file, ignored)
                   ? open(file)
                   : Loaded{nullptr,
                            fmt::format("MATGRAD_CUDA_MODULE is {}, which does not exist", named)};
    }
    std::string looked;
    for (const fs::path& file : places()) {
        if (fs::exists(file, ignored)) {
            return open(file);
        }
        looked += (looked.empty() ? "" : ", ") + file.string();
    }
    if (const std::optional<Loaded> loaded = open_by_name()) {
        return *loaded;
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
