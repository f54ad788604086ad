#include <gtest/gtest.h>

#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::simulated {

void expect_no_complaints(const char* file, int line) {
    for (const std::string& complaint : take_complaints()) {
        GTEST_MESSAGE_AT_(file, line, complaint.c_str(),
                          ::testing::TestPartResult::kNonFatalFailure);
    }
}

}  // namespace matgrad::simulated
