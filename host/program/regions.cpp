#include "program/regions.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "program/region_parts.hpp"
#include "program/round_up.hpp"

namespace matgrad {
namespace {

using namespace detail;

/// Memory comes in sectors of so many bytes: a panel of few columns reads more than its own.
constexpr std::int64_t kSectorBytes = 32;

/// Of one pass, as its panels lie in a row-major matrix. What the batch shares comes from a cache more often than not and
/// counts half.
double cost_of(const Program& program, const Pass& pass, const Transfer& transfer) {
    const Value& v = program.value(transfer.value);
    const double bytes = static_cast<double>(
        transfer.cut == Cut::cols
            ? v.rows.size * pass.panels() * round_up(pass.panel * size_of(v.type), kSectorBytes)
            : v.count() * size_of(v.type));
    return v.scope == Scope::shared ? bytes / 2 : bytes;
}

/// Bytes on chip beyond the limit; then what a run costs, in bytes of memory: traffic, and the operations of steps
/// that run again. A panelled value that several passes read is made again, stored, or kept, whichever costs least by
/// this.
using Cost = std::pair<std::int64_t, double>;
Cost cost_of(const Program& program, const Regions& regions, const RegionLimits& limits) {
    double cost = 0;
    for (const Pass& pass : regions.passes) {
        for (const Transfer& read : pass.reads) {
            cost += cost_of(program, pass, read);
        }
        for (const Transfer& write : pass.writes) {
            cost += cost_of(program, pass, write);
        }
        for (const PanelStep& step : pass.steps) {
            cost += step.again
                        ? at(program.steps, step.step).operations / limits.operations_per_byte
                        : 0;
        }
    }
    return {std::max<std::int64_t>(regions.bytes - limits.bytes, 0), cost};
}

struct Candidate {
    Regions regions;
    Cost cost;
    std::size_t dimensions = 0;
};

/// Cheaper; or as cheap in fewer passes, and then with less that is whole.
bool is_better(const Candidate& a, const Candidate& b) {
    const auto rank = [](const Candidate& c) {
        std::int64_t whole = 0;
        for (const Pass& pass : c.regions.passes) {
            whole = std::max(whole, pass.whole_bytes);
        }
        return std::make_tuple(c.cost, c.dimensions, c.regions.passes.size(), whole);
    };
    return rank(a) < rank(b);
}

/// The regions along some dimensions: begins with what needs least memory, then makes the change that saves most, until
/// none saves anything.
class Search {
public:
    Search(const Program& program, const RegionLimits& limits, const Dimensions& dimensions,
           std::vector<int> cut, int& tries)
        : program_(program),
          limits_(limits),
          dimensions_(dimensions),
          cut_(std::move(cut)),
          tries_(tries),
          fates_(program.values.size(), Fate::again),
          not_before_(program.steps.size(), 0) {}

    /// Not worth a search where these do not fit and others do.
    Candidate run(bool others_fit) {
        Candidate best = evaluate();
        while ((best.regions.fits || !others_fit) && improve(best)) {
        }
        return best;
    }

private:
    [[nodiscard]] Candidate evaluate() {
        schedule_ = make_schedule(dimensions_, cut_, not_before_);
        Candidate candidate;
        candidate.regions = build_regions(program_, dimensions_, schedule_, fates_, limits_.bytes);
        candidate.cost = cost_of(program_, candidate.regions, limits_);
        candidate.dimensions = cut_.size();
        return candidate;
    }

    bool improve(Candidate& best) {
        const std::vector<Fate> fates = fates_;
        const std::vector<int> not_before = not_before_;
        std::vector<Fate> best_fates = fates_;
        std::vector<int> best_not_before = not_before_;
        const std::size_t passes = best.regions.passes.size();
        bool is_found = false;
        const auto consider = [&] {
            if (--tries_ < 0) {
                return;
            }
            Candidate candidate = evaluate();
            if (candidate.cost < best.cost && candidate.regions.passes.size() <= passes) {
                best = std::move(candidate);
                best_fates = fates_;
                best_not_before = not_before_;
                is_found = true;
            }
        };
        for (const ValueId v : values_in_several_places(best.regions)) {
            for (const Fate fate : {Fate::stored, Fate::kept}) {
                if (at(fates, v) != fate &&
                    (fate == Fate::kept || at(dimensions_.producers, v) >= 0)) {
                    at(fates_, v) = fate;
                    consider();
                    fates_ = fates;
                }
            }
        }
        for (const auto& [step, pass] : steps_that_can_wait(best.regions)) {
            at(not_before_, step) = pass + 1;
            consider();
            not_before_ = not_before;
        }
        fates_ = std::move(best_fates);
        not_before_ = std::move(best_not_before);
        return is_found;
    }

