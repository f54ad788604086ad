#pragma once
/// \file The primitives of kernels/block/ on the simulated GPU, each in a kernel of its own
/// (primitive_kernels.cuh); many kernels are compiled at once.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {

/// What all primitive_kernels.cuh's kernels take.
struct PrimitiveArgs {
    const double* a;
    const double* b;
    double* x;
    int* status;
    int* pivots;
    long long batch;
};

inline std::string text_of_file(const std::filesystem::path& file) {
    const std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    EXPECT_TRUE(stream) << file;
    return text.str();
}

/// A kernel: its team, in device code and in threads and problems a block.
struct PrimitiveTeam {
    const char* name;
    unsigned threads;
    unsigned problems;
};
inline constexpr PrimitiveTeam kThreadTeam = {"ThreadTeam", 32, 32};
inline constexpr PrimitiveTeam kWarpTeam = {"WarpTeam", 128, 4};
inline constexpr PrimitiveTeam kBlockTeams[] = {
    {"BlockTeam<64>", 64, 1}, {"BlockTeam<128>", 128, 1}, {"BlockTeam<256>", 256, 1}};

/// The text of kernels that call templates of primitive_kernels.cuh.
class PrimitiveText {
public:
    /// Returns the kernel's name. `call`: "potrf_case<{}, double, double, 5, true>", {} for the team.
    std::string add(const PrimitiveTeam& team, const std::string& call) {
        std::string name = fmt::format("kernel_{}", count_++);
        text_ += fmt::format("MATGRAD_KERNEL({}, PrimitiveArgs, {}) {{ {}(args); }}\n", name,
                             team.threads, fmt::vformat(call, fmt::make_format_args(team.name)));
        return name;
    }
    [[nodiscard]] std::string text() const {
        return "#include \"primitive_kernels.cuh\"\nnamespace matgrad::block {\n" + text_ + "}\n";
    }

private:
    std::string text_;
    int count_ = 0;
};

/// A loaded text.
class PrimitiveLibrary {
public:
    explicit PrimitiveLibrary(const std::string& text) {
        const std::filesystem::path kernels = MATGRAD_KERNELS;
        std::vector<std::string> names = {"device.cuh", "primitive_kernels.cuh"};
        std::vector<std::string> texts = {"",  // the twin takes its place
                                          text_of_file(MATGRAD_PRIMITIVE_KERNELS)};
        for (const auto& entry : std::filesystem::directory_iterator(kernels / "block")) {
            names.push_back(entry.path().filename().string());
            texts.push_back(text_of_file(entry.path()));
        }
        std::vector<const char*> name_pointers;
        std::vector<const char*> text_pointers;
        for (std::size_t i = 0; i < names.size(); ++i) {
            name_pointers.push_back(names[i].c_str());
            text_pointers.push_back(texts[i].c_str());
        }
        nvrtcProgram program = nullptr;
        EXPECT_EQ(nvrtcCreateProgram(&program, text.c_str(), "primitives.cu",
                                     static_cast<int>(names.size()), text_pointers.data(),
                                     name_pointers.data()),
                  NVRTC_SUCCESS);
        const char* const options[] = {"--gpu-architecture=sm_90"};
        const nvrtcResult result = nvrtcCompileProgram(program, 1, options);
        std::size_t bytes = 0;
        EXPECT_EQ(nvrtcGetProgramLogSize(program, &bytes), NVRTC_SUCCESS);
        std::string log(bytes, ' ');
        EXPECT_EQ(nvrtcGetProgramLog(program, log.data()), NVRTC_SUCCESS);
        EXPECT_EQ(result, NVRTC_SUCCESS) << log;
        if (result == NVRTC_SUCCESS) {
            EXPECT_EQ(nvrtcGetCUBINSize(program, &bytes), NVRTC_SUCCESS);
            std::string cubin(bytes, ' ');
            EXPECT_EQ(nvrtcGetCUBIN(program, cubin.data()), NVRTC_SUCCESS);
            EXPECT_EQ(cudaLibraryLoadData(&library_, cubin.c_str(), nullptr, nullptr, 0, nullptr,
                                          nullptr, 0),
                      cudaSuccess);
        }
        EXPECT_EQ(nvrtcDestroyProgram(&program), NVRTC_SUCCESS);
    }
    ~PrimitiveLibrary() { (void)cudaLibraryUnload(library_); }
    PrimitiveLibrary(const PrimitiveLibrary&) = delete;
    PrimitiveLibrary& operator=(const PrimitiveLibrary&) = delete;

    void launch(const std::string& kernel, const PrimitiveTeam& team, std::size_t bytes,
                const PrimitiveArgs& args) const {
        cudaKernel_t function = nullptr;
        ASSERT_EQ(cudaLibraryGetKernel(&function, library_, kernel.c_str()), cudaSuccess);
        ASSERT_EQ(cudaFuncSetAttribute(reinterpret_cast<const void*>(function),
                                       cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(bytes)),
                  cudaSuccess);
        cudaLaunchConfig_t config{};
        config.gridDim = {(static_cast<unsigned>(args.batch) + team.problems - 1) / team.problems,
                          1, 1};
        config.blockDim = {team.threads, 1, 1};
        config.dynamicSmemBytes = bytes;
        PrimitiveArgs copy = args;
        void* pointer = &copy;
        ASSERT_EQ(cudaLaunchKernelExC(&config, function, &pointer), cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }

private:
    cudaLibrary_t library_ = nullptr;
};

/// Of a matrix of OnChip in primitive_kernels.cuh.
inline std::size_t bytes_on_chip(std::size_t rows, std::size_t cols, std::size_t of_entry) {
    return (rows * (cols | 1) * of_entry + 15) / 16 * 16;
}

/// Problems of one shape, row-major.
struct Batch {
    std::size_t rows = 0, cols = 0;
    std::vector<double> entries;

    Batch(std::size_t batch, std::size_t m, std::size_t n)
        : rows(m), cols(n), entries(batch * m * n) {}
    [[nodiscard]] double& at(std::size_t p, std::size_t r, std::size_t c) {
        return entries[(p * rows + r) * cols + c];
    }
    [[nodiscard]] double at(std::size_t p, std::size_t r, std::size_t c) const {
        return entries[(p * rows + r) * cols + c];
    }
    /// Numbers that are the same in float.
    void fill_random(unsigned seed) {
        std::mt19937 random(seed);
        std::uniform_real_distribution<float> number(-1, 1);
        for (double& entry : entries) {
            entry = number(random);
        }
    }
    /// The last problem becomes equal to the first.
    void repeat_first() {
        std::copy_n(entries.begin(), rows * cols,
                    entries.end() - static_cast<std::ptrdiff_t>(rows * cols));
    }
    void expect_repeated() const {
        EXPECT_TRUE(std::equal(entries.begin(),
                               entries.begin() + static_cast<std::ptrdiff_t>(rows * cols),
                               entries.end() - static_cast<std::ptrdiff_t>(rows * cols)))
            << "one problem at two places of the batch";
    }
    /// Not in the way where it is empty: device memory has at least one entry.
    [[nodiscard]] std::vector<double> for_device() const {
        return entries.empty() ? std::vector<double>(1) : entries;
    }
};

[[nodiscard]] inline double unit_of(bool is_double) {
    return is_double ? std::numeric_limits<double>::epsilon() / 2
                     : static_cast<double>(std::numeric_limits<float>::epsilon()) / 2;
}

}  // namespace matgrad::simulated
