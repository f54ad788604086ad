#include "cuda/finisher.hpp"

#include <algorithm>
#include <utility>

#include "cuda/host_results.hpp"
#include "matgrad/status.hpp"
#include "program/cofactors.hpp"
#include "program/gram_limits.hpp"

namespace matgrad::gpu {
namespace {

/// Results of so many bytes are made at once.
constexpr std::int64_t kPieceBytes = std::int64_t{64} << 20;

bool can_be_mended(const Program& program) {
    return std::any_of(program.steps.begin(), program.steps.end(), [&program](const Step& step) {
        const auto* potrf = std::get_if<Potrf>(&step.operation);
        return potrf != nullptr &&
               (potrf->jitter || matgrad::detail::is_with_care(program, step, *potrf));
    });
}

/// A Gram matrix that is singular by its shape has a factor with jitter, and a singular matrix has cofactors: of no
/// document is it known what a library leaves behind a pivot of 0, so none is relied upon.
bool mends_singular(const Program& program) {
    return std::any_of(program.steps.begin(), program.steps.end(), [&program](const Step& step) {
        const auto* potrf = std::get_if<Potrf>(&step.operation);
        return (potrf != nullptr && potrf->jitter) ||
               matgrad::detail::feeds_cofactors(program, step);
    });
}

bool is_term(const Program& program, ValueId id) {
    return std::any_of(program.steps.begin(), program.steps.end(), [id](const Step& step) {
        const auto* sum = std::get_if<BatchReduce>(&step.operation);
        return sum != nullptr && sum->a.value == id;
    });
}

bool is_folded(const Step& step) {
    return step.fold == Fold::inner;
}

/// A step behind the first folded one makes terms, whose problems the former has added up already.
bool sums_too_early(const Program& program) {
    const auto folded = std::find_if(program.steps.begin(), program.steps.end(), is_folded);
    return folded != program.steps.end() &&
           std::any_of(folded + 1, program.steps.end(), [&program](const Step& step) {
               return step.scope == Scope::problem && is_term(program, step.out);
           });
}

}  // namespace

/// Some of the problems, and room for their results.
class Finisher::Piece {
public:
    Piece(const Program& program, const HostCall& call, std::span<const std::int64_t> problems)
        : program_(program),
          call_(call),
          problems_(problems),
          status_(problems.size()),
          results_(program.outputs.size()) {
        for (std::size_t i = 0; i < results_.size(); ++i) {
            HostPart part = part_of(program, program.outputs[i]);
            part.count = is_per_problem(program, program.outputs[i]) ? count() : 1;
            results_[i].resize(static_cast<std::size_t>((part.bytes() + 7) / 8));
        }
    }

    void run(const Executor& executor, const RunHooks& hooks) {
        std::vector<std::int64_t> rows(problems_.begin(), problems_.end());
        for (std::int64_t& row : rows) {
            row = call_.rows.empty() ? row : call_.rows[static_cast<std::size_t>(row)];
        }
        std::vector<Strided> results;
        for (std::size_t i = 0; i < results_.size(); ++i) {
            const HostPart part = part_of(program_, program_.outputs[i]);
            results.push_back(Strided::contiguous(results_[i].data(), part.rows, part.cols));
        }
        HostCall call;
        call.batch = count();
        call.operands = call_.operands;
        call.results = results;
        call.status = status_;
        call.rows = rows;
        call.parallel = call_.parallel;
        (void)executor.run(call, hooks);
    }

    void write(bool single_results, const Copying& copying) const {
        const auto failed = count_failed();
        for (std::size_t i = 0; i < results_.size(); ++i) {
            const ProgramOutput& output = program_.outputs[i];
            const auto* from = reinterpret_cast<const std::byte*>(results_[i].data());
            HostPart part = part_of(program_, output);
            if (is_per_problem(program_, output)) {
                for (std::size_t k = 0; k < problems_.size(); ++k, from += part.bytes()) {
                    part.first = problems_[k];
                    unpack(from, part, call_.results[i], copying, {beta_of(call_, i), &status_[k]});
                }
            } else if (single_results && program_.value(output.value).scope != Scope::reduced) {
                const bool lost = failed == count() && is_all_nan(from, part);
                unpack(from, part, call_.results[i], copying,
                       {beta_of(call_, i), lost ? &kLost : nullptr});
            }
        }
        for (std::size_t k = 0; k < problems_.size() && !call_.status.empty(); ++k) {
            call_.status[static_cast<std::size_t>(problems_[k])] = status_[k];
        }
    }

