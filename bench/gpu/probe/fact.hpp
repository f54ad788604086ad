#pragma once
/// \file What the probe finds out: facts. A child process hands them to its parent as lines of JSON.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace matgrad::probe {

/// A raw number of a fact. NaN and infinities are kept, as text.
using Value = std::variant<bool, std::int64_t, double, std::string>;
using Values = std::vector<std::pair<std::string, Value>>;

enum class Verdict {
    ok,
    surprising,  ///< matgrad's results stay right, but it counts on something else
    wrong        ///< matgrad's results are wrong, or it fails
};
[[nodiscard]] const char* name_of(Verdict verdict);
/// The worse one.
void worsen(Verdict& verdict, Verdict by);

struct Fact {
    std::string name;    ///< potrf_batched.f32.64.asynchronous
    std::string call;    ///< cusolverDnSpotrfBatched, or empty
    std::string answer;  ///< one short line
    Values values;
    Verdict verdict = Verdict::ok;
};

/// One line, without its end. What is not UTF-8 in it is replaced.
[[nodiscard]] std::string to_line(const Fact& fact);
/// Empty for a line that holds no fact.
[[nodiscard]] std::optional<Fact> read_line(const std::string& line);

/// Where a part of the probe puts what it finds; and what it has to know of the run.
class Recorder {
public:
    /// Facts go to stdout, each at once: what follows may end the process.
    Recorder(bool small, double seconds);

    void add(const Fact& fact) const;
    /// Sizes are to be small: the simulated GPU is slow.
    [[nodiscard]] bool small() const { return small_; }
    /// Seconds until the parent ends this process.
    [[nodiscard]] double seconds_left() const;
    /// There is time for something that takes `seconds`; if not, a fact says that `name` is left out.
    [[nodiscard]] bool has_time(const std::string& name, double seconds = 0) const;

private:
    bool small_;
    std::chrono::steady_clock::time_point end_;
};

/// The rows of a sweep: one that is going to take longer than there is time is left out, not killed.
class Rows {
public:
    explicit Rows(const Recorder& recorder) : recorder_(recorder) {}
    /// There is time for a row, by the last one's time. `cost`: its work, in any unit.
    [[nodiscard]] bool next(const std::string& name, double cost);

private:
    const Recorder& recorder_;
    double cost_ = 0;     ///< of the last row that was measured
    double before_ = 0;   ///< time left before it
    double seconds_ = 0;  ///< that it took
};

}  // namespace matgrad::probe