    [[nodiscard]] std::vector<ValueId> values_in_several_places(const Regions& regions) const {
        std::vector<int> passes(program_.values.size(), 0);
        for (const Pass& pass : regions.passes) {
            for (const Transfer& read : pass.reads) {
                ++at(passes, read.value);
            }
            for (const PanelStep& step : pass.steps) {
                passes[static_cast<std::size_t>(at(program_.steps, step.step).out)] +=
                    step.contracts ? 0 : 1;
            }
        }
        std::vector<ValueId> found;
        for (ValueId v = 0; v < static_cast<ValueId>(passes.size()); ++v) {
            if (at(passes, v) > 1) {
                found.push_back(v);
            }
        }
        return found;
    }

    /// Results and contractions of passes before the last.
    [[nodiscard]] std::vector<std::pair<int, int>> steps_that_can_wait(
        const Regions& regions) const {
        std::vector<std::pair<int, int>> found;
        for (int p = 0; p + 1 < static_cast<int>(regions.passes.size()); ++p) {
            for (const PanelStep& step : at(regions.passes, p).steps) {
                const bool is_result = at(dimensions_.is_result, at(program_.steps, step.step).out);
                if (!step.again && (step.contracts || is_result)) {
                    found.emplace_back(step.step, p);
                }
            }
        }
        return found;
    }

    const Program& program_;
    const RegionLimits& limits_;
    const Dimensions& dimensions_;
    std::vector<int> cut_;
    int& tries_;
    std::vector<Fate> fates_;
    std::vector<int> not_before_;
    Schedule schedule_;
};

/// More dimensions are not tried, alone and in pairs: a function has few that are long.
constexpr std::size_t kMostDimensions = 6;
constexpr std::size_t kMostInPairs = 4;
/// Changes that are tried in all: a Program of a hundred steps takes milliseconds with these.
constexpr int kMostTries = 500;

}  // namespace

Regions find_regions(const Program& program, const RegionLimits& limits) {
    const Dimensions dimensions = find_dimensions(program);
    std::optional<Candidate> best;
    int tries = kMostTries;
    const auto consider = [&](std::vector<int> cut) {
        Candidate candidate = Search(program, limits, dimensions, std::move(cut), tries)
                                  .run(best && best->regions.fits);
        if (!best || is_better(candidate, *best)) {
            best = std::move(candidate);
        }
    };
    const auto is_least = [&] {
        return best->regions.fits && best->regions.bytes_read + best->regions.bytes_written ==
                                         best->regions.least_read + best->regions.least_written;
    };
    consider({});
    if (is_least()) {
        return best->regions;
    }
    std::vector<int> candidates = dimensions.candidates;
    candidates.resize(std::min(candidates.size(), kMostDimensions));
    for (const int d : candidates) {
        consider({d});
    }
    if (!is_least()) {
        for (std::size_t a = 0; a < std::min(candidates.size(), kMostInPairs); ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                consider({candidates[b], candidates[a]});
            }
        }
    }
    return best->regions;
}

bool is_panel(const Regions& regions, const Pass& pass, const Program& program, ValueId value,
              Cut cut) {
    if (cut == Cut::whole ||
        std::find(regions.kept.begin(), regions.kept.end(), value) != regions.kept.end()) {
        return false;
    }
    return std::any_of(
               pass.reads.begin(), pass.reads.end(),
               [&](const Transfer& read) { return read.value == value && read.cut == cut; }) ||
           std::any_of(pass.steps.begin(), pass.steps.end(), [&](const PanelStep& step) {
               return step.out == cut && at(program.steps, step.step).out == value;
           });
}

bool is_in_regions(const Step& step) {
    return step.scope == Scope::problem && step.fold == Fold::none &&
           !std::holds_alternative<BatchReduce>(step.operation);
}

}  // namespace matgrad
