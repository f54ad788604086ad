#include "fact.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "json_of_facts.hpp"

namespace matgrad::probe {
namespace {

nlohmann::json to_json(const Value& value) {
    if (const auto* number = std::get_if<double>(&value)) {
        if (std::isnan(*number)) {
            return "NaN";
        }
        if (std::isinf(*number)) {
            return *number > 0 ? "Inf" : "-Inf";
        }
    }
    return std::visit([](const auto& v) { return nlohmann::json(v); }, value);
}

Value from_json(const nlohmann::json& json) {
    if (json.is_boolean()) {
        return json.get<bool>();
    }
    if (json.is_number_integer()) {
        return json.get<std::int64_t>();
    }
    if (json.is_number()) {
        return json.get<double>();
    }
    return json.get<std::string>();
}

std::optional<Verdict> verdict_of(const std::string& name) {
    for (const Verdict verdict : {Verdict::ok, Verdict::surprising, Verdict::wrong}) {
        if (name == name_of(verdict)) {
            return verdict;
        }
    }
    return std::nullopt;
}

}  // namespace

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::surprising:
            return "surprising";
        case Verdict::wrong:
            return "wrong";
        case Verdict::ok:
            break;
    }
    return "ok";
}

void worsen(Verdict& verdict, Verdict by) {
    verdict = std::max(verdict, by);
}

nlohmann::ordered_json to_json(const Fact& fact) {
    nlohmann::ordered_json values = nlohmann::ordered_json::object();
    for (const auto& [name, value] : fact.values) {
        values[name] = to_json(value);
    }
    return {{"name", fact.name},
            {"call", fact.call},
            {"answer", fact.answer},
            {"verdict", name_of(fact.verdict)},
            {"values", values}};
}

std::string to_line(const Fact& fact) {
    return to_json(fact).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Fact> read_line(const std::string& line) {
    try {
        const auto json = nlohmann::ordered_json::parse(line);
        const std::optional<Verdict> verdict = verdict_of(json.at("verdict"));
        if (!verdict) {
            return std::nullopt;
        }
        Fact fact{json.at("name"), json.at("call"), json.at("answer"), {}, *verdict};
        for (const auto& [name, value] : json.at("values").items()) {
            fact.values.emplace_back(name, from_json(value));
        }
        return fact;
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

Recorder::Recorder(bool small, double seconds)
    : small_(small),
      end_(std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(
               std::chrono::duration<double>(seconds))) {}

void Recorder::add(const Fact& fact) const {
    (void)std::printf("%s\n", to_line(fact).c_str());
    (void)std::fflush(stdout);
}

double Recorder::seconds_left() const {
    return std::chrono::duration<double>(end_ - std::chrono::steady_clock::now()).count();
}

bool Recorder::has_time(const std::string& name, double seconds) const {
    constexpr double kLeastSeconds = 0.4;
    const double left = seconds_left();
    if (left > std::max(kLeastSeconds, seconds)) {
        return true;
    }
    add({name + ".left_out",
         "",
         "not measured: no time left",
         {{"seconds_needed", seconds}, {"seconds_left", left}}});
    return false;
}

bool Rows::next(const std::string& name, double cost) {
    const double left = recorder_.seconds_left();
    if (cost_ > 0) {
        seconds_ = before_ - left;
    }
    // A row that was less work than the last takes no longer.
    const double predicted = cost_ > 0 ? seconds_ * std::max(1.0, cost / cost_) : 0;
    if (!recorder_.has_time(name, predicted)) {
        return false;
    }
    before_ = left;
    cost_ = cost;
    return true;
}

}  // namespace matgrad::probe
