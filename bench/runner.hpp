#pragma once
/// \file Runs cases on one device and makes their rows.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/answers.hpp"
#include "bench/row.hpp"

namespace matgrad::bench {

/// A row whose results are right, with all that it takes to measure it: operands, results, a plan.
class Ready {
public:
    virtual ~Ready() = default;
    /// Errors: whatever `pace.check_stop` throws; those of what computes the case.
    [[nodiscard]] virtual Timing measure(const Pace& pace) = 0;
};

/// A row without its time.
struct Checked {
    Row row;
    std::unique_ptr<Ready> ready;  ///< null where the row has an error
};

class Runner {
public:
    virtual ~Runner() = default;
    [[nodiscard]] virtual std::string device() const = 0;
    [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> versions() const = 0;
    /// Of a run that uses this many threads of the processor; measured at first use.
    [[nodiscard]] virtual const Ceilings& ceilings(int threads) = 0;
    /// They are measured again when they are used next.
    virtual void forget_ceilings() = 0;
    /// Processor threads of cases that do not fix them.
    [[nodiscard]] int threads() const noexcept { return threads_; }

    /// The most threads that a case may fix; 0 on a GPU.
    [[nodiscard]] virtual int most_threads() const = 0;

    /// Who computes the case: each gets a row. Empty if it is not offered.
    [[nodiscard]] virtual std::vector<std::string> executors(const Case& c) const = 0;

    /// Makes one of the executors ready and checks its results. What goes wrong is the row's error.
    /// Errors   Interrupted.
    [[nodiscard]] Checked prepare(const Case& c, const std::string& executor);
    /// Does so, and measures it.
    /// Errors   Interrupted, and whatever `pace.check_stop` throws.
    [[nodiscard]] Row run(const Case& c, const std::string& executor, const Pace& pace);
    /// The first of the executors.
    [[nodiscard]] Row run(const Case& c, const Pace& pace) {
        return run(c, executors(c).at(0), pace);
    }
    [[nodiscard]] AnswerBook& answers() noexcept { return answers_; }

protected:
    explicit Runner(int threads) : threads_(threads) {}
    /// Of a run with so many threads of the processor.
    [[nodiscard]] virtual double bound_seconds(const Work& work, ScalarType type, int threads) = 0;
    /// By row.executor: fills residual, copies and the seconds of the plan.
    [[nodiscard]] virtual std::unique_ptr<Ready> make_ready(Row& row,
                                                            const std::vector<Answer>& answers) = 0;

private:
    int threads_;
    AnswerBook answers_;
};

/// Operands and results of one copy, in the order of Case::operands and of the results of a plan.
using Call = std::function<void(std::span<const ConstStrided>, std::span<const Strided>)>;

/// A case made ready.
struct Prepared {
    Prepared(Call how, double seconds = kNone) : call(std::move(how)), plan_seconds(seconds) {}
    Call call;
    double plan_seconds;  ///< of making a plan, its kernels compiled; none where nothing is made
};

/// Somebody who computes cases on the processor: matgrad, or a peer.
struct Contender {
    std::string executor;
    /// Made ready for a case and a number of threads.
    std::function<Prepared(const Case& c, int threads)> prepare;
    std::function<bool(const Case& c)> offers = [](const Case&) { return true; };
    /// At most so many copies of operands and results take turns; without a limit they lie beyond the cache.
    std::int64_t most_copies = std::numeric_limits<std::int64_t>::max();
};

/// matgrad on the processor: a plan made once, workspace and status reused.
[[nodiscard]] Contender matgrad_on_cpu();

[[nodiscard]] std::unique_ptr<Runner> make_cpu_runner(Contender contender, int threads);

/// matgrad on one GPU, small batches also by graphs: what enqueue takes, by the events of the device.
/// Errors: MachineError.
[[nodiscard]] std::unique_ptr<Runner> make_gpu_runner(const Device& device);

/// What a plan would tell of the results of a case.
[[nodiscard]] std::vector<OutputInfo> results_of(const Case& c);

}  // namespace matgrad::bench
