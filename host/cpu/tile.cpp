#include "cpu/tile.hpp"

#include <algorithm>
#include <limits>

#include "cpu/compact/compact_steps.hpp"
#include "cpu/compact/kernels.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/plain_steps.hpp"
#include "cpu/plain/step_pairs.hpp"
#include "cpu/plain/transpose.hpp"

namespace matgrad::detail {
namespace {
/// A result larger than this will not be found in the caches: it is written past them.
constexpr std::int64_t kStreamBytes = 4 << 20;
/// A matrix up to this size is written from the cache it was computed in.
constexpr std::int64_t kStagedBytes = 256 << 10;
/// A matrix up to this size finds room beside the one that is worked on.
constexpr std::int64_t kAheadBytes = 16 << 10;

/// Asks for a matrix that is needed soon; wherever its rows really lie, that is harmless.
void ask_for(const View& v, const std::byte* at) {
    constexpr std::int64_t kLine = 64;
    const std::int64_t bytes = v.count() * size_of(v.type);
    for (std::int64_t i = 0; i < bytes && bytes <= kAheadBytes; i += kLine) {
        __builtin_prefetch(at + i);
    }
}
}  // namespace

View result_of(const RunData& run, std::size_t index, std::int64_t problem) {
    const Program& program = run.plan->program;
    const ProgramOutput& output = program.outputs[index];
    const Value& value = run.plan->value(output.value);
    const Batch& to = run.results[index];
    auto* data =
        static_cast<std::byte*>(to.data) + problem * to.batch_stride * size_of(program.type);
    View view{data,          program.type, 1, value.rows.size, value.cols.size,
              to.row_stride, to.col_stride};
    if (output.transposed) {
        std::swap(view.row_stride, view.col_stride);
    }
    return view;
}

TileRunner::Given TileRunner::operand(ValueId id) const {
    const Value& value = plan_.value(id);
    const ConstBatch& from = run_.operands[static_cast<std::size_t>(value.operand)];
    // Views are of writable memory; an operand is only ever read through one.
    auto* data = static_cast<std::byte*>(const_cast<void*>(from.data));
    return {
        id,
        {data, value.type, 1, value.rows.size, value.cols.size, from.row_stride, from.col_stride},
        from.batch_stride * size_of(value.type)};
}

TileRunner::Given TileRunner::result(std::size_t output) const {
    return {plan_.program.outputs[output].value, result_of(run_, output, 0),
            run_.results[output].batch_stride * size_of(plan_.program.type)};
}

TileRunner::TileRunner(const RunData& run, std::byte* tile, Scratch scratch)
    : run_(run), plan_(*run.plan), scratch_(scratch), values_(run.shared) {
    const Program& program = plan_.program;
    const bool compact = plan_.layout == Layout::compact;
    (compact ? gathered_ : in_place_).reserve(program.operands.size() + program.outputs.size());
    results_.reserve(program.outputs.size());
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& value = program.values[i];
        if (value.scope != Scope::problem) {
            continue;
        }
        if (plan_.slots[i] >= 0) {
            values_[i] = row_major(tile + plan_.slots[i], value.type, value.rows.size,
                                   value.cols.size, plan_.lanes);
        }
        if (value.operand >= 0 && value.count() > 0 && (!compact || plan_.slots[i] >= 0)) {
            (compact ? gathered_ : in_place_).push_back(operand(static_cast<ValueId>(i)));
        }
    }
    for (const Given& given : in_place_) {
        values_[static_cast<std::size_t>(given.value)] = given.view;
    }
    for (std::size_t i = 0; i < program.outputs.size() && run_.batch > 0; ++i) {
        const Value& value = plan_.value(program.outputs[i].value);
        if (value.scope != Scope::problem || value.count() == 0) {
            continue;
        }
        const Given to = result(i);
        results_.push_back(to);
        const bool by_rows = to.view.col_stride == 1 && to.view.row_stride >= value.cols.size &&
                             to.view.row_stride <= std::numeric_limits<std::int32_t>::max();
        const bool is_new = std::none_of(in_place_.begin(), in_place_.end(),
                                         [&](const Given& g) { return g.value == to.value; });
        if (value.operand >= 0) {
            copied_.emplace_back(operand(to.value), to);
        } else if (!compact && is_new && value.type == program.type && by_rows &&
                   !(to.view.contiguous() && streams(to.view))) {
            in_place_.push_back(to);
            values_[static_cast<std::size_t>(to.value)] = to.view;
        } else {
            written_.push_back(to);
        }
    }
    if (!compact) {
        order_steps();
    }
}

void TileRunner::order_steps() {
    turns_.reserve(plan_.tile_steps.size());
    std::vector<char> taken(plan_.tile_steps.size(), 0);
    for (std::size_t i = 0; i < plan_.tile_steps.size(); ++i) {
        if (taken[i] != 0) {
            continue;
        }
        const Step* step = plan_.tile_steps[i];
        const auto other = static_cast<std::size_t>(plan_.partners[i]);
        if (plan_.partners[i] >= 0 && can_run_pair(*step, *plan_.tile_steps[other], values_)) {
            turns_.push_back({step, plan_.tile_steps[other]});
            taken[other] = 1;
        } else {
            turns_.push_back({step, nullptr});
        }
    }
}

TileRunner::~TileRunner() {
    lane_flush();
}

