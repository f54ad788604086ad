#pragma once
/// \file What has become of the parts: the file of JSON, complete and valid at any moment.

#include <string>
#include <vector>

#include "part.hpp"

namespace matgrad::probe {

enum class State {
    not_run,  ///< or not to its end, for want of time alone
    done,
    failed
};

struct Outcome {
    std::string part;
    Group group = Group::facts;
    State state = State::not_run;
    std::string why = "not yet";  ///< unless it is done
    double seconds = 0;
    std::vector<Fact> facts;
};

struct Report {
    bool simulated = false;
    bool small = false;
    double seconds = 0;                ///< of all parts so far
    std::vector<std::string> summary;  ///< once all parts have ended
    std::vector<Outcome> outcomes;

    [[nodiscard]] int count(State state) const;
    [[nodiscard]] int count(Verdict verdict) const;  ///< of facts
};

/// Writes a file beside `path` and renames it. Errors: std::runtime_error.
void write(const Report& report, const std::string& path);

}  // namespace matgrad::probe
