#pragma once
/// \file Times on the device, by events.

#include <functional>

#include "device.hpp"
#include "fact.hpp"

namespace matgrad::probe {

class Stopwatch {
public:
    /// Keeps the device busy for 100 ms: the clock of an idle GPU is low.
    Stopwatch(const Stream& stream, const Recorder& recorder);

    /// Median time of `work` in microseconds; `before` runs before each and is not counted. Where
    /// nothing has to be done before, short work is done several times between two events.
    [[nodiscard]] double us(const std::function<void()>& work,
                            const std::function<void()>& before = {}) const;
    /// Time of the host for one of many calls, the stream empty at first.
    [[nodiscard]] double host_us(const std::function<void()>& work, int count) const;

private:
    [[nodiscard]] double once(const std::function<void()>& work,
                              const std::function<void()>& before, int count) const;

    const Stream& stream_;
    Event begin_, end_;
    double enough_us_;  ///< of all repeats of one measurement together
};

/// "12.3 us"; "FAILS: ..." for work that fails, unless it breaks the device.
struct Measured {
    double us = 0;
    std::string failure;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Value value() const;
};
[[nodiscard]] Measured measure(const Stopwatch& stopwatch, const std::function<void()>& work,
                               const std::function<void()>& before = {});

/// "12.3", three digits that count.
[[nodiscard]] std::string short_number(double number);

}  // namespace matgrad::probe
