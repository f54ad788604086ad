#include "cpu/steps/lane_choice.hpp"

#include <algorithm>
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
        : steps_(steps), rows_(rows), lanes_(lanes), moves_(program.values.size()) {
        for (std::size_t i = 0; i < program.values.size(); ++i) {
            moves_[i].nanoseconds = lane_move_nanoseconds(program, static_cast<ValueId>(i));
            moves_[i].counts = program.values[i].scope == Scope::problem;
        }
        for (std::size_t i = 0; i < steps.size(); ++i) {
            for (const ValueId id : {steps[i]->out, steps[i]->out2}) {
                if (id != kNoValue) {
                    moves_[static_cast<std::size_t>(id)].made_by = static_cast<int>(i);
                }
            }
            for_each_read(*steps[i], [&](ValueId id) {
                moves_[static_cast<std::size_t>(id)].read_by.push_back(static_cast<int>(i));
            });
        }
        for (const ProgramOutput& output : program.outputs) {
            moves_[static_cast<std::size_t>(output.value)].leaves = true;
        }
        for (const Step& step : program.steps) {
            if (const auto* sum = std::get_if<BatchReduce>(&step.operation)) {
                moves_[static_cast<std::size_t>(sum->a.value)].leaves = true;
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

    struct Move {
        double nanoseconds = 0;
        bool counts = false;
        bool leaves = false;  ///< is read by other than steps of problems
        int made_by = -1;
        std::vector<int> read_by;
    };

    [[nodiscard]] double cost(const std::vector<char>& in_lanes) const {
        double sum = 0;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            sum += in_lanes[i] != 0 ? lanes_[i] : rows_[i];
        }
        for (const Move& move : moves_) {
            const bool made_in_lanes =
                move.made_by >= 0 && in_lanes[static_cast<std::size_t>(move.made_by)] != 0;
            const auto differs = [&](int reader) {
                return (in_lanes[static_cast<std::size_t>(reader)] != 0) != made_in_lanes;
            };
            const bool moves = (made_in_lanes && move.leaves) ||
                               std::any_of(move.read_by.begin(), move.read_by.end(), differs);
            sum += move.counts && moves ? move.nanoseconds : 0;
        }
        return sum;
    }

    const std::vector<const Step*>& steps_;
    const std::vector<double>& rows_;
    const std::vector<double>& lanes_;
    std::vector<Move> moves_;  ///< by value
};

}  // namespace

std::vector<char> choose_lane_steps(const Program& program, const std::vector<const Step*>& steps,
                                    const std::vector<double>& rows,
                                    const std::vector<double>& lanes) {
    return Search(program, steps, rows, lanes)();
}

}  // namespace matgrad::detail
