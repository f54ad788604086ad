// NVRTC's place is taken by the host's compiler. A "cubin" is a text that names the shared object.

#include <nvrtc.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "simulated_gpu/cubin.hpp"
#include "simulated_gpu/host_compiler.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

struct _nvrtcProgram {  // NOLINT: NVRTC's name
    matgrad::simulated::DeviceSource source;
    std::string log;
    std::string cubin, ptx;
    bool compiled = false;
};

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

namespace {

constexpr int kArchitectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};

/// Options that change nothing on the host.
const char* const kIgnored[] = {"-default-device",
                                "--include-path=",  // of headers that are not given by name
                                "--device-as-default-execution-space",
                                "-lineinfo",
                                "--generate-line-info",
                                "--fmad=",
                                "-fmad=",
                                "--ftz=",
                                "-ftz=",
                                "--prec-div=",
                                "-prec-div=",
                                "--prec-sqrt=",
                                "-prec-sqrt=",
                                "-std=c++20",
                                "--std=c++20",
                                "-std=c++17",
                                "--std=c++17",
                                "--restrict",
                                "-restrict",
                                "-w",
                                "--disable-warnings",
                                "--extra-device-vectorization",
                                "-extra-device-vectorization",
                                "--maxrregcount=",
                                "-maxrregcount=",
                                "--ptxas-options=",
                                "-split-compile=",
                                "--split-compile=",
                                "--no-cache",
                                "-no-cache",
                                "--minimal",
                                "-minimal",
                                "-diag-suppress=",
                                "--diag-suppress=",
                                "-diag-error=",
                                "--diag-error=",
                                "--dopt=",
                                "-dopt=",
                                "--display-error-number",
                                "--no-display-error-number"};

struct Options {
    bool virtual_architecture = true;
    int architecture = 75;
    std::vector<std::string> definitions;
};

// A "cubin" kept on disk may outlive the shared object that it names: unless the environment names a
// folder, none are kept.
[[maybe_unused]] const int kNoCache = setenv("MATGRAD_CACHE", "", 0);

bool starts_with(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

/// False, with a line in `log`, for an option that NVRTC refuses or that is not known here.
bool read_architecture(const std::string& value, Options& options, std::string& log) {
    const bool real = starts_with(value, "sm_");
    if (real || starts_with(value, "compute_")) {
        const int number = std::atoi(value.c_str() + value.find('_') + 1);
        if (std::find(std::begin(kArchitectures), std::end(kArchitectures), number) !=
            std::end(kArchitectures)) {
            options.virtual_architecture = !real;
            options.architecture = number;
            return true;
        }
    }
    log = "nvrtc: error: invalid value for --gpu-architecture (-arch)";
    return false;
}

bool read_options(const std::vector<std::string>& words, Options& options, std::string& log) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        if (name == "--gpu-architecture" || name == "-arch" || name == "-gpu-architecture") {
            if (equals == std::string::npos && ++i == words.size()) {
                log = "nvrtc: error: missing value for " + name;
                return false;
            }
            if (!read_architecture(equals == std::string::npos ? words[i] : word.substr(equals + 1),
                                   options, log)) {
                return false;
            }
        } else if (starts_with(word, "-D") && word.size() > 2) {
            options.definitions.push_back(word);
        } else if (starts_with(word, "--define-macro=")) {
            options.definitions.push_back("-D" + word.substr(equals + 1));
        } else if (std::none_of(std::begin(kIgnored), std::end(kIgnored), [&](const char* known) {
                       return known[std::strlen(known) - 1] == '=' ? starts_with(word, known)
                                                                   : word == known;
                   })) {
            log = "nvrtc: error: unrecognized option " + word + " found";
            return false;
        }
    }
    return true;
}

nvrtcResult compile(_nvrtcProgram& program, int count, const char* const* words) {
    Options options;
    if (!read_options({words, words + count}, options, program.log)) {
        return NVRTC_ERROR_INVALID_OPTION;
    }
    DeviceSource source = program.source;
    source.definitions = options.definitions;
    Compiled compiled;
    try {
        compiled = compile_for_host(source);
    } catch (const std::exception& error) {
        program.log = error.what();
        return NVRTC_ERROR_INTERNAL_ERROR;
    }
    program.log = compiled.log;
    if (compiled.file.empty()) {
        return NVRTC_ERROR_COMPILATION;
    }
    program.cubin = options.virtual_architecture
                        ? std::string()
                        : make_cubin({compiled.file, options.architecture});
    program.ptx = "// compiled for the host: " + compiled.file + "\n";
    program.compiled = true;
    return NVRTC_SUCCESS;
}

