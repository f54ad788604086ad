#pragma once
/// \file The functions that a caller hands to a run.

#include <cstdint>
#include <functional>

#include "expression/guarded.hpp"
#include "matgrad/plan.hpp"

namespace matgrad::detail {

/// The caller's functions; what they throw leaves the run as it is. Small enough to take no memory.
struct CallersFunctions {
    explicit CallersFunctions(const RunOptions& options) {
        if (options.parallel) {
            parallel = [&own = options.parallel](int count, const std::function<void(int)>& work) {
                call_of_caller(own, count, work);
            };
        }
        if (options.hooks.advance) {
            hooks.advance = [&own = options.hooks.advance](std::int64_t done) {
                return call_of_caller(own, done);
            };
        }
    }
    Parallel parallel;
    RunHooks hooks;
};

}  // namespace matgrad::detail
