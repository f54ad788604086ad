#include <algorithm>

#include "program/region_parts.hpp"

namespace matgrad::detail {
namespace {

/// What is known of a step while one pass is filled.
enum class State {
    waits,
    before,      ///< whole, of what was there before the panels
    local,       ///< in the panels
    contracted,  ///< there after the panels
    after,       ///< whole, after the panels
    done,        ///< in an earlier pass
};

class Scheduler {
public:
    Scheduler(const Dimensions& dimensions, const std::vector<int>& cut,
              const std::vector<int>& not_before)
        : dimensions_(dimensions),
          cut_(cut),
          not_before_(not_before),
          states_(dimensions.steps.size(), State::waits) {
        schedule_.pass.assign(dimensions.steps.size(), kNone);
        schedule_.phase.assign(dimensions.steps.size(), Phase::before);
    }

    Schedule run() {
        std::size_t left = dimensions_.inside.size();
        while (left > 0) {
            std::vector<State> best = fill(cut_.empty() ? kNone : cut_.front());
            int dimension = cut_.empty() ? kNone : cut_.front();
            for (std::size_t d = 1; d < cut_.size(); ++d) {
                std::vector<State> other = fill(cut_[d]);
                if (placed(other) > placed(best)) {
                    best = std::move(other);
                    dimension = cut_[d];
                }
            }
            left -= place(best, dimension);
        }
        return std::move(schedule_);
    }

private:
    /// All that one more pass over the dimension can do.
    [[nodiscard]] std::vector<State> fill(int dimension) const {
        std::vector<State> states = states_;
        const int pass = static_cast<int>(schedule_.dimensions.size());
        for (const int s : dimensions_.inside) {
            if (at(states, s) == State::waits && at(not_before_, s) <= pass) {
                at(states, s) = state_of(s, dimension, states);
            }
        }
        return states;
    }

    [[nodiscard]] State state_of(int s, int dimension, const std::vector<State>& states) const {
        const bool in_panels = dimensions_.index_in(s, dimension) >= 0;
        if (!in_panels && std::any_of(cut_.begin(), cut_.end(), [&](int other) {
                return dimensions_.index_in(s, other) >= 0;
            })) {
            return State::waits;  // for a pass over that
        }
        const StepIndices& step = at(dimensions_.steps, s);
        const bool contracts = in_panels && dimensions_.out_cut(s, dimension) == Cut::whole;
        bool is_late = false;
        for (std::size_t u = 0; u < step.reads.size(); ++u) {
            const int p = at(dimensions_.producers, step.reads[u].value);
            const State input = p < 0 ? State::done : at(states, p);
            if (input == State::waits) {
                return State::waits;
            }
            if (input == State::local &&
                dimensions_.cut(s, step.uses[u], dimension) != dimensions_.out_cut(p, dimension)) {
                return State::waits;  // for all of it
            }
            if (input == State::contracted || input == State::after) {
                if (in_panels && !(contracts && step.c == u)) {
                    return State::waits;
                }
                is_late = true;
            }
        }
        if (in_panels) {
            return contracts ? State::contracted : State::local;
        }
        return is_late ? State::after : State::before;
    }

    /// How many steps this pass does, those in its panels first of all.
    [[nodiscard]] std::pair<int, int> placed(const std::vector<State>& states) const {
        int in_panels = 0;
        int all = 0;
        for (const int s : dimensions_.inside) {
            const State state = at(states, s);
            if (at(states_, s) == State::waits && state != State::waits) {
                in_panels += state == State::local || state == State::contracted;
                ++all;
            }
        }
        return {in_panels, all};
    }

    std::size_t place(std::vector<State>& states, int dimension) {
        const int pass = static_cast<int>(schedule_.dimensions.size());
        const std::vector<bool> needed = needed_by_panels(states);
        dimension = placed(states).first > 0 ? dimension : kNone;
        schedule_.dimensions.push_back(dimension);
        std::size_t count = 0;
        for (const int s : dimensions_.inside) {
            State& state = at(states, s);
            if (at(states_, s) != State::waits || state == State::waits) {
                continue;
            }
            const bool is_whole = state == State::before || state == State::after;
            at(schedule_.pass, s) = pass;
            at(schedule_.phase, s) = !is_whole                        ? Phase::panels
                                     : dimension < 0 || at(needed, s) ? Phase::before
                                                                      : Phase::after;
            ++count;
            state = State::done;
        }
        states_ = states;
        return count;
    }

    /// Whole steps that the panels wait for.
    [[nodiscard]] std::vector<bool> needed_by_panels(const std::vector<State>& states) const {
        std::vector<bool> needed(states.size(), false);
        for (auto s = dimensions_.inside.rbegin(); s != dimensions_.inside.rend(); ++s) {
            const State state = at(states, *s);
            const bool in_panels = state == State::local || state == State::contracted;
            if (at(states_, *s) != State::waits || !(in_panels || at(needed, *s))) {
                continue;
            }
            const StepIndices& step = at(dimensions_.steps, *s);
            for (std::size_t u = 0; u < step.reads.size(); ++u) {
                const int p = at(dimensions_.producers, step.reads[u].value);
                if (p >= 0 && at(states, p) == State::before &&
                    !(state == State::contracted && step.c == u)) {
                    at(needed, p) = true;
                }
            }
        }
        return needed;
    }

    const Dimensions& dimensions_;
    const std::vector<int>& cut_;
    const std::vector<int>& not_before_;
    std::vector<State> states_;
    Schedule schedule_;
};

}  // namespace

Schedule make_schedule(const Dimensions& dimensions, const std::vector<int>& cut,
                       const std::vector<int>& not_before) {
    return Scheduler(dimensions, cut, not_before).run();
}

}  // namespace matgrad::detail
