#include "api/pass_trace.hpp"

#include <fmt/format.h>

namespace matgrad::detail {

PassObserver PassTrace::observer() {
    return [this](std::string_view pass, Stage /*stage*/, const Program& program) {
        std::string now = to_text(program);
        if (now == last_) {
            text_ += fmt::format("== {}: unchanged\n", pass);
            return;
        }
        text_ += fmt::format("== after {}\n{}", pass, now);
        last_ = std::move(now);
    };
}

}  // namespace matgrad::detail