std::optional<nvrtcResult> injected(const char* function) {
    const std::optional<int> code = injected_failure(function);
    return code ? std::optional(static_cast<nvrtcResult>(*code)) : std::nullopt;
}

}  // namespace

extern "C" {

nvrtcResult nvrtcVersion(int* major, int* minor) {
    if (major == nullptr || minor == nullptr) {
        return NVRTC_ERROR_INVALID_INPUT;
    }
    *major = CUDART_VERSION / 1000;
    *minor = CUDART_VERSION % 1000 / 10;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
    if (count == nullptr) {
        return NVRTC_ERROR_INVALID_INPUT;
    }
    *count = static_cast<int>(std::size(kArchitectures));
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
    if (architectures == nullptr) {
        return NVRTC_ERROR_INVALID_INPUT;
    }
    std::copy(std::begin(kArchitectures), std::end(kArchitectures), architectures);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram* program, const char* text, const char* name,
                               int header_count, const char* const* headers,
                               const char* const* header_names) {
    if (const auto code = injected("nvrtcCreateProgram")) {
        return *code;
    }
    if (program == nullptr) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    if (text == nullptr || header_count < 0 ||
        (header_count > 0 && (headers == nullptr || header_names == nullptr))) {
        return NVRTC_ERROR_INVALID_INPUT;
    }
    auto made = std::make_unique<_nvrtcProgram>();
    made->source.name = name == nullptr ? "default_program" : name;
    made->source.text = text;
    for (int i = 0; i < header_count; ++i) {
        made->source.headers.emplace_back(header_names[i], headers[i]);
    }
    *program = made.release();
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) {
    if (program == nullptr || *program == nullptr) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    delete *program;
    *program = nullptr;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int count, const char* const* options) {
    if (const auto code = injected("nvrtcCompileProgram")) {
        return *code;
    }
    if (forbidden_while_capturing("nvrtcCompileProgram")) {
        report("nvrtcCompileProgram while a stream is being captured");
    }
    if (program == nullptr) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    return compile(*program, count, options);
}

nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, std::size_t* bytes) {
    if (program == nullptr || !program->compiled) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    *bytes = program->cubin.size();
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* cubin) {
    if (program == nullptr || !program->compiled) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    std::copy(program->cubin.begin(), program->cubin.end(), cubin);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetPTXSize(nvrtcProgram program, std::size_t* bytes) {
    if (program == nullptr || !program->compiled) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    *bytes = program->ptx.size() + 1;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetPTX(nvrtcProgram program, char* ptx) {
    if (program == nullptr || !program->compiled) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    std::copy_n(program->ptx.c_str(), program->ptx.size() + 1, ptx);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, std::size_t* bytes) {
    if (program == nullptr) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    *bytes = program->log.size() + 1;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* log) {
    if (program == nullptr) {
        return NVRTC_ERROR_INVALID_PROGRAM;
    }
    std::copy_n(program->log.c_str(), program->log.size() + 1, log);
    return NVRTC_SUCCESS;
}

const char* nvrtcGetErrorString(nvrtcResult result) {
    switch (result) {
        case NVRTC_SUCCESS:
            return "NVRTC_SUCCESS";
        case NVRTC_ERROR_OUT_OF_MEMORY:
            return "NVRTC_ERROR_OUT_OF_MEMORY";
        case NVRTC_ERROR_INVALID_INPUT:
            return "NVRTC_ERROR_INVALID_INPUT";
        case NVRTC_ERROR_INVALID_PROGRAM:
            return "NVRTC_ERROR_INVALID_PROGRAM";
        case NVRTC_ERROR_INVALID_OPTION:
            return "NVRTC_ERROR_INVALID_OPTION";
        case NVRTC_ERROR_COMPILATION:
            return "NVRTC_ERROR_COMPILATION";
        case NVRTC_ERROR_INTERNAL_ERROR:
            return "NVRTC_ERROR_INTERNAL_ERROR";
        default:
            return "NVRTC_ERROR unknown";
    }
}

}  // extern "C"
