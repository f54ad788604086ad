#include "report.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "json_of_facts.hpp"

namespace matgrad::probe {
namespace {

const char* name_of(State state) {
    switch (state) {
        case State::done:
            return "done";
        case State::failed:
            return "failed";
        case State::not_run:
            break;
    }
    return "not run";
}

nlohmann::ordered_json to_json(const Outcome& outcome) {
    nlohmann::ordered_json json{{"name", outcome.part},
                                {"group", name_of(outcome.group)},
                                {"state", name_of(outcome.state)}};
    if (outcome.state != State::done) {
        json["why"] = outcome.why;
    }
    json["seconds"] = outcome.seconds;
    json["facts"] = nlohmann::ordered_json::array();
    for (const Fact& fact : outcome.facts) {
        json["facts"].push_back(to_json(fact));
    }
    return json;
}

}  // namespace

int Report::count(State state) const {
    return static_cast<int>(
        std::count_if(outcomes.begin(), outcomes.end(),
                      [&](const Outcome& outcome) { return outcome.state == state; }));
}

int Report::count(Verdict verdict) const {
    std::ptrdiff_t sum = 0;
    for (const Outcome& outcome : outcomes) {
        sum += std::count_if(outcome.facts.begin(), outcome.facts.end(),
                             [&](const Fact& fact) { return fact.verdict == verdict; });
    }
    return static_cast<int>(sum);
}

void write(const Report& report, const std::string& path) {
    nlohmann::ordered_json json{
        {"program", "gpu_probe"},    {"simulated", report.simulated},
        {"small", report.small},     {"seconds", report.seconds},
        {"summary", report.summary}, {"parts", nlohmann::ordered_json::array()}};
    for (const Outcome& outcome : report.outcomes) {
        json["parts"].push_back(to_json(outcome));
    }
    const std::string temporary = path + ".part";
    std::ofstream file(temporary);
    file << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    file.close();
    if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
        throw std::runtime_error("--json: " + path + ": " + std::strerror(errno));
    }
}

}  // namespace matgrad::probe
