// Compilation with a folder of kernels: what was compiled once is not compiled by the next process.

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "cuda/cache_folder.hpp"
#include "cuda/kernel_bench.hpp"

namespace matgrad::test {
namespace {

namespace fs = std::filesystem;

class CompileCache : public OnSimulatedGpu {
protected:
    CompileCache() {
        const ScalarType type = kDouble;
        const MapBody body{{{Use{0}, Broadcast::none}}, {load_of(0), {MapOp::scale, 0, -1, 3}}};
        (void)source_.add_map(body, 7, 5, type, {&type, 1}, type);
    }
    /// How often a process that begins now calls the compiler for this text.
    [[nodiscard]] int compilations(const std::string& text, int major = 9) const {
        return wait_for(start_process([&] {
            simulated::reset();
            (void)gpu::compile(text, major, 0);
            return static_cast<int>(simulated::calls("nvrtcCompileProgram"));
        }));
    }
    [[nodiscard]] int compilations() const { return compilations(source_.text()); }

    CacheFolder folder_;
    Environment environment_{{"MATGRAD_CACHE", folder_.path().c_str()}};
    gpu::KernelSource source_;
};

TEST_F(CompileCache, AProcessCompilesWhatNoneHasCompiledBefore) {
    ASSERT_TRUE(holds_in_a_process([&] {
        simulated::reset();
        const auto first = gpu::compile(source_.text(), 9, 0);
        const auto second = gpu::compile(source_.text(), 9, 0);
        return first == second && simulated::calls("nvrtcCompileProgram") == 1;
    }));
    EXPECT_EQ(folder_.files().size(), 1U);
    EXPECT_EQ(compilations(), 0);
    EXPECT_EQ(compilations(source_.text() + "// another text\n"), 1);
    EXPECT_EQ(compilations(source_.text(), 8), 1);
    EXPECT_EQ(compilations(source_.text(), 8), 0);
    EXPECT_EQ(folder_.files().size(), 3U);
}

TEST_F(CompileCache, KernelsFromTheDiskAreLoaded) {
    ASSERT_EQ(compilations(), 1);
    EXPECT_TRUE(holds_in_a_process([&] {
        simulated::reset();
        const gpu::Kernels kernels = kernels_of(source_);
        OnDevice from(kDouble, 4, 7, 5);
        OnDevice to(kDouble, 4, 7, 5);
        from.host.fill_random(1);
        const gpu::DeviceView view = from.upload();
        kernels.map(0, {&view, 1}, to.upload(), 4, nullptr);
        MATGRAD_MUST(cudaDeviceSynchronize());
        to.download();
        return to.host.get(3, 6, 4) == 3 * from.host.get(3, 6, 4) &&
               simulated::calls("nvrtcCompileProgram") == 0;
    }));
}

TEST_F(CompileCache, OffWithAnEmptyNameEveryProcessCompiles) {
    const Environment off{{"MATGRAD_CACHE", ""}};
    EXPECT_EQ(compilations(), 1);
    EXPECT_EQ(compilations(), 1);
    EXPECT_TRUE(folder_.files().empty());
}

TEST_F(CompileCache, ADamagedFileIsCompiledAgainAndMended) {
    ASSERT_EQ(compilations(), 1);
    fs::resize_file(folder_.only_file(), fs::file_size(folder_.only_file()) - 1);
    EXPECT_EQ(compilations(), 1);
    EXPECT_EQ(compilations(), 0);
}

TEST_F(CompileCache, AFolderThatCannotBeUsedIsNoError) {
    const Environment bad{{"MATGRAD_CACHE", "/dev/null/kernels"}};
    EXPECT_EQ(compilations(), 1);
}

TEST_F(CompileCache, WhatDoesNotCompileIsNotKept) {
    EXPECT_TRUE(holds_in_a_process([] {
        try {
            (void)gpu::compile("nothing\n", 9, 0);
            return false;
        } catch (const MachineError&) {
            return true;
        }
    }));
    EXPECT_TRUE(folder_.files().empty());
}

TEST(CompileKey, DiffersWhereverTheCompilationDoes) {
    const gpu::EmbeddedHeader headers[] = {{"a", "bc"}, {"d", "ef"}};
    const gpu::EmbeddedHeader other_text[] = {{"a", "bc"}, {"d", "eg"}};
    const gpu::EmbeddedHeader other_name[] = {{"a", "bc"}, {"e", "ef"}};
    const gpu::EmbeddedHeader moved[] = {{"ab", "c"}, {"d", "ef"}};
    const gpu::EmbeddedHeader turned[] = {{"d", "ef"}, {"a", "bc"}};
    const gpu::EmbeddedHeader more[] = {{"a", "bc"}, {"d", "ef"}, {"", ""}};
    const gpu::Compilation same{"NVRTC 13.0", {"sm_90", "c++17"}, "text", headers};
    std::vector<gpu::Compilation> all(14, same);
    all[1].compiler = "NVRTC 13.1";
    all[2].options[0] = "sm_80";
    all[3].options[1] = "c++20";
    all[4].options.emplace_back("");
    all[5].options = {"c++17", "sm_90"};
    all[6].source = "texts";
    all[7].source = "";
    all[8].headers = other_text;
    all[9].headers = other_name;
    all[10].headers = moved;
    all[11].headers = turned;
    all[12].headers = more;
    all[13].headers = {headers, 1};
    std::set<std::string> keys;
    for (const gpu::Compilation& compilation : all) {
        keys.insert(key_of(compilation));
        EXPECT_EQ(key_of(compilation), key_of(gpu::Compilation(compilation)));
    }
    EXPECT_EQ(keys.size(), all.size());
}

TEST(CompileKey, NamesTheCompilerAndTheArchitecture) {
    const gpu::Compilation hopper = gpu::compilation_for("text", 9, 0);
    EXPECT_EQ(hopper.options.front(), "--gpu-architecture=sm_90");
    EXPECT_EQ(hopper.source, "text");
    EXPECT_EQ(hopper.headers.size(), gpu::embedded_headers().size());
    EXPECT_TRUE(hopper.compiler.starts_with("NVRTC " + std::to_string(CUDART_VERSION / 1000) + "." +
                                            std::to_string(CUDART_VERSION % 1000 / 10) + " "))
        << hopper.compiler;
    EXPECT_TRUE(gpu::compilation_for("text", 77, 0)
                    .options.front()
                    .starts_with("--gpu-architecture=compute_"));
}

}  // namespace
}  // namespace matgrad::test
