#include "bench/cpp_peers/mathdx/code.hpp"

#include <fmt/format.h>
#include <nvrtc.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "cuda/kernel_cache.hpp"
#include "matgrad/error.hpp"

namespace matgrad::bench {
namespace {

namespace fs = std::filesystem;

void check(nvrtcResult result, const char* call) {
    if (result != NVRTC_SUCCESS) {
        throw MachineError(fmt::format("{} failed with {}", call, nvrtcGetErrorString(result)));
    }
}

struct DestroyProgram {
    void operator()(nvrtcProgram program) const noexcept { (void)nvrtcDestroyProgram(&program); }
};

std::optional<std::string> read(const fs::path& file) {
    const std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return stream ? std::optional(text.str()) : std::nullopt;
}

void write(const fs::path& file, std::string_view text) {
    std::ofstream stream(file, std::ios::binary);
    stream << text << std::flush;
    if (!stream) {
        throw MachineError(fmt::format("{}: could not be written", file.string()));
    }
}

std::string first_error(nvrtcProgram program) {
    std::size_t size = 0;
    check(nvrtcGetProgramLogSize(program, &size), "nvrtcGetProgramLogSize");
    std::string log(size, '\0');
    if (size > 0) {
        check(nvrtcGetProgramLog(program, log.data()), "nvrtcGetProgramLog");
    }
    const std::size_t error = log.find("error");
    const std::size_t begin = error == std::string::npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, log.find_first_of(std::string("\n\0", 2), begin) - begin);
}

/// The headers have functions without a word about where they run.
std::vector<std::string> options_for(const MathdxPlaces& places, int capability) {
    std::vector<std::string> options = {fmt::format("--gpu-architecture=sm_{}", capability),
                                        "--std=c++17", "-default-device"};
    const auto include = [&](const fs::path& folder) {
        options.push_back("--include-path=" + folder.string());
    };
    include(places.root / "include");
    include(places.root / "external/cutlass/include");
    for (const fs::path& folder : places.toolkit) {
        include(folder);
    }
    return options;
}

/// FNV-1a.
std::string hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return fmt::format("{:016x}", hash);
}

/// All of ours that the kernel is made of.
std::string own_text(const MathdxKernel& kernel) {
    std::string text = text_of({&kernel, 1});
    for (const MathdxHeader& header : mathdx_headers()) {
        text += fmt::format("{} {}\n", header.name, header.text);
    }
    return text;
}

fs::path compiled_file(const fs::path& folder, int capability, const char* ending) {
    return folder / fmt::format("sm_{}{}", capability, ending);
}

/// A line of the list of what was compiled ahead.
std::string listed(const MathdxKernel& kernel) {
    return fmt::format("{} {}\n", kernel.name, hash_of(own_text(kernel)));
}

bool is_compiled_ahead(const MathdxPlaces& places, const MathdxKernel& kernel) {
    if (places.compiled.empty()) {
        return false;
    }
    const std::optional<std::string> list =
        read(compiled_file(places.compiled, kernel.capability, ".txt"));
    return list && ("\n" + *list).find("\n" + listed(kernel)) != std::string::npos;
}

std::string key_of(const MathdxPlaces& places, const MathdxKernel& kernel) {
    int major = 0;
    int minor = 0;
    check(nvrtcVersion(&major, &minor), "nvrtcVersion");
    return fmt::format("mathdx peer, NVRTC {}.{}, cuBLASDx {}, sm_{}\n{}", major, minor,
                       cublasdx_version(places), kernel.capability, own_text(kernel));
}

fs::path existing(const fs::path& folder) {
    std::error_code error;
    return !folder.empty() && fs::exists(folder, error) ? folder : fs::path();
}

}  // namespace

MathdxPlaces mathdx_places(const fs::path& library) {
    const char* const given = std::getenv("MATGRAD_MATHDX_ROOT");
    MathdxPlaces places;
    const fs::path root = given != nullptr ? given : MATGRAD_MATHDX_ROOT;
    if (!root.empty() && !existing(root / "include/cublasdx.hpp").empty()) {
        places.root = root;
    }
    const fs::path toolkit = MATGRAD_TOOLKIT_INCLUDE;
    for (const fs::path& folder : {toolkit, toolkit / "cccl"}) {
        if (!existing(folder).empty()) {
            places.toolkit.push_back(folder);
        }
    }
    places.compiled = existing(library.parent_path() / "mathdx_kernels");
    return places;
}

