#include "parent.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <list>
#include <memory>
#include <thread>

#include "child.hpp"
#include "platform.hpp"
#include "report.hpp"
#include "summary.hpp"

namespace matgrad::probe {
namespace {

using Time = std::chrono::steady_clock;
/// Less is not worth the start of a process.
constexpr double kLeastSeconds = 1;
constexpr unsigned kMostAtOnce = 12;

class Run {
public:
    Run(const Options& options, const std::vector<Part>& parts, bool shared)
        : options_(options), parts_(parts), begin_(Time::now()) {
        if (shared) {
            most_at_once_ = std::clamp(std::thread::hardware_concurrency(), 1U, kMostAtOnce);
        }
        report_.simulated = on_simulated_gpu();
        report_.small = options.small;
        for (const Part& part : parts) {
            report_.outcomes.push_back({part.name, part.group, State::not_run, "not yet", 0, {}});
        }
    }

    int run() {
        save();
        if (report_.simulated) {
            say("gpu_probe", "on the simulated GPU, whose times mean nothing");
        }
        if (most_at_once_ == 1) {
            say("gpu_probe", "one process at a time");
        }
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            wait_until_fewer_than(parts_[i].alone || is_one_alone_ ? 1 : most_at_once_);
            start(i);
        }
        wait_until_fewer_than(1);
        report_.summary = summarize(report_.outcomes);
        save();
        const int done = report_.count(State::done);
        const int failed = report_.count(State::failed);
        const int not_run = report_.count(State::not_run);
        if (not_run > 0) {
            const auto first = std::find_if(
                report_.outcomes.begin(), report_.outcomes.end(),
                [](const Outcome& outcome) { return outcome.state == State::not_run; });
            say("gpu_probe", "no time left for " + first->part + " and what comes after it");
        }
        for (const std::string& line : report_.summary) {
            (void)std::printf("%s\n", line.c_str());
        }
        const int surprising = report_.count(Verdict::surprising);
        const int wrong = report_.count(Verdict::wrong);
        (void)std::printf(
            "gpu_probe: %zu parts: %d done, %d failed, %d not run; facts: %d surprising, %d wrong; "
            "%.1f s\n",
            parts_.size(), done, failed, not_run, surprising, wrong, seconds());
        return failed + wrong == 0 ? 0 : 1;
    }

private:
    struct Running {
        std::size_t part;
        bool is_cut;  ///< its limit is what was left of the time of all
        std::unique_ptr<Child> child;
    };

    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Time::now() - begin_).count();
    }

    void start(std::size_t i) {
        const Part& part = parts_[i];
        const double seconds_left = options_.seconds - seconds();
        if (seconds_left < kLeastSeconds) {
            report_.outcomes[i].why = "no time left";
            return;
        }
        const double limit = std::min({part.seconds, seconds_left, options_.part_seconds});
        std::vector<std::string> arguments = {"gpu_probe", "--child", part.name, "--child-seconds",
                                              std::to_string(limit)};
        if (options_.small) {
            arguments.emplace_back("--small");
        }
        for (const Break& broken : options_.breaks) {
            if (broken.part == part.name) {
                arguments.insert(arguments.end(), {"--child-break", broken.how});
            }
        }
        is_one_alone_ = part.alone;
        const bool is_cut = seconds_left < std::min(part.seconds, options_.part_seconds);
        running_.push_back({i, is_cut, std::make_unique<Child>(arguments, limit)});
    }

    void wait_until_fewer_than(std::size_t count) {
        while (running_.size() >= count) {
            const std::size_t before = running_.size();
            for (auto it = running_.begin(); it != running_.end();) {
                const bool ended = it->child->poll();
                collect(*it, ended);
                it = ended ? running_.erase(it) : std::next(it);
            }
            if (running_.size() == before) {
                wait_a_little();
            }
        }
    }

    void collect(const Running& running, bool ended) {
        Outcome& outcome = report_.outcomes[running.part];
        for (Fact& fact : running.child->take_facts()) {
            const std::string verdict = name_of(fact.verdict);
            say(fact.name, fact.answer + (fact.verdict == Verdict::ok ? "" : " [" + verdict + "]"));
            outcome.facts.push_back(std::move(fact));
        }
        if (!ended) {
            return;
        }
        outcome.seconds = running.child->seconds();
        outcome.why = running.child->failure();
        outcome.state = outcome.why.empty() ? State::done : State::failed;
        if (running.is_cut && running.child->ran_out_of_time()) {
            outcome.state = State::not_run;
            outcome.why = "no time left: ended before it was done";
        }
        if (outcome.state == State::failed) {
            say(outcome.part, "failed: " + outcome.why);
        }
        save();
    }

    static void say(const std::string& name, const std::string& text) {
        (void)std::printf("%s: %s\n", name.c_str(), text.c_str());
        (void)std::fflush(stdout);
    }

    void save() {
        report_.seconds = seconds();
        if (!options_.json.empty()) {
            write(report_, options_.json);
        }
    }

    const Options& options_;
    const std::vector<Part>& parts_;
    Time::time_point begin_;
    Report report_;
    unsigned most_at_once_ = 1;
    std::list<Running> running_;
    bool is_one_alone_ = false;  ///< of those that run
};

}  // namespace

int run_parts(const Options& options, const std::vector<Part>& parts, bool shared) {
    return Run(options, parts, shared).run();
}

}  // namespace matgrad::probe