    void add_to(FinishedPart& part) const {
        part.failed += count_failed();
        for (std::size_t i = 0; i < results_.size(); ++i) {
            add_to_sum(reinterpret_cast<const std::byte*>(results_[i].data()), program_.type,
                       part.sums[i]);
        }
    }

private:
    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(problems_.size()); }
    [[nodiscard]] std::int64_t count_failed() const {
        return count() - std::count_if(status_.begin(), status_.end(), succeeded);
    }

    const Program& program_;
    const HostCall& call_;
    std::span<const std::int64_t> problems_;
    std::vector<std::int32_t> status_;
    std::vector<std::vector<double>> results_;  ///< of either type
};

Finisher::Finisher(const Program& program, MakeExecutor make)
    : program_(program),
      make_(std::move(make)),
      mends_(make_ && can_be_mended(program)),
      mends_singular_(make_ && mends_singular(program)),
      sums_products_(make_ && std::any_of(program.steps.begin(), program.steps.end(), is_folded)),
      sums_too_early_(make_ && sums_too_early(program)) {
    for (ProgramOutput& output : program_.outputs) {
        output.mean = false;
    }
}

bool Finisher::takes(std::int32_t status) const {
    const StatusKind kind = status_kind(status);
    const bool is_rough = kind == StatusKind::ill_conditioned || kind == StatusKind::not_positive;
    return (mends_ && is_rough) || (mends_singular_ && kind == StatusKind::singular);
}

bool Finisher::takes_all(std::span<const std::int32_t> status,
                         std::span<const std::byte* const> results) const {
    if (!sums_products_) {
        return false;
    }
    constexpr std::int32_t kNotFinite = make_status(StatusKind::not_finite);
    if (sums_too_early_ && std::find(status.begin(), status.end(), kNotFinite) != status.end()) {
        return true;
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        const ProgramOutput& output = program_.outputs[i];
        if (program_.value(output.value).scope == Scope::reduced &&
            !is_all_finite(results[i], part_of(program_, output))) {
            return true;
        }
    }
    return false;
}

const Executor& Finisher::executor() const {
    const std::lock_guard lock(mutex_);
    if (executor_ == nullptr) {
        executor_ = make_(program_);
    }
    return *executor_;
}

std::int64_t Finisher::result_bytes() const {
    std::int64_t bytes = 1;
    for (const ProgramOutput& output : program_.outputs) {
        bytes += is_per_problem(program_, output) ? part_of(program_, output).bytes() : 0;
    }
    return bytes;
}

FinishedPart Finisher::operator()(const HostCall& call, std::span<const std::int64_t> problems,
                                  bool single_results, const Copying& copying,
                                  const RunHooks& hooks) const {
    FinishedPart finished{empty_sums(program_), 0};
    const auto most =
        static_cast<std::size_t>(std::max<std::int64_t>(1, kPieceBytes / result_bytes()));
    std::size_t first = 0;
    do {
        Piece piece(program_, call,
                    problems.subspan(first, std::min(most, problems.size() - first)));
        RunHooks own;
        if (hooks.advance) {
            own.advance = [&hooks, first](std::int64_t done) {
                return hooks.advance(static_cast<std::int64_t>(first) + done);
            };
        }
        piece.run(executor(), own);
        piece.write(single_results && first == 0, copying);
        piece.add_to(finished);
        first += most;
    } while (first < problems.size());
    return finished;
}

void Finisher::release() const noexcept {
    const std::lock_guard lock(mutex_);
    if (executor_ != nullptr) {
        executor_->release();
    }
}

}  // namespace matgrad::gpu
