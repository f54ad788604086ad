#include "summary.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "look_up.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

constexpr std::size_t kLongest = 100;

class Summary {
public:
    explicit Summary(const std::vector<Outcome>& outcomes) {
        for (const Outcome& outcome : outcomes) {
            for (const Fact& fact : outcome.facts) {
                facts_.push_back(&fact);
            }
        }
    }

    std::vector<std::string> lines() {
        add("R1 ", {streams()});
        add("", {handles(), host_buffers()});
        add("R3/R4 captured ", {captures("warm"), captures("cold"), replays()});
        add("R5 ", {calls_that("wait", "later"), calls_that("allocate", "later"),
                    calls_that("wait", "first"), calls_that("allocate", "first")});
        add("", {alignment(), limits("batch_limit.", "R8 batches"),
                 limits("length_limit.", "lengths")});
        add("P5 one by one wins from n at batch 1/4/16: ", {one_by_one("f32"), one_by_one("f64")});
        add("", {gram(), solves()});
        add("", {slices(), fills()});
        return std::move(lines_);
    }

private:
    /// Nothing is said where there are no facts.
    void add(const std::string& begin, const std::vector<std::string>& pieces) {
        std::string line;
        for (const std::string& piece : pieces) {
            line += (line.empty() || piece.empty() ? "" : "; ") + piece;
        }
        if (line.empty()) {
            return;
        }
        line = begin + line;
        if (line.size() > kLongest) {
            line = line.substr(0, kLongest - 3) + "...";
        }
        lines_.push_back(line);
    }

    [[nodiscard]] const Fact* find_fact(const std::string& name) const {
        const auto found = std::find_if(facts_.begin(), facts_.end(),
                                        [&](const Fact* fact) { return fact->name == name; });
        return found == facts_.end() ? nullptr : *found;
    }
    [[nodiscard]] std::optional<double> number_of(const std::string& name,
                                                  const std::string& key) const {
        const Fact* const fact = find_fact(name);
        return fact == nullptr ? std::nullopt : number(*fact, key);
    }

    [[nodiscard]] std::string streams() const {
        std::map<std::string, std::pair<double, double>> sums;  // differing, of calls
        Range overlap;
        for (const Fact* fact : facts_) {
            for (const char* whose : {"one_handle", "own_handles"}) {
                const auto differing = number(*fact, "differing");
                const auto calls = number(*fact, "calls");
                if (between(fact->name, "streams.", std::string(".") + whose).empty() ||
                    !differing || !calls) {
                    continue;
                }
                sums[whose].first += *differing;
                sums[whose].second += *calls;
                const double at_once = number(*fact, "at_once_us").value_or(0);
                if (at_once > 0) {
                    overlap.add(number(*fact, "serial_us").value_or(0) / at_once);
                }
            }
        }
        std::string text;
        for (const auto& [whose, sum] : sums) {
            const auto& [differing, calls] = sum;
            text += (text.empty() ? "" : "; ") + whose + ": " +
                    (differing > 0 ? "DIFFER in " + whole(differing) + " of " + whole(calls)
                                   : "same bits in " + whole(calls));
        }
        return text + (overlap.empty ? "" : "; serial/at once " + overlap.text());
    }

    [[nodiscard]] std::string handles() const {
        std::string text;
        for (const auto& [fact, begin] :
             {std::pair{"cublas.first", "R2 MiB: cuBLAS "}, std::pair{"cublas.second", ", second "},
              std::pair{"cusolver.first", ", cuSOLVER "}, std::pair{"cusolver.second", ", second "},
              std::pair{"cusolver.first_use", ", first use "}}) {
            if (const auto bytes = number_of(std::string("handles.") + fact, "bytes")) {
                text += begin + mib(*bytes);
            }
        }
        return text;
    }

    [[nodiscard]] std::string host_buffers() const {
        std::optional<double> most;
        for (const Fact* fact : facts_) {
            for (const auto& [key, value] : fact->values) {
                if (fact->name.starts_with("buffers.") && key.starts_with("host_")) {
                    most = std::max(most.value_or(0), number(*fact, key).value_or(0));
                }
            }
        }
        return most ? "R9 host bytes " + whole(*most) : "";
    }

