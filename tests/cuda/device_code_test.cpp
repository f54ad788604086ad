// What becomes of the functions of device.cuh for warps and block memory in the compiler's hands.

#include <gtest/gtest.h>

#include "cuda/cache_folder.hpp"
#include "cuda/device_compiler.hpp"

namespace matgrad::test {
namespace {

constexpr const char* kKernel = R"(#include "device.cuh"
namespace matgrad::block {
struct Args {
    const float* from;
    double* to;
    long long n;
};
MATGRAD_DEVICE double get(const double* from MATGRAD_PLACE_PARAMETER) {
    return load_shared(from MATGRAD_PLACE);
}
MATGRAD_KERNEL(all, Args, 64) {
    MATGRAD_BLOCK_MEMORY(memory, 200 * 1024);
    Pack<float, 4>* const packs = reinterpret_cast<Pack<float, 4>*>(memory);
    double* const numbers = reinterpret_cast<double*>(memory + 100 * 1024);
    const int t = thread_index();
    store_shared(packs + t, load(reinterpret_cast<const Pack<float, 4>*>(args.from) + t));
    warp_barrier();
    const Pack<float, 4> pack = load_shared(packs + (t ^ 1));
    double sum = pack.entries[0] + pack.entries[1];
    sum += from_lane(pack.entries[2], 3) + from_neighbour(pack.entries[3], 1);
    MATGRAD_NO_UNROLL
    for (int i = 0; i < 7; ++i) {
        store_shared(numbers + t + i * 64, sum * i);
    }
    barrier();
    store(args.to + t, get(numbers + 63 - t));
}
}  // namespace matgrad::block
)";

TEST(DeviceCode, OfWarpsAndBlockMemoryCompilesForEveryArchitecture) {
    const Environment every{{"MATGRAD_EVERY_ARCHITECTURE", "1"}};
    expect_clean(kKernel, 1);
}

TEST(DeviceCode, OfWarpsAndBlockMemoryIsTheInstructionsMeant) {
    const std::string code = ptx_of(kKernel, "all");
    EXPECT_EQ(count_of("bar.warp.sync", code), 1) << code;
    EXPECT_EQ(count_of("bar.sync", code) + count_of("barrier.sync", code), 1) << code;
    EXPECT_EQ(count_of("shfl.sync.idx", code), 1) << code;
    EXPECT_EQ(count_of("shfl.sync.down", code), 1) << code;
    EXPECT_EQ(count_of("st.shared.v4.f32", code), 1) << code;
    EXPECT_EQ(count_of("ld.shared.v4.f32", code), 1) << code;
    EXPECT_EQ(count_of("ld.shared.f64", code), 1) << code;
    EXPECT_EQ(count_of("st.shared.f64", code), 1) << code;  // in a loop
}

}  // namespace
}  // namespace matgrad::test
