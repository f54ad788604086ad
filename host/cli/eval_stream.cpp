#include "cli/eval_stream.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <new>
#include <optional>

#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "matgrad/status.hpp"

namespace matgrad {
namespace {

// In another thread, or by whoever waits for it if the system gives no thread.
constexpr auto kWhereItCan = std::launch::async | std::launch::deferred;

/// Memory aligned as a workspace has to be, not initialised.
class Buffer {
public:
    explicit Buffer(std::int64_t bytes)
        : size_(static_cast<std::size_t>(bytes)),
          data_(static_cast<std::byte*>(::operator new (size_, std::align_val_t{64}))) {}
    [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::span<std::byte> span() const noexcept { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* data) const noexcept {
            ::operator delete (data, std::align_val_t{64});
        }
    };
    std::size_t size_;
    std::unique_ptr<std::byte[], Free> data_;
};

std::int64_t entries(const OutputInfo& output, std::int64_t problems) {
    return output.rows * output.cols * (output.batched ? problems : 1);
}

/// Bytes of one problem in a piece: operands, results, status.
std::int64_t problem_bytes(const EvalRequest& request, std::span<const OutputInfo> outputs) {
    std::int64_t count = 0;
    for (const OperandSource& source : request.sources) {
        count += source.entries(1) * (source.operand().batched ? 1 : 0);
    }
    for (const OutputInfo& output : outputs) {
        count += entries(output, 1) * (output.batched ? 1 : 0);
    }
    return count * size_of(request.options.type) + std::int64_t{sizeof(std::int32_t)};
}

/// Room for one piece; two of them take turns. While the results of one piece are written, the
/// operands of the piece after the next are read into the same slot: each side has its own count.
struct Slot {
    std::vector<Buffer> operands;  ///< empty for shared operands
    std::int64_t first = 0;
    std::int64_t count = 0;

    std::vector<Buffer> results;
    std::vector<std::int32_t> status;  ///< one for each problem of the results
};

class Stream {
public:
    Stream(const EvalRequest& request, const Plan& plan, std::int64_t memory, ResultFiles& files)
        : request_(request),
          plan_(plan),
          files_(files),
          size_(size_of(request.options.type)),
          piece_(piece_size(request, plan.outputs(), memory)),
          progress_(request.batch) {
        for (const OperandSource& source : request.sources) {
            const bool batched = source.operand().batched;
            shared_.emplace_back(batched ? 0 : source.entries(1) * size_);
            if (!batched) {
                source.read(0, 1, request.options.type, shared_.back().data());
            }
        }
        const bool reduces = std::any_of(plan.outputs().begin(), plan.outputs().end(), is_reduced);
        if (reduces && plan.device().kind == DeviceKind::cpu) {
            parts_.emplace(plan, request.batch);
            piece_ = std::max<std::int64_t>(1, piece_ / parts_->multiple()) * parts_->multiple();
        }
        for (const OutputInfo& output : plan.outputs()) {
            totals_.reduced.emplace_back(
                is_reduced(output) ? static_cast<std::size_t>(entries(output, 1)) : 0);
        }
    }

    StreamTotals run(const std::function<void(const Piece&)>& visit) {
        Slot slots[2] = {make_slot(), make_slot()};
        if (divides_problems() && piece_ < request_.batch) {
            count_successes(slots[0]);
        }
        std::future<void> read;
        std::future<void> written;
        fill(slots[0], 0);
        // The loop runs once even for an empty batch: sums over nothing are results too.
        for (int turn = 0;; turn ^= 1) {
            Slot& slot = slots[turn];
            const std::int64_t next = slot.first + slot.count;
            if (next < request_.batch) {
                Slot& other = slots[turn ^ 1];
                read = std::async(kWhereItCan, [this, &other, next] { fill(other, next); });
            }
            compute(slot, visit);
            if (written.valid()) {
                written.get();
            }
            written = std::async(kWhereItCan, [this, &slot] { write(slot); });
            if (next >= request_.batch) {
                break;
            }
            read.get();
        }
        if (written.valid()) {
            written.get();
        }
        finish_reduction();
        return std::move(totals_);
    }

private:
    [[nodiscard]] static bool is_reduced(const OutputInfo& output) {
        return !output.batched && output.reduction != Reduction::none;
    }
    [[nodiscard]] bool is_mean() const { return request_.options.reduction == Reduction::mean; }
    /// Results of each problem are divided by the count of those that succeed in the whole batch.
    [[nodiscard]] bool divides_problems() const {
        const std::vector<OutputInfo>& outputs = plan_.outputs();
        return is_mean() && std::any_of(outputs.begin(), outputs.end(),
                                        [](const OutputInfo& o) { return o.batched; });
    }