    /// The call's name if the fact is of a capture.
    static std::string captured_call(const Fact& fact, const std::string& how) {
        for (const char* mode : {"thread_local", "global"}) {
            const std::string call =
                how == "cold" ? between(fact.name, std::string("cold_capture.") + mode + ".", "")
                              : between(fact.name, "", std::string(".capture.") + mode);
            if (!call.empty()) {
                return first_word(call);
            }
        }
        return "";
    }

    struct Captures {
        int all = 0, captured = 0;
        std::set<std::string> refused;
    };
    [[nodiscard]] Captures count_captures(const std::string& how) const {
        Captures count;
        for (const Fact* fact : facts_) {
            const std::string call = captured_call(*fact, how);
            if (call.empty() || find(*fact, "captured") == nullptr) {
                continue;
            }
            ++count.all;
            if (is(*fact, "captured", true)) {
                ++count.captured;
            } else {
                count.refused.insert(call);
            }
        }
        return count;
    }
    [[nodiscard]] std::string captures(const std::string& how) const {
        const Captures count = count_captures(how);
        const bool as_warm = how == "cold" && count.refused == count_captures("warm").refused;
        return count.all == 0
                   ? ""
                   : how + " " + std::to_string(count.captured) + " of " +
                         std::to_string(count.all) +
                         (count.refused.empty() || as_warm ? "" : ", NOT " + joined(count.refused));
    }

    [[nodiscard]] std::string replays() const {
        int all = 0;
        int bad = 0;
        for (const Fact* fact : facts_) {
            if (is(*fact, "captured", true)) {
                ++all;
                bad += is(*fact, "same_bits_as_plain", true) &&
                               is(*fact, "same_bits_on_other_stream", true)
                           ? 0
                           : 1;
            }
        }
        return all == 0   ? ""
               : bad == 0 ? "replays equal"
                          : "REPLAYS DIFFER or fail in " + std::to_string(bad);
    }

    static std::string call_of(const Fact& fact) {
        const std::string cold = between(fact.name, "first_call.", "");
        return first_word(cold.empty() ? fact.name : cold);
    }

    /// `what`: wait, allocate; `when`: first, later.
    [[nodiscard]] std::string calls_that(const std::string& what, const std::string& when) const {
        std::set<std::string> names;
        int all = 0;
        for (const Fact* fact : facts_) {
            if (what == "wait" && find(*fact, when) != nullptr &&
                fact->name.ends_with(".asynchronous")) {
                ++all;
                if (is(*fact, when, false)) {
                    names.insert(call_of(*fact));
                }
            } else if (const auto bytes = number(*fact, when + "_bytes");
                       what == "allocate" && bytes) {
                ++all;
                if (*bytes > 0 || number(*fact, when + "_pool_bytes").value_or(0) > 0) {
                    names.insert(call_of(*fact));
                }
            }
        }
        return all == 0 ? "" : when + " " + what + ": " + (names.empty() ? "none" : joined(names));
    }

    [[nodiscard]] std::string alignment() const {
        std::set<std::string> fail;
        int all = 0;
        for (const Fact* fact : facts_) {
            const std::string which = between(fact->name, "alignment.", "");
            all += which.empty() ? 0 : 1;
            if (!which.empty() && is(*fact, "works", false)) {
                fail.insert(which);
            }
        }
        return all == 0 ? ""
                        : "R7 misaligned " + (fail.empty() ? "works" : "FAILS: " + joined(fail));
    }

    [[nodiscard]] std::string limits(const std::string& begin, const std::string& what) const {
        int all = 0;
        std::int64_t longest = 0;
        std::set<std::string> wrong;
        for (const Fact* fact : facts_) {
            if (!fact->name.starts_with(begin)) {
                continue;
            }
            ++all;
            for (const auto& [length, verdict] : fact->values) {
                if (verdict == Value(std::string("right"))) {
                    longest = std::max<std::int64_t>(longest, std::atoll(length.c_str()));
                } else {
                    wrong.insert(first_word(fact->name.substr(begin.size())) + " " + length);
                }
            }
        }
        return all == 0 ? ""
                        : what + (wrong.empty() ? " right to " + std::to_string(longest)
                                                : " WRONG: " + joined(wrong));
    }

