#include "bench/serving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <map>
#include <ostream>

#include "bench/answers_json.hpp"
#include "bench/row_json.hpp"

namespace matgrad::bench {
namespace {

class Server {
public:
    Server(const Report& about, const Suite& suite, Runner& runner)
        : about_(about), suite_(suite), runner_(runner) {}

    /// Errors: those of the request, as exceptions.
    [[nodiscard]] Json answer(const Json& request) {
        const std::string what = request.at("do").get<std::string>();
        if (what == "about") {
            return about();
        }
        if (what == "ceilings") {
            runner_.forget_ceilings();
            return to_json(runner_.ceilings(runner_.threads()));
        }
        if (what == "prepare") {
            return prepare(case_named(request.at("case").get<std::string>()), request);
        }
        if (what == "measure") {
            return measure(request.at("executor").get<std::string>(),
                           request.at("seconds").get<double>());
        }
        if (what == "release") {
            ready_.clear();
            return Json::object();
        }
        throw CallerError(
            fmt::format("found {}, expected about, ceilings, prepare, measure or "
                        "release",
                        what));
    }

private:
    [[nodiscard]] Json about() const {
        Json json = Json::parse(to_json_text(about_));
        json["cases"] = Json::array();
        for (const Case& c : suite_.cases) {
            json["cases"].push_back(c.name);
        }
        return json;
    }

    [[nodiscard]] const Case& case_named(const std::string& name) const {
        const auto at = std::find_if(suite_.cases.begin(), suite_.cases.end(),
                                     [&](const Case& c) { return c.name == name; });
        if (at == suite_.cases.end()) {
            throw CallerError(fmt::format("suite {} has no row {}", suite_.name, name));
        }
        return *at;
    }

    Json prepare(const Case& c, const Json& request) {
        ready_.clear();
        const std::vector<std::string> executors = runner_.executors(c);
        if (executors.empty() || c.threads > runner_.most_threads()) {
            return {{"rows", Json::array()}, {"problems", Json::array()}};
        }
        if (request.contains("problems")) {
            runner_.answers().keep(c, answers_of_json(c, request["problems"]));
        }
        Json rows = Json::array();
        for (const std::string& executor : executors) {
            Checked checked = runner_.prepare(c, executor);
            checked.row.ok = checked.ready != nullptr;
            rows.push_back(to_json(checked.row));
            if (checked.row.ok) {
                ready_[executor] = std::move(checked.ready);
            }
        }
        return {{"rows", rows}, {"problems", to_json(runner_.answers().of(c))}};
    }

    Json measure(const std::string& executor, double seconds) {
        const auto at = ready_.find(executor);
        if (at == ready_.end()) {
            throw CallerError(fmt::format("{} is not ready", executor));
        }
        Pace pace;
        pace.seconds = seconds;
        const Timing timing = at->second->measure(pace);
        return {{"seconds", timing.seconds},
                {"low", timing.low},
                {"high", timing.high},
                {"repeats", timing.repeats},
                {"enqueue_seconds", timing.enqueue_seconds}};
    }

    const Report& about_;
    const Suite& suite_;
    Runner& runner_;
    std::map<std::string, std::unique_ptr<Ready>> ready_;  // by executor
};

}  // namespace

void serve(std::istream& in, std::ostream& out, const Report& about, const Suite& suite,
           Runner& runner) {
    Server server(about, suite, runner);
    std::string line;
    while (std::getline(in, line)) {
        Json answer;
        try {
            answer = server.answer(Json::parse(line));
        } catch (const std::exception& error) {
            answer = {{"error", error.what()}};
        }
        out << answer.dump() << std::endl;  // flushed: the other side waits for it
    }
}

}  // namespace matgrad::bench