    Slot make_slot() const {
        Slot slot;
        const std::int64_t count = std::min(piece_, request_.batch);
        for (const OperandSource& source : request_.sources) {
            slot.operands.emplace_back(source.operand().batched ? source.entries(count) * size_
                                                                : 0);
        }
        for (const OutputInfo& output : plan_.outputs()) {
            slot.results.emplace_back(entries(output, count) * size_);
        }
        return slot;
    }

    void fill(Slot& slot, std::int64_t first) const {
        slot.first = first;
        slot.count = std::min(piece_, request_.batch - first);
        for (std::size_t i = 0; i < request_.sources.size(); ++i) {
            if (request_.sources[i].operand().batched) {
                request_.sources[i].read(first, slot.count, request_.options.type,
                                         slot.operands[i].data());
            }
        }
        stop_if_interrupted();
    }

    [[nodiscard]] std::vector<OperandView> operands_of(const Slot& slot) const {
        std::vector<OperandView> operands;
        for (std::size_t i = 0; i < request_.sources.size(); ++i) {
            const OperandSource& source = request_.sources[i];
            const Buffer& data = source.operand().batched ? slot.operands[i] : shared_[i];
            operands.emplace_back(source.view(data.data(), slot.count, request_.options.type));
        }
        return operands;
    }

    [[nodiscard]] std::vector<ResultView> targets_of(const Slot& slot) const {
        std::vector<ResultView> targets;
        for (std::size_t i = 0; i < plan_.outputs().size(); ++i) {
            const OutputInfo& output = plan_.outputs()[i];
            const View matrix(slot.results[i].data(), request_.options.type, output.rows,
                              output.cols, output.cols, 1);
            targets.emplace_back(output.batched ? matrix.batched(slot.count) : matrix);
        }
        return targets;
    }

    RunSummary run_plan(Slot& slot, const std::vector<OperandView>& operands,
                        const std::vector<ResultView>& targets, const RunHooks& hooks,
                        BatchParts* parts = nullptr) {
        slot.status.assign(static_cast<std::size_t>(slot.count), 0);
        RunOptions options;
        options.hooks = hooks;
        options.check_finite = true;
        options.check_structure = request_.verify;
        options.first_problem = slot.first;
        options.parts = parts;
        return plan_.run(operands, targets, slot.status, options);
    }

    void compute(Slot& slot, const std::function<void(const Piece&)>& visit) {
        const std::vector<OperandView> operands = operands_of(slot);
        const std::vector<ResultView> targets = targets_of(slot);
        RunHooks hooks;
        hooks.advance = [&](std::int64_t done) {
            progress_.update(slot.first + done);
            return !interrupted();
        };
        count(slot, run_plan(slot, operands, targets, hooks, parts_ ? &*parts_ : nullptr));
        visit({slot.first, slot.count, operands, targets, slot.status});
        stop_if_interrupted();
    }

    /// A first pass over the whole batch: what is divided by this count is written piece by piece.
    void count_successes(Slot& slot) {
        succeeded_ = 0;
        for (std::int64_t first = 0; first < request_.batch; first += piece_) {
            fill(slot, first);
            const RunHooks hooks{[](std::int64_t) { return !interrupted(); }};
            const RunSummary summary = run_plan(slot, operands_of(slot), targets_of(slot), hooks);
            *succeeded_ += summary.problems - summary.failed;
        }
    }

