#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace matgrad {
namespace {

constexpr int kWidth = 30;
constexpr auto kInterval = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(std::int64_t total, std::string what)
    : total_(total),
      what_(std::move(what)),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
    clear();
}

void Progress::clear() {
    if (was_drawn_) {
        std::fputs("\r\033[K", stderr);  // the line is not part of the result
        std::fflush(stderr);
        was_drawn_ = false;
    }
}

void Progress::update(std::int64_t done) {
    const Clock::time_point now = Clock::now();
    if (!is_terminal_ || total_ <= 0 || now - last_ < kInterval) {
        return;
    }
    last_ = now;
    was_drawn_ = true;
    draw(done, std::chrono::duration<double>(now - start_).count());
}

void Progress::draw(std::int64_t done, double seconds) const {
    const double share = static_cast<double>(done) / static_cast<double>(total_);
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kWidth);
    const double rate = static_cast<double>(done) / seconds;
    const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
    fmt::print(stderr, "\r[{}{}] {:3.0f}%  {}/{} {}  {:.0f}/s  {:.0f} s left\033[K",
               std::string(filled, '#'), std::string(kWidth - filled, '.'), 100 * share, done,
               total_, what_, rate, left);
    std::fflush(stderr);
}

}  // namespace matgrad
