#pragma once
/// \file Programs that are looked through after every pass.

#include <gtest/gtest.h>

#include "planner/planner.hpp"

namespace matgrad {

/// make_program, with a failure of the test for each fault that a pass leaves.
inline Program verified_program(const PlanRequest& request) {
    return make_program(request, [](std::string_view pass, Stage stage, const Program& program) {
        for (const std::string& fault : find_faults(program, stage)) {
            ADD_FAILURE() << "after " << pass << ": " << fault << "\n" << to_text(program);
        }
    });
}

}  // namespace matgrad
