// What becomes of the fast paths in the compiler's hands: wide accesses, one index, no spills.

#include <gtest/gtest.h>

#include "cuda/device_compiler.hpp"

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

}  // namespace
}  // namespace matgrad::test
