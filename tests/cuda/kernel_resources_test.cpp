// What a kernel takes of a multiprocessor: the log of ptxas, and occupancy beside that of the toolkit's own calculator.

#include "cuda/kernel_resources.hpp"

#include <cuda_occupancy.h>
#include <gtest/gtest.h>

namespace matgrad::gpu {
namespace {

cudaOccDeviceProp properties_of(const ArchitectureLimits& limits) {
    cudaOccDeviceProp p;
    p.computeMajor = limits.number / 10;
    p.computeMinor = limits.number % 10;
    p.maxThreadsPerBlock = 1024;
    p.maxThreadsPerMultiprocessor = 2048;
    p.regsPerBlock = 65536;
    p.regsPerMultiprocessor = 65536;
    p.warpSize = 32;
    p.numSms = 100;
    p.sharedMemPerBlock = std::size_t{48} << 10;
    p.sharedMemPerMultiprocessor = (limits.number == 80 ? std::size_t{164} : 228) << 10;
    p.sharedMemPerBlockOptin = (limits.number == 80 ? std::size_t{163} : 227) << 10;
    p.reservedSharedMemPerBlock = 1024;
    return p;
}

std::int64_t blocks_by_toolkit(const ArchitectureLimits& limits, int threads, int registers,
                               std::size_t bytes) {
    const cudaOccDeviceProp properties = properties_of(limits);
    cudaOccFuncAttributes attributes;
    attributes.maxThreadsPerBlock = threads;
    attributes.numRegs = registers;
    attributes.sharedSizeBytes = 0;
    attributes.partitionedGCConfig = PARTITIONED_GC_OFF;
    attributes.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
    attributes.maxDynamicSharedSizeBytes = bytes;
    attributes.numBlockBarriers = 1;
    cudaOccDeviceState state;
    state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
    cudaOccResult result{};
    EXPECT_EQ(cudaOccMaxActiveBlocksPerMultiprocessor(&result, &properties, &attributes, &state,
                                                      threads, bytes),
              CUDA_OCC_SUCCESS);
    return result.activeBlocksPerMultiprocessor;
}

TEST(Occupancy, IsThatOfTheToolkitsCalculator) {
    for (const int architecture : {80, 90, 100}) {
        const ArchitectureLimits* limits = limits_of(architecture);
        ASSERT_NE(limits, nullptr);
        for (const int threads : {32, 64, 128, 256, 1024}) {
            for (const int registers : {16, 33, 64, 97, 128, 168, 255}) {
                for (const std::size_t bytes :
                     {0, 100, 5000, 10896, 43584, 90000, 166912, 167936, 232448, 232449}) {
                    EXPECT_EQ(
                        occupancy_of(*limits, threads, registers, static_cast<std::int64_t>(bytes))
                            .blocks,
                        blocks_by_toolkit(*limits, threads, registers, bytes))
                        << architecture << ": " << threads << " threads, " << registers
                        << " registers, " << bytes << " bytes";
                }
            }
        }
    }
}

TEST(Occupancy, SaysWhatLimitsIt) {
    const ArchitectureLimits& limits = *limits_of(90);
    EXPECT_STREQ(occupancy_of(limits, 128, 168, 0).limit, "registers");
    EXPECT_STREQ(occupancy_of(limits, 128, 32, 43584).limit, "block memory");
    EXPECT_STREQ(occupancy_of(limits, 128, 32, 0).limit, "threads");
    EXPECT_STREQ(occupancy_of(limits, 32, 32, 0).limit, "blocks");
    EXPECT_EQ(occupancy_of(limits, 128, 168, 0).warps, 12);
}

TEST(Limits, AreKnownOfThreeArchitectures) {
    EXPECT_EQ(architecture_names(), "sm_80, sm_90, sm_100");
    EXPECT_EQ(limits_of(75), nullptr);
}

constexpr const char* kLog =
    "ptxas info    : 0 bytes gmem\n"
    "ptxas info    : Compiling entry function 'fused_1' for 'sm_90'\n"
    "ptxas info    : Function properties for fused_1\n"
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 40 registers, used 0 barriers\n"
    "ptxas info    : Compiling entry function 'fused_0' for 'sm_90'\n"
    "ptxas info    : Function properties for fused_0\n"
    "    96 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads\n"
    "ptxas info    : Used 168 registers, used 1 barriers, 96 bytes cumulative stack size, 512 "
    "bytes smem\n";

TEST(Resources, AreThoseOfTheKernelThatIsNamed) {
    const std::optional<KernelResources> found = resources_of(kLog, "fused_0");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->registers, 168);
    EXPECT_EQ(found->stack_bytes, 96);
    EXPECT_EQ(found->spill_store_bytes, 12);
    EXPECT_EQ(found->spill_load_bytes, 8);
    EXPECT_EQ(found->static_bytes, 512);
    EXPECT_EQ(resources_of(kLog, "fused_1")->static_bytes, 0);
}

TEST(Resources, AreNotKnownWhereTheLogDoesNotSay) {
    EXPECT_FALSE(resources_of(kLog, "fused_2"));
    EXPECT_FALSE(resources_of("", "fused_0"));
    EXPECT_FALSE(resources_of("Compiling entry function 'fused_0' for 'sm_90'\n", "fused_0"));
}

}  // namespace
}  // namespace matgrad::gpu
