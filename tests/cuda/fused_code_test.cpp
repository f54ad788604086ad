// What becomes of the primitives of kernels/block/ in the compiler's hands: rows and sides in registers, no
// spills.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "cuda/device_compiler.hpp"

namespace matgrad::test {
namespace {

struct Team {
    const char* name;
    int threads;
};
constexpr Team kThread = {"ThreadTeam", 32};
constexpr Team kWarp = {"WarpTeam", 128};
constexpr Team kBlock = {"BlockTeam<64>", 64};
constexpr Team kLargeBlock = {"BlockTeam<256>", 256};

/// Kernels of primitive_kernels.cuh in float and in double: {0} is the team, {1} the type.
class Text {
public:
    void add(const Team& team, const std::string& call) {
        for (const char* type : {"float", "double"}) {
            text_ += fmt::format("MATGRAD_KERNEL(kernel_{}, PrimitiveArgs, {}) {{ {}(args); }}\n",
                                 count_++, team.threads,
                                 fmt::vformat(call, fmt::make_format_args(team.name, type)));
        }
    }
    void expect_no_spills() const {
        expect_clean(
            "#include \"primitive_kernels.cuh\"\nnamespace matgrad::block {\n" + text_ + "}\n",
            count_);
    }

private:
    std::string text_;
    std::size_t count_ = 0;
};

/// What takes long to compile.
bool is_full() {
    return std::getenv("MATGRAD_EVERY_ARCHITECTURE") != nullptr;
}

TEST(FusedPrimitiveCode, OfCholeskyCompilesWithoutSpills) {
    Text text;
    text.add(kThread, "potrf_case<{0}, {1}, {1}, 8, false>");
    text.add(kWarp, "potrf_case<{0}, {1}, {1}, 32, true>");
    text.add(kBlock, "potrf_case<{0}, {1}, {1}, 64, true>");
    if (is_full()) {
        text.add(kThread, "potrf_case<{0}, {1}, {1}, 10, true>");
        text.add(kWarp, "potrf_case<{0}, {1}, {1}, 17, false>");
        text.add(kBlock, "potrf_case<{0}, {1}, {1}, 63, true>");
        text.add(kLargeBlock, "potrf_case<{0}, {1}, {1}, 128, true>");
    }
    text.expect_no_spills();
}

TEST(FusedPrimitiveCode, OfTriangularSystemsCompilesWithoutSpills) {
    Text text;
    text.add(kThread, "trsm_case<{0}, {1}, {1}, true, true, false, 8, 4, true>");
    text.add(kThread, "trsm_case<{0}, {1}, {1}, true, true, true, 8, 0, true>");
    text.add(kWarp, "trsm_case<{0}, {1}, {1}, false, true, true, 16, 64, true>");
    text.add(kWarp, "trsm_case<{0}, {1}, {1}, true, true, false, 32, 32, true>");
    text.add(kBlock, "trsm_case<{0}, {1}, {1}, true, true, true, 64, 64, true>");
    if (is_full()) {
        text.add(kWarp, "trsm_case<{0}, {1}, {1}, true, true, false, 32, 1, true>");
        text.add(kBlock, "trsm_case<{0}, {1}, {1}, true, true, true, 64, 0, true>");
        text.add(kLargeBlock, "trsm_case<{0}, {1}, {1}, false, true, false, 100, 128, true>");
    }
    text.expect_no_spills();
}

TEST(FusedPrimitiveCode, OfLuCompilesWithoutSpills) {
    Text text;
    text.add(kThread, "solve_case<{0}, {1}, {1}, true, false, 8, 4, true>");
    text.add(kWarp, "getrf_case<{0}, {1}, {1}, 32, true, true>");
    text.add(kBlock, "solve_case<{0}, {1}, {1}, true, false, 64, 0, true>");
    if (is_full()) {
        text.add(kWarp, "solve_case<{0}, {1}, {1}, true, false, 32, 32, true>");
        text.add(kLargeBlock, "getrf_case<{0}, {1}, {1}, 128, true, true>");
        text.add(kLargeBlock, "getrf_case<{0}, {1}, {1}, 168, true, true>");
    }
    text.expect_no_spills();
}

}  // namespace
}  // namespace matgrad::test
