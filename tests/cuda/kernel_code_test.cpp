// What becomes of the fast paths in the compiler's hands: wide accesses, one index, no spills.

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "cuda/device_compiler.hpp"
#include "cuda/kernel_source.hpp"

namespace matgrad::test {
namespace {

constexpr const char* kCopies = "#include \"copy_kernels.cuh\"\n";

TEST(CopyKernelCode, CompilesWithoutSpills) {
    expect_clean(kCopies, 4 * 4 + 2);
}

/// A thread has eight entries. Those of a line's end, one by one, are in a loop of one access.
TEST(CopyKernelCode, MovesSixteenBytesOfTheWiderSideAtATime) {
    struct Case {
        const char* types;
        const char *load, *store;
        const char *load_one, *store_one;
        int count;
    };
    const Case cases[] = {{"float_float", "ld.global.v4.f32", "st.global.v4.f32", "ld.global.f32",
                           "st.global.f32", 2},
                          {"float_double", "ld.global.v2.f32", "st.global.v2.f64", "ld.global.f32",
                           "st.global.f64", 4},
                          {"double_float", "ld.global.v2.f64", "st.global.v2.f32", "ld.global.f64",
                           "st.global.f32", 4},
                          {"double_double", "ld.global.v2.f64", "st.global.v2.f64", "ld.global.f64",
                           "st.global.f64", 4}};
    for (const Case& c : cases) {
        for (const std::string kind : {"flat", "lines"}) {
            const std::string code = ptx_of(kCopies, "matgrad_copy_" + kind + "_" + c.types);
            const int ones = kind == "flat" ? 1 : 0;
            EXPECT_EQ(count_of(c.load, code), c.count) << code;
            EXPECT_EQ(count_of(c.store, code), c.count) << code;
            EXPECT_EQ(count_of(c.load_one, code), ones) << code;
            EXPECT_EQ(count_of(c.store_one, code), ones) << code;
        }
    }
}

TEST(CopyKernelCode, HasNoDivisionAndInALineNoMultiplication) {
    for (const std::string types :
         {"float_float", "float_double", "double_float", "double_double"}) {
        for (const std::string kind : {"flat", "lines", "tiles", "entries"}) {
            const std::string code = ptx_of(kCopies, "matgrad_copy_" + kind + "_" + types);
            EXPECT_EQ(count_of("div.", code) + count_of("rem.", code), 0) << code;
            if (kind == "flat") {
                EXPECT_EQ(count_of("mul.", code) + count_of("mad.", code), 0) << code;
            }
        }
    }
}

/// Of a*b a thread has eight entries in groups, or four one by one, in blocks that are not full and
/// where the matrices lie otherwise.
TEST(MapKernelCode, MovesSixteenBytesOfTheWiderSideAtATime) {
    constexpr ScalarType kFloat = ScalarType::float32;
    constexpr ScalarType kDouble = ScalarType::float64;
    const MapBody product{
        {{Use{0}, Broadcast::none}, {Use{1}, Broadcast::none}},
        {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {MapOp::mul, 0, 1, 0}}};
    struct Case {
        ScalarType a, b, out;
        std::vector<std::pair<const char*, int>> accesses;
    };
    const Case cases[] = {
        {kFloat,
         kFloat,
         kFloat,
         {{"ld.global.v4.f32", 4}, {"st.global.v4.f32", 2}, {"ld.global.f32", 8}}},
        {kDouble,
         kDouble,
         kDouble,
         {{"ld.global.v2.f64", 8}, {"st.global.v2.f64", 4}, {"ld.global.f64", 8}}},
        {kFloat,
         kDouble,
         kFloat,
         {{"ld.global.v2.f32", 4}, {"ld.global.v2.f64", 4}, {"st.global.v2.f32", 4}}}};
    for (const Case& c : cases) {
        for (const std::int64_t cols : {16, 31}) {
            gpu::KernelSource source;
            const ScalarType types[] = {c.a, c.b};
            (void)source.add_map(product, 33, cols, c.out, types, c.out);
            const std::string code = ptx_of(source.text(), "map_0");
            for (const auto& [access, count] : c.accesses) {
                EXPECT_EQ(count_of(access, code), count) << access << code;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