bool TileRunner::streams(const View& value) const {
    const std::int64_t bytes = value.count() * size_of(plan_.program.type);
    return bytes <= kStagedBytes && run_.batch * bytes >= kStreamBytes;
}

std::int64_t TileRunner::operator()(std::int64_t first, std::int64_t count, double* sums) {
    std::fill(status_, status_ + plan_.lanes, 0);
    if (plan_.layout == Layout::compact) {
        run_compact(first, count);
    } else {
        run_plain(first);
    }
    gather(count, sums);
    write_results(first, count);
    const auto failed = count - static_cast<std::int64_t>(std::count(status_, status_ + count, 0));
    if (failed > 0) {
        spoil_failed(first, count);
    }
    if (!run_.status.empty()) {
        std::copy(status_, status_ + count, run_.status.data() + first);
    }
    return failed;
}

void TileRunner::run_compact(std::int64_t first, std::int64_t count) {
    for (const Given& given : gathered_) {
        const std::byte* sources[kLanes];
        for (int l = 0; l < kLanes; ++l) {
            // Lanes past the end of the batch repeat the last problem.
            sources[l] = given.at(first + std::min<std::int64_t>(l, count - 1));
        }
        lane_pack(sources, given.view.row_stride, given.view.col_stride,
                  values_[static_cast<std::size_t>(given.value)]);
    }
    for (const Step* step : plan_.tile_steps) {
        run_compact_step(*step, values_, scratch_, status_);
    }
}

void TileRunner::run_plain(std::int64_t problem) {
    for (const Given& given : in_place_) {
        values_[static_cast<std::size_t>(given.value)].data = given.at(problem);
        if (problem + 1 < run_.batch) {
            ask_for(given.view, given.at(problem + 1));
        }
    }
    for (const auto& [step, partner] : turns_) {
        if (partner != nullptr) {
            run_step_pair(*step, *partner, values_, scratch_, run_.threads_per_problem);
            continue;
        }
        const std::int32_t pivot =
            run_plain_step(*step, values_, scratch_, run_.threads_per_problem);
        if (status_[0] == 0) {
            status_[0] = pivot;
        }
    }
}

void TileRunner::gather(std::int64_t count, double* sums) {
    for (const BatchSum& sum : plan_.sums) {
        const View from = use_of(sum.use, values_[static_cast<std::size_t>(sum.use.value)]);
        double* to = sums + sum.first;
        if (from.lanes == kLanes) {
            bool keep[kLanes];
            for (int l = 0; l < kLanes; ++l) {
                keep[l] = l < count && status_[l] == 0;
            }
            lane_sum(from, keep, to);
            continue;
        }
        std::int64_t good = 0;
        for (std::int64_t l = 0; l < count; ++l) {
            good += status_[l] == 0 ? 1 : 0;
        }
        if (good == 0) {
            continue;
        }
        with_type(from.type, [&](auto zero) {
            for (std::int64_t r = 0; r < from.rows; ++r) {
                for (std::int64_t c = 0; c < from.cols; ++c) {
                    *to++ += static_cast<double>(good) *
                             static_cast<double>(*reinterpret_cast<decltype(zero)*>(from.at(r, c)));
                }
            }
        });
    }
}

void TileRunner::write_plain(const View& value, const View& result) {
    // Past the caches in one run, if the result is that, by rows or by columns.
    const View run = result.contiguous() ? result : transposed(result);
    if (!run.contiguous() || !streams(result)) {
        return copy_matrix(value, result);
    }
    View from = result.contiguous() ? value : transposed(value);
    if (from.type != run.type || !from.contiguous()) {
        scratch_.begin_step();
        const View copy = scratch_.matrix(run.type, run.rows, run.cols, 1);
        copy_matrix(from, copy);
        from = copy;
    }
    stream_copy(from.data, run.count() * size_of(run.type), run.type, run.data);
}

void TileRunner::write_compact(const View& value, const Given& result, std::int64_t first,
                               std::int64_t count) {
    View from = value;
    if (value.type != result.view.type) {
        scratch_.begin_step();
        from = scratch_.matrix(result.view.type, value.rows, value.cols, kLanes);
        lane_convert(value, from);
    }
    std::byte* targets[kLanes];
    for (std::int64_t l = 0; l < count; ++l) {
        targets[l] = result.at(first + l);
    }
    lane_unpack(from, static_cast<int>(count), targets, result.view.row_stride,
                result.view.col_stride, streams(value));
}

void TileRunner::write_results(std::int64_t first, std::int64_t count) {
    for (const Given& to : written_) {
        const View& value = values_[static_cast<std::size_t>(to.value)];
        if (plan_.layout == Layout::compact) {
            write_compact(value, to, first, count);
        } else {
            write_plain(value, to.of(first));
        }
    }
    for (const auto& [from, to] : copied_) {
        for (std::int64_t l = 0; l < count; ++l) {
            copy_matrix(from.of(first + l), to.of(first + l));
        }
    }
}

void TileRunner::spoil_failed(std::int64_t first, std::int64_t count) {
    for (const Given& to : results_) {
        for (std::int64_t l = 0; l < count; ++l) {
            if (status_[l] != 0) {
                fill_matrix(to.of(first + l), std::numeric_limits<double>::quiet_NaN());
            }
        }
    }
}

}  // namespace matgrad::detail
