#pragma once
/// \file A line on the terminal that says how far a long run is.

#include <chrono>
#include <cstdint>
#include <string>

namespace matgrad {

/// Draws on stderr if that is a terminal, otherwise does nothing. One thread at a time.
class Progress {
public:
    /// `what` names the things that are counted.
    explicit Progress(std::int64_t total, std::string what = "problems");
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `done` of the total; drawn at most ten times a second.
    void update(std::int64_t done);
    /// Makes room for a line of the result.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    void draw(std::int64_t done, double seconds) const;

    std::int64_t total_;
    std::string what_;
    bool is_terminal_;
    bool was_drawn_ = false;
    Clock::time_point start_;
    Clock::time_point last_;
};

}  // namespace matgrad
