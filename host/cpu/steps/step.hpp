#pragma once
/// \file A step of the CPU executor: made once from the Program, its kernel chosen then.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {

/// Values that a step in lanes asks for when it needs them.
class LateValues {
public:
    /// With kLanes lanes.
    [[nodiscard]] virtual View brought(ValueId id) const = 0;

protected:
    ~LateValues() = default;
};

/// What a step works on: a tile of problems.
struct StepRun {
    View* values;      ///< by value id: of the first problem, or of all lanes
    Scratch* scratch;  ///< of this thread
    std::int32_t*
        status;  ///< of each problem or lane: 0, or kind and number of its first bad pivot
    std::int64_t problems = 1;
    Threads threads = {};            ///< that may share a large step
    const char* streamed = nullptr;  ///< by value id: is it written past the caches? Null: none is
    const char* followed =
        nullptr;  ///< by value id: does that of the next tile follow in memory, far from the caches? Null: no
    const LateValues* late = nullptr;  ///< roots of factors; null: they are among the values
    std::int64_t groups = 1;           ///< of kLanes problems in lanes

    [[nodiscard]] bool is_streamed(ValueId id) const {
        return streamed != nullptr && streamed[id] != 0;
    }
    [[nodiscard]] bool is_followed(ValueId id) const {
        return followed != nullptr && followed[id] != 0;
    }
};

class CpuStep {
public:
    virtual ~CpuStep() = default;
    CpuStep(const CpuStep&) = delete;
    CpuStep& operator=(const CpuStep&) = delete;

    void run(const StepRun& run) const {
        run.scratch->begin_step(name_.c_str(), scratch_bytes_);
        compute(run);
    }
    /// The most that a run takes.
    [[nodiscard]] std::int64_t scratch_bytes() const { return scratch_bytes_; }
    /// Predicted, of one problem on one thread.
    [[nodiscard]] double nanoseconds() const { return nanoseconds_; }
    /// May it call the BLAS library?
    [[nodiscard]] virtual bool calls_blas() const { return false; }
    /// Does it take several groups in lanes at once (StepRun::groups)?
    [[nodiscard]] virtual bool takes_groups() const { return false; }
    /// Its text in the Program.
    [[nodiscard]] const std::string& name() const { return name_; }

protected:
    CpuStep(std::string name, std::int64_t scratch_bytes, double nanoseconds)
        : name_(std::move(name)), scratch_bytes_(scratch_bytes), nanoseconds_(nanoseconds) {}
    virtual void compute(const StepRun& run) const = 0;

private:
    std::string name_;
    std::int64_t scratch_bytes_;
    double nanoseconds_;
};

using CpuStepPtr = std::unique_ptr<const CpuStep>;

}  // namespace matgrad::detail