    void count(const Slot& slot, const RunSummary& summary) {
        totals_.problems += summary.problems;
        totals_.failed += summary.failed;
        for (const std::int32_t status : slot.status) {
            const double jitter = status_jitter(status);
            totals_.jittered += jitter > 0 ? 1 : 0;
            totals_.largest_jitter = std::max(totals_.largest_jitter, jitter);
        }
        if (summary.failed > 0 && totals_.first_failed < 0) {
            const auto at = std::find_if_not(slot.status.begin(), slot.status.end(), succeeded);
            totals_.first_failed = slot.first + (at - slot.status.begin());
            totals_.first_status = *at;
        }
        request_.options.type == ScalarType::float32 ? add<float>(slot) : add<double>(slot);
    }

    template <typename T>
    void add(const Slot& slot) {
        for (std::size_t i = 0; i < totals_.reduced.size(); ++i) {
            const T* from = reinterpret_cast<const T*>(slot.results[i].data());
            // Of parts of a batch the last one has the whole sum; the others have none.
            for (double& sum : totals_.reduced[i]) {
                sum = (parts_ ? 0 : sum) + static_cast<double>(*from++);
            }
        }
    }

    void write(const Slot& slot) {
        const auto problems = static_cast<std::int64_t>(slot.status.size());
        for (std::size_t i = 0; i < slot.results.size(); ++i) {
            const OutputInfo& output = plan_.outputs()[i];
            if (is_reduced(output)) {
                continue;
            }
            const std::int64_t count = entries(output, problems);
            if (is_mean() && output.batched && !is_diagnostic(output.kind)) {
                request_.options.type == ScalarType::float32
                    ? divide<float>(slot.results[i].data(), count)
                    : divide<double>(slot.results[i].data(), count);
            }
            files_.append(i, slot.results[i].data(), count);
        }
        files_.append_status(slot.status);
    }

    template <typename T>
    void divide(std::byte* data, std::int64_t count) const {
        T* entries = reinterpret_cast<T*>(data);
        // Known beforehand, or of the one piece there is.
        const T by = static_cast<T>(succeeded_ ? *succeeded_ : totals_.problems - totals_.failed);
        std::transform(entries, entries + count, entries, [by](T entry) { return entry / by; });
    }

    void finish_reduction() {
        const auto succeeded = static_cast<double>(totals_.problems - totals_.failed);
        for (std::size_t i = 0; i < totals_.reduced.size(); ++i) {
            if (!is_reduced(plan_.outputs()[i])) {
                continue;
            }
            std::vector<double>& total = totals_.reduced[i];
            if (is_mean() && totals_.problems > 0) {
                std::transform(total.begin(), total.end(), total.begin(),
                               [&](double sum) { return sum / succeeded; });
            }
            const std::vector<float> narrow(total.begin(), total.end());
            const void* data = request_.options.type == ScalarType::float32
                                   ? static_cast<const void*>(narrow.data())
                                   : total.data();
            files_.append(i, data, static_cast<std::int64_t>(total.size()));
        }
    }

    const EvalRequest& request_;
    const Plan& plan_;
    ResultFiles& files_;
    std::int64_t size_;
    std::int64_t piece_;
    std::vector<Buffer> shared_;
    Progress progress_;
    std::optional<BatchParts> parts_;        ///< of sums on the processor
    std::optional<std::int64_t> succeeded_;  ///< of the whole batch, where it is known beforehand
    StreamTotals totals_;
};

}  // namespace

std::int64_t piece_size(const EvalRequest& request, std::span<const OutputInfo> outputs,
                        std::int64_t memory) {
    const std::int64_t each = problem_bytes(request, outputs);
    return std::max<std::int64_t>(1, std::min(request.batch, memory / (2 * each)));
}

StreamTotals stream(const EvalRequest& request, const Plan& plan, std::int64_t memory,
                    ResultFiles& files, const std::function<void(const Piece&)>& visit) {
    return Stream(request, plan, memory, files).run(visit);
}

}  // namespace matgrad