std::string why_absent(const MathdxPlaces& places) {
    if (!places.compiled.empty() || (!places.root.empty() && !places.toolkit.empty())) {
        return "";
    }
    return places.root.empty()
               ? "absent: MATGRAD_MATHDX_ROOT names no folder of nvidia-mathdx"
               : "absent: the headers of CUDA are not where this was built with them";
}

std::string cublasdx_version(const MathdxPlaces& places) {
    if (places.root.empty()) {
        return read(places.compiled / "cublasdx_version.txt").value_or("unknown");
    }
    std::istringstream text(
        read(places.root / "include/cublasdx/cublasdx_version.hpp").value_or(""));
    int number = -1;
    for (std::string word; text >> word;) {
        if (word == "CUBLASDX_VERSION" && text >> number) {
            return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
        }
        text.clear();
    }
    return "unknown";
}

bool has_code(const MathdxPlaces& places, const MathdxKernel& kernel) {
    return (!places.root.empty() && !places.toolkit.empty()) || is_compiled_ahead(places, kernel);
}

std::vector<char> compile(const MathdxPlaces& places, std::span<const MathdxKernel> kernels) {
    std::vector<const char*> names;
    std::vector<const char*> texts;
    for (const MathdxHeader& header : mathdx_headers()) {
        names.push_back(header.name);
        texts.push_back(header.text);
    }
    const std::string text = text_of(kernels);
    nvrtcProgram raw = nullptr;
    check(nvrtcCreateProgram(&raw, text.c_str(), "matgrad_mathdx_peer.cu",
                             static_cast<int>(names.size()), texts.data(), names.data()),
          "nvrtcCreateProgram");
    const std::unique_ptr<std::remove_pointer_t<nvrtcProgram>, DestroyProgram> program(raw);
    const std::vector<std::string> options = options_for(places, kernels.front().capability);
    std::vector<const char*> words;
    words.reserve(options.size());
    for (const std::string& option : options) {
        words.push_back(option.c_str());
    }
    const nvrtcResult result =
        nvrtcCompileProgram(raw, static_cast<int>(words.size()), words.data());
    if (result == NVRTC_ERROR_COMPILATION) {
        throw MachineError(fmt::format("NVRTC does not compile a kernel with cuBLASDx ({}): {}",
                                       options.front(), first_error(raw)));
    }
    check(result, "nvrtcCompileProgram");
    std::size_t size = 0;
    check(nvrtcGetCUBINSize(raw, &size), "nvrtcGetCUBINSize");
    std::vector<char> code(size);
    check(nvrtcGetCUBIN(raw, code.data()), "nvrtcGetCUBIN");
    return code;
}

std::vector<char> code_of(const MathdxPlaces& places, const MathdxKernel& kernel) {
    if (is_compiled_ahead(places, kernel)) {
        if (const std::optional<std::string> code =
                read(compiled_file(places.compiled, kernel.capability, ".cubin"))) {
            return {code->begin(), code->end()};
        }
    }
    if (!has_code(places, kernel)) {
        throw MachineError(
            fmt::format("{} was not compiled ahead, and the headers of nvidia-mathdx "
                        "are not here",
                        kernel.name));
    }
    const gpu::KernelCache kept(gpu::kernel_cache_folder());
    const std::string key = key_of(places, kernel);
    if (std::optional<std::vector<char>> code = kept.find(key)) {
        return *std::move(code);
    }
    std::vector<char> code = compile(places, {&kernel, 1});
    kept.keep(key, code);
    return code;
}

void compile_ahead(const MathdxPlaces& places, std::span<const MathdxKernel> kernels,
                   const fs::path& folder) {
    const std::vector<char> code = compile(places, kernels);
    std::string list;
    for (const MathdxKernel& kernel : kernels) {
        list += listed(kernel);
    }
    std::error_code error;
    fs::create_directories(folder, error);
    const int capability = kernels.front().capability;
    write(compiled_file(folder, capability, ".cubin"), {code.data(), code.size()});
    write(compiled_file(folder, capability, ".txt"), list);
    write(folder / "cublasdx_version.txt", cublasdx_version(places));
}

}  // namespace matgrad::bench
