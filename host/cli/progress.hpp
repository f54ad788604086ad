#pragma once
/// \file A line on the terminal that says how far a long run is.

#include <chrono>
#include <cstdint>

namespace matgrad {

/// Draws on stderr if that is a terminal, otherwise does nothing. One thread at a time.
class Progress {
public:
    explicit Progress(std::int64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `done` problems of the total; drawn at most ten times a second.
    void update(std::int64_t done);

private:
    using Clock = std::chrono::steady_clock;
    void draw(std::int64_t done, double seconds) const;

    std::int64_t total_;
    bool is_terminal_;
    bool was_drawn_ = false;
    Clock::time_point start_;
    Clock::time_point last_;
};

}  // namespace matgrad
