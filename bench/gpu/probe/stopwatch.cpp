#include "stopwatch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace matgrad::probe {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kMostRepeats = 15;
constexpr int kMostInOne = 100;
constexpr double kLongUs = 20e3;  // such work is not measured three times
constexpr double kShortUs = 200;  // shorter work is repeated between two events

double us_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

}  // namespace

Stopwatch::Stopwatch(const Stream& stream, const Recorder& recorder)
    : stream_(stream), enough_us_(recorder.small() ? 500 : 10e3) {
    const double warm_up_us = recorder.small() ? 100 : 100e3;
    const Buffer from(std::size_t{recorder.small() ? 1U : 64U} << 20);
    const Buffer to(from.bytes());
    MATGRAD_PROBE(cudaMemsetAsync(from.data(), 1, from.bytes(), stream.get()));
    const auto begin = Clock::now();
    do {
        for (int i = 0; i < 10; ++i) {
            copy(to, from, stream.get());
        }
        stream.wait();
    } while (us_since(begin) < warm_up_us);
}

double Stopwatch::us(const std::function<void()>& work, const std::function<void()>& before) const {
    const double first = std::max(once(work, before, 1), 1e-3);
    const double second = std::max(once(work, before, 1), 1e-3);
    const int in_one =
        before ? 1 : static_cast<int>(std::clamp(kShortUs / second, 1.0, double{kMostInOne}));
    const double each = std::min(first, second) * in_one;
    const double least = each > kLongUs ? 1 : 3;
    const auto repeats =
        static_cast<int>(std::clamp(enough_us_ / each, least, double{kMostRepeats}));
    std::vector<double> times;
    for (int i = 0; i < repeats; ++i) {
        times.push_back(once(work, before, in_one) / in_one);
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

double Stopwatch::once(const std::function<void()>& work, const std::function<void()>& before,
                       int count) const {
    if (before) {
        before();
    }
    MATGRAD_PROBE(cudaEventRecord(begin_.get(), stream_.get()));
    for (int i = 0; i < count; ++i) {
        work();
    }
    MATGRAD_PROBE(cudaEventRecord(end_.get(), stream_.get()));
    MATGRAD_PROBE(cudaEventSynchronize(end_.get()));
    float milliseconds = 0;
    MATGRAD_PROBE(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()));
    return 1e3 * static_cast<double>(milliseconds);
}

double Stopwatch::host_us(const std::function<void()>& work, int count) const {
    work();
    stream_.wait();
    const auto begin = Clock::now();
    for (int i = 0; i < count; ++i) {
        work();
    }
    const double us = us_since(begin) / count;
    stream_.wait();
    return us;
}

std::string Measured::text() const {
    return failure.empty() ? short_number(us) + " us" : "FAILS: " + failure;
}

Value Measured::value() const {
    return failure.empty() ? Value(us) : Value("FAILS: " + failure);
}

Measured measure(const Stopwatch& stopwatch, const std::function<void()>& work,
                 const std::function<void()>& before) {
    try {
        return {stopwatch.us(work, before), ""};
    } catch (const CallFailed& error) {
        MATGRAD_PROBE(cudaDeviceSynchronize());
        return {0, error.what()};
    }
}

std::string short_number(double number) {
    char buffer[32];
    (void)std::snprintf(buffer, sizeof buffer, number < 999.5 ? "%.3g" : "%.0f", number);
    return buffer;
}

}  // namespace matgrad::probe
