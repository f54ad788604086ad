#include "cuda/device_compiler.hpp"

#include <gtest/gtest.h>
#include <nvrtc.h>

#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <stdexcept>
#include <vector>

#include "cuda/checked.hpp"
#include "cuda/kernel_source.hpp"

// These tests link NVRTC alone of the libraries that host/cuda/checked.cpp knows.
void matgrad::gpu::check(nvrtcResult code, const char* call, const char*, int) {
    if (code != NVRTC_SUCCESS) {
        throw std::runtime_error(std::string(call) + ": " + nvrtcGetErrorString(code));
    }
}

namespace matgrad::test {
namespace {

using gpu::check;

struct Compiled {
    std::string log;  ///< warnings, an error, or the memory that each kernel takes
    std::string ptx;
};

Compiled compile(const std::string& text, const char* architecture) {
    std::vector<const char*> texts;
    std::vector<const char*> names;
    for (const gpu::EmbeddedHeader& header : gpu::embedded_headers()) {
        texts.push_back(header.text);
        names.push_back(header.name);
    }
    nvrtcProgram program = nullptr;
    check(nvrtcCreateProgram(&program, text.c_str(), "kernels.cu", static_cast<int>(names.size()),
                             texts.data(), names.data()),
          "nvrtcCreateProgram");
    // What nvcc compiles into the module is not embedded.
    const char* options[] = {architecture,
                             "--std=c++17",
                             "--ptxas-options=-v",
                             "--include-path=" MATGRAD_KERNELS,
                             "--include-path=" MATGRAD_KERNELS "/block",
                             "--include-path=" MATGRAD_TEST_KERNELS};
    const nvrtcResult result =
        nvrtcCompileProgram(program, static_cast<int>(std::size(options)), options);
    Compiled compiled;
    std::size_t size = 0;
    check(nvrtcGetProgramLogSize(program, &size), "nvrtcGetProgramLogSize");
    compiled.log.resize(size);
    check(nvrtcGetProgramLog(program, compiled.log.data()), "nvrtcGetProgramLog");
    if (result == NVRTC_SUCCESS) {
        check(nvrtcGetPTXSize(program, &size), "nvrtcGetPTXSize");
        compiled.ptx.resize(size);
        check(nvrtcGetPTX(program, compiled.ptx.data()), "nvrtcGetPTX");
    } else {
        compiled.log = "error: " + compiled.log;
    }
    check(nvrtcDestroyProgram(&program), "nvrtcDestroyProgram");
    return compiled;
}

/// One of three, chosen by the text, so the same in every run; with MATGRAD_EVERY_ARCHITECTURE in the
/// environment all of them.
std::vector<const char*> architectures_for(const std::string& text) {
    static constexpr const char* kArchitectures[] = {
        "--gpu-architecture=sm_80", "--gpu-architecture=sm_90", "--gpu-architecture=sm_100"};
    if (std::getenv("MATGRAD_EVERY_ARCHITECTURE") != nullptr) {
        return {std::begin(kArchitectures), std::end(kArchitectures)};
    }
    return {kArchitectures[std::hash<std::string>{}(text) % std::size(kArchitectures)]};
}

}  // namespace

void expect_clean(const std::string& text, std::size_t kernels, bool stack) {
    for (const char* architecture : architectures_for(text)) {
        const std::string log = compile(text, architecture).log;
        EXPECT_EQ(log.find("error"), std::string::npos) << log << text;
        EXPECT_EQ(log.find("warning"), std::string::npos) << log << text;
        const std::regex sizes(
            "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
        std::size_t found = 0;
        for (std::sregex_iterator at(log.begin(), log.end(), sizes), end; at != end; ++at) {
            const std::smatch& match = *at;
            ++found;
            EXPECT_EQ(match[2], "0") << log << text;
            EXPECT_EQ(match[3], "0") << log << text;
            if (!stack) {
                EXPECT_EQ(match[1], "0") << log << text;
            }
        }
        EXPECT_GE(found, kernels) << log;
    }
}

std::string ptx_of(const std::string& text, const std::string& kernel) {
    static std::map<std::string, Compiled> known;
    const auto [entry, is_new] = known.try_emplace(text);
    Compiled& compiled = entry->second;
    if (is_new) {
        compiled = compile(text, "--gpu-architecture=compute_90");
    }
    const std::size_t begin = compiled.ptx.find(".entry " + kernel + "(");
    if (begin == std::string::npos) {
        throw std::runtime_error("no kernel " + kernel + ": " + compiled.log);
    }
    return compiled.ptx.substr(begin, compiled.ptx.find(".entry ", begin + 1) - begin);
}

int count_of(const std::string& what, const std::string& text) {
    int count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + what.size())) {
        ++count;
    }
    return count;
}

}  // namespace matgrad::test
