/// Lets the whole test program run on a lesser instruction set: MATGRAD_TEST_TARGET=avx2|baseline.

#include "cpu/highway_targets.hpp"
// The targets before Highway.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <string>

namespace matgrad::test {
namespace {

class InstructionSet : public testing::Environment {
public:
    void SetUp() override {
        const char* wanted = std::getenv("MATGRAD_TEST_TARGET");
        if (wanted == nullptr) {
            return;
        }
        std::int64_t targets = HWY_STATIC_TARGET;
        if (std::string(wanted) == "avx2") {
            targets |= HWY_AVX2;
            if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
                GTEST_SKIP() << "this machine has no AVX2";
            }
        }
        hwy::SetSupportedTargetsForTest(targets);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    }
};

const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new InstructionSet);

}  // namespace
}  // namespace matgrad::test
