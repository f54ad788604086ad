/// Programs that run on the simulated GPU: what it complains of fails the test.

#include <gtest/gtest.h>

#include "cuda/flavour.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

class NoComplaints : public testing::EmptyTestEventListener {
public:
    void OnTestEnd(const testing::TestInfo& /*test*/) override {
        simulated::expect_no_complaints();
    }
};

class Simulated : public testing::Environment {
public:
    void SetUp() override {
        testing::UnitTest::GetInstance()->listeners().Append(new NoComplaints);
    }
};

const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new Simulated);

}  // namespace

bool is_simulated() {
    return true;
}

bool have_second_device() {
    simulated::Machine machine;
    machine.devices = 2;
    simulated::reset(machine);
    return true;
}

}  // namespace matgrad::test
