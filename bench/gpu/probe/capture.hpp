#pragma once
/// \file A call inside a capture: does it succeed, what is in the graph, do replays give the same bits.

#include "call.hpp"
#include "fact.hpp"

namespace matgrad::probe {

enum class Mode { thread_local_, global };
[[nodiscard]] const char* name_of(Mode mode);

/// Captures the call, binding of the handles included, replays the graph on the stream and on another
/// one, and compares with plain calls, which are made afterwards: the captured one may be the first.
/// Errors: CallFailed if the device is broken; what capture itself refuses is the answer.
[[nodiscard]] Fact ask_capture(const std::string& name, const std::string& function, Call& call,
                               const Handles& handles, const Stream& stream, Mode mode);

}  // namespace matgrad::probe
