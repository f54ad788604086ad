#include "cpu/steps/lane_choice.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/steps/estimate.hpp"
#include "cpu/steps/lane_steps.hpp"

namespace matgrad::detail {
namespace {

/// The cost of an assignment of steps to lanes, and steps towards a smaller one.
class Search {
public:
    Search(const Program& program, const std::vector<const Step*>& steps,
           const std::vector<double>& rows, const std::vector<double>& lanes)
        : steps_(steps), rows_(rows), lanes_(lanes), values_(program.values.size()) {
        for (std::size_t i = 0; i < program.values.size(); ++i) {
            values_[i].move = program.values[i].scope == Scope::problem
                                  ? lane_move_nanoseconds(program, static_cast<ValueId>(i))
                                  : 0;
        }
        for (std::size_t i = 0; i < steps.size(); ++i) {
            for (const ValueId id : {steps[i]->out, steps[i]->out2}) {
                if (id != kNoValue) {
                    value(id).made_by = i;
                }
            }
            reads_.emplace_back();
            for_each_read(*steps[i], [&](ValueId id) {
                reads_.back().push_back(id);
                value(id).last_reader = i;
            });
        }
        for (const ProgramOutput& output : program.outputs) {
            value(output.value).last_reader = kNever;
        }
        for (const Step& step : program.steps) {
            if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
                value(sum->a.value).last_reader = kNever;
            }
        }
    }

    std::vector<char> operator()() const {
        std::vector<char> best(steps_.size(), 0);
        double least = cost(best);
        for (bool better = true; better;) {
            better = false;
            for (std::size_t begin = 0; begin < best.size(); ++begin) {
                for (std::size_t end = begin + 1; end <= std::min(best.size(), begin + kLongest);
                     ++end) {
                    for (const char in_lanes : {char{1}, char{0}}) {
                        std::vector<char> other = best;
                        std::fill(other.begin() + static_cast<std::ptrdiff_t>(begin),
                                  other.begin() + static_cast<std::ptrdiff_t>(end), in_lanes);
                        if (const double of_other = cost(other); of_other < least) {
                            best = std::move(other);
                            least = of_other;
                            better = true;
                        }
                    }
                }
            }
        }
        return best;
    }

private:
    /// Steps that change sides at once.
    static constexpr std::size_t kLongest = 12;

    static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

    struct Moved {
        double move = 0;               ///< nanoseconds into lanes or back
        std::size_t made_by = kNever;  ///< a step, or none: an operand
        std::size_t last_reader = 0;   ///< a step, or what comes after all of them
    };
    Moved& value(ValueId id) { return values_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const Moved& value(ValueId id) const {
        return values_[static_cast<std::size_t>(id)];
    }

    [[nodiscard]] double cost(const std::vector<char>& in_lanes) const {
        double sum = 0;
        for (std::size_t i = 0; i < steps_.size();) {
            if (in_lanes[i] == 0) {
                sum += rows_[i++];
                continue;
            }
            std::size_t end = i;
            while (end < steps_.size() && in_lanes[end] != 0) {
                ++end;
            }
            sum += cost_of_group(i, end);
            i = end;
        }
        return sum;
    }

    /// Steps [begin, end) in lanes, with what they are given and what is taken from them.
    [[nodiscard]] double cost_of_group(std::size_t begin, std::size_t end) const {
        double sum = 0;
        std::vector<ValueId> given;
        for (std::size_t i = begin; i < end; ++i) {
            sum += lanes_[i];
            for (const ValueId id : reads_[i]) {
                const std::size_t made_by = value(id).made_by;
                const bool is_made_here = made_by >= begin && made_by < end;
                if (!is_made_here && std::find(given.begin(), given.end(), id) == given.end()) {
                    given.push_back(id);
                    sum += value(id).move;
                }
            }
            for (const ValueId id : {steps_[i]->out, steps_[i]->out2}) {
                if (id != kNoValue && value(id).last_reader >= end) {
                    sum += value(id).move;
                }
            }
        }
        return sum;
    }

    const std::vector<const Step*>& steps_;
    const std::vector<double>& rows_;
    const std::vector<double>& lanes_;
    std::vector<std::vector<ValueId>> reads_;  ///< by step
    std::vector<Moved> values_;                ///< by value
};

}  // namespace

std::vector<char> choose_lane_steps(const Program& program, const std::vector<const Step*>& steps,
                                    const std::vector<double>& rows,
                                    const std::vector<double>& lanes) {
    return Search(program, steps, rows, lanes)();
}

}  // namespace matgrad::detail
