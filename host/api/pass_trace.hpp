#pragma once
/// \file How a Program came about, as text: its steps after each pass that changed them.

#include <string>

#include "planner/planner.hpp"

namespace matgrad::detail {

class PassTrace {
public:
    /// To be given to make_program; the trace must outlive it.
    [[nodiscard]] PassObserver observer();
    /// `== after fuse_entrywise`, the Program; or `== hoist_shared: unchanged`. Empty if nothing was observed.
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_, last_;
};

}  // namespace matgrad::detail