    /// From which order on single calls are faster than a batched one, at three batches.
    [[nodiscard]] std::string one_by_one(const std::string& type) const {
        const std::string begin = "potrf." + type + ".n";
        std::string text;
        for (const char* batch : {"1", "4", "16"}) {
            std::map<std::int64_t, bool> wins;
            for (const Fact* fact : facts_) {
                const auto batched = number(*fact, std::string("batched_us_") + batch);
                const auto each = number(*fact, std::string("each_us_") + batch);
                const std::string order = between(fact->name, begin, "");
                if (!order.empty() && batched && each) {
                    wins[std::atoll(order.c_str())] = *each < *batched;
                }
            }
            std::string from = wins.empty() ? "?" : "-";
            for (auto it = wins.rbegin(); it != wins.rend() && it->second; ++it) {
                from = std::to_string(it->first);
            }
            text += (text.empty() ? "" : "/") + from;
        }
        return text == "?/?/?" ? "" : type + " " + text;
    }

    [[nodiscard]] std::string gram() const {
        double worst = 0;
        std::string where;
        for (const Fact* fact : facts_) {
            const std::string size = between(fact->name, "gram.", "");
            const auto nt = number(*fact, "nt_us");
            const auto tn = number(*fact, "tn_us");
            if (!size.empty() && nt && tn && *nt / *tn > worst) {
                worst = *nt / *tn;
                where = size;
            }
        }
        return where.empty() ? ""
                             : "P6 Gram (N,T)/(T,N) at most " + short_number(worst) + ", " + where;
    }

    [[nodiscard]] std::string solves() const {
        Range ratio;
        std::string best;
        for (const Fact* fact : facts_) {
            const std::string size = between(fact->name, "solves.", "");
            const auto two = number(*fact, "two_solves_us");
            const auto products = number(*fact, "inverse_two_products_us");
            const auto product = number(*fact, "inverse_one_product_us");
            if (!size.empty() && two && products && product) {
                const double least = ratio.least;
                const bool first = ratio.empty;
                ratio.add(std::min(*products, *product) / *two);
                best = first || ratio.least < least ? size : best;
            }
        }
        return ratio.empty ? "" : "P7 inverse/trsm " + ratio.text() + ", least at " + best;
    }

    [[nodiscard]] std::string slices() const {
        std::map<std::string, std::pair<double, std::string>> best;  // by size: time, working set
        for (const Fact* fact : facts_) {
            const std::string row = between(fact->name, "slice.", "MiB");
            const auto us = number(*fact, "us");
            if (row.empty() || !us) {
                continue;
            }
            const std::string size = row.substr(0, row.rfind('.'));
            const auto [found, is_new] = best.try_emplace(size, *us, "");
            if (is_new || *us < found->second.first) {
                found->second = {*us, row.substr(row.rfind('.') + 1)};
            }
        }
        std::string text;
        for (const auto& [size, fastest] : best) {
            text += (text.empty() ? "P8 MiB " : ", ") + size + " " + fastest.second;
        }
        return text;
    }

    [[nodiscard]] std::string fills() const {
        Range batched;
        Range single;
        for (const Fact* fact : facts_) {
            for (const auto& [which, range] :
                 {std::pair{"_batched_us", &batched}, std::pair{"_single_us", &single}}) {
                const auto upper = number(*fact, std::string("upper") + which);
                const auto lower = number(*fact, std::string("lower") + which);
                if (fact->name.starts_with("fill.") && upper && lower) {
                    range->add(*lower / *upper);
                }
            }
        }
        return batched.empty || single.empty
                   ? ""
                   : "lower/upper " + batched.text() + ", single " + single.text();
    }

    std::vector<const Fact*> facts_;
    std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> summarize(const std::vector<Outcome>& outcomes) {
    return Summary(outcomes).lines();
}

}  // namespace matgrad::probe
