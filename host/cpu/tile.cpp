#include "cpu/tile.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

#include "cpu/compact/kernels.hpp"
#include "cpu/pivot_status.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/gemm_batch.hpp"
#include "cpu/plain/transpose.hpp"
#include "matgrad/status.hpp"

namespace matgrad::detail {
namespace {

using How = GivenResult::How;

/// A result larger than this will not be found in the caches: it is written past them.
constexpr std::int64_t kStreamBytes = 4 << 20;
/// A matrix up to this size is written from the cache it was computed in.
constexpr std::int64_t kStagedBytes = 256 << 10;
/// A matrix up to this size finds room beside the one that is worked on.
constexpr std::int64_t kAheadBytes = 16 << 10;

/// Prefetches the next problem's matrix; a wrong guess costs nothing.
void prefetch(const View& v, const std::byte* at) {
    constexpr std::int64_t kLine = 64;
    const std::int64_t bytes = v.count() * size_of(v.type);
    for (std::int64_t i = 0; i < bytes && bytes <= kAheadBytes; i += kLine) {
        __builtin_prefetch(at + i);
    }
}

/// All else is equal, but for the data. (A processor waits long for a view that it has just written in
/// pieces and reads as a whole.)
void take_strides(const View& from, View& to) {
    to.row_stride = from.row_stride;
    to.col_stride = from.col_stride;
}

/// Do the matrices of the problems lie row-major and one after the other?
bool is_run(const Given& given) {
    return given.view.contiguous() && given.step == given.view.count() * size_of(given.view.type);
}

/// Takes room for an array from `memory`.
template <typename T>
T* take(std::byte*& memory, std::size_t count) {
    T* result = reinterpret_cast<T*>(memory);
    memory += align_up(static_cast<std::int64_t>(count * sizeof(T)));
    return result;
}

}  // namespace

View result_of(const RunData& run, std::size_t index, std::int64_t problem) {
    const Program& program = run.plan.program;
    const ProgramOutput& output = program.outputs[index];
    const Value& value = program.value(output.value);
    const Strided& to = run.call.results[index];
    auto* data =
        static_cast<std::byte*>(to.data) + problem * to.batch_stride * size_of(program.type);
    View view{data,          program.type, 1, value.rows.size, value.cols.size,
              to.row_stride, to.col_stride};
    if (output.transposed) {
        std::swap(view.row_stride, view.col_stride);
    }
    return view;
}

Given TileRunner::operand(ValueId id) const {
    const Value& value = plan_.value(id);
    const ConstStrided& from = run_.call.operands[static_cast<std::size_t>(value.operand)];
    // Views are of writable memory; an operand is only ever read through one.
    auto* data = static_cast<std::byte*>(const_cast<void*>(from.data));
    return {
        id,
        {data, value.type, 1, value.rows.size, value.cols.size, from.row_stride, from.col_stride},
        from.batch_stride * size_of(value.type)};
}

GivenResult TileRunner::result(std::size_t output) const {
    const ValueId id = plan_.program.outputs[output].value;
    const Given to{id, result_of(run_, output, 0),
                   run_.call.results[output].batch_stride * size_of(plan_.program.type)};
    const How how = plan_.value(id).scope != Scope::problem ? How::repeated
                    : plan_.value(id).operand >= 0          ? How::copied_from_operand
                                                            : How::written;
    return {to, how, run_.beta(output)};
}

/// May the steps write the value where result `index` is? Not a second time, and what is written past the
/// caches only if its step can.
bool TileRunner::is_computed_there(std::size_t index) const {
    const GivenResult& result = results_[index];
    const View& to = result.to.view;
    if (result.how != How::written || result.beta != 0) {
        return false;
    }
    const auto value = static_cast<std::size_t>(result.to.value);
    const bool leaves = plan_.leaves[value] != Leaves::no;
    // A step of what leaves the Program takes its result by columns too.
    const View lines = leaves && to.col_stride != 1 ? transposed(to) : to;
    const bool by_rows = lines.col_stride == 1 && lines.row_stride >= lines.cols &&
                         lines.row_stride <= std::numeric_limits<std::int32_t>::max();
    const bool is_new =
        std::none_of(results_, results_ + index, [&result](const GivenResult& other) {
            return other.to.value == result.to.value && other.how == How::computed_there;
        });
    const bool fits =
        plan_.is_runs() ? is_run({result.to.value, lines, result.to.step}) : !plan_.is_compact();
    const bool may_stream =
        plan_.leaves[value] == Leaves::anyhow ||
        (plan_.leaves[value] == Leaves::by_lines && is_by_lines(lines, result.to.step));
    return fits && is_new && plan_.views[value].type == plan_.program.type && by_rows &&
           (may_stream || !(to.contiguous() && streams(to)));
}

TileRunner::TileRunner(const RunData& run, std::byte* memory)
    : run_(run),
      plan_(run.plan),
      values_(take<View>(memory, plan_.views.size())),
      operands_(take<Given>(memory, plan_.operands.size())),
      results_(take<GivenResult>(memory, plan_.results.size())),
      streamed_(take<char>(memory, plan_.views.size())),
      followed_(take<char>(memory, plan_.views.size())),
      tile_(memory),
      scratch_(memory + plan_.tile_bytes, plan_.scratch_bytes, "a tile") {
    std::uninitialized_copy(plan_.views.begin(), plan_.views.end(), values_);
    for (std::size_t i = 0; i < plan_.views.size(); ++i) {
        if (plan_.slots[i] >= 0) {
            values_[i].data = tile_ + plan_.slots[i];
        }
    }
    std::fill_n(streamed_, plan_.views.size(), char{0});
    std::fill_n(followed_, plan_.views.size(), char{0});
    for (const ValueId id : plan_.single_values) {
        values_[id] = run_.shared[id];
    }
    for (std::size_t i = 0; i < plan_.operands.size(); ++i) {
        const Given& given = *new (operands_ + i) Given(operand(plan_.operands[i]));
        const bool in_place = is_run(given) && run_.call.rows.empty();
        const bool is_far = run_.call.batch * given.step >= kStreamBytes;
        followed_[given.value] = plan_.is_runs() && in_place && is_far ? 1 : 0;
        if (!plan_.is_compact() && !plan_.is_runs()) {
            take_strides(operands_[i].view, values_[plan_.operands[i]]);
        }
    }
    for (std::size_t i = 0; i < plan_.results.size(); ++i) {
        new (results_ + i) GivenResult(result(plan_.results[i]));
        const bool streamed = streams(results_[i].to.view);
        streams_ = streams_ || streamed;
        adds_ = adds_ || results_[i].beta != 0;
        if (is_computed_there(i)) {
            results_[i].how = How::computed_there;
            take_strides(results_[i].to.view, values_[results_[i].to.value]);
            streamed_[results_[i].to.value] = streamed ? 1 : 0;
        }
    }
}

TileRunner::~TileRunner() {
    if (streams_) {
        lane_flush();
    }
}

bool TileRunner::streams(const View& value) const {
    const std::int64_t bytes = value.count() * size_of(plan_.program.type);
    return bytes <= kStagedBytes && run_.call.batch * bytes >= kStreamBytes;
}

std::int64_t TileRunner::operator()(std::int64_t first, std::int64_t count, double* sums) {
    run_steps(first, count);
    mark_not_finite(count);
    if (adds_ && !are_tile_sums_finite()) {
        // Who fails is to be known before anything is added to what is there.
        if (count > 1) {
            return run_one_by_one(first, count, sums);
        }
        status_[0] = succeeded(status_[0]) ? make_status(StatusKind::not_finite) : status_[0];
    }
    write_results(first, count);
    // Mostly all are 0, which is quickly seen.
    const bool all_zero = std::count(status_, status_ + count, 0) == count;
    auto failed = all_zero ? 0 : count - std::count_if(status_, status_ + count, succeeded);
    if (failed > 0) {
        spoil_failed(first, count);
    }
    if (!plan_.sums.empty()) {
        failed = add_sums(first, count, failed, sums);
    }
    if (!run_.call.status.empty()) {
        std::copy(status_, status_ + count, run_.call.status.data() + first);
    }
    return failed;
}

std::int64_t TileRunner::run_one_by_one(std::int64_t first, std::int64_t count, double* sums) {
    std::int64_t failed = 0;
    for (std::int64_t p = 0; p < count; ++p) {
        failed += (*this)(first + p, 1, sums);
    }
    return failed;
}

void TileRunner::run_steps(std::int64_t first, std::int64_t count) {
    std::fill(status_, status_ + std::max<std::int64_t>(count, plan_.lanes), 0);
    bring_operands(first, count);
    const StepRun run{values_,   &scratch_, status_, count, run_.threads_per_problem,
                      streamed_, followed_};
    for (const CpuStepPtr& step : plan_.choice.steps) {
        step->run(run);
    }
}

void TileRunner::bring_operands(std::int64_t first, std::int64_t count) {
    for (std::size_t i = 0; i < plan_.operands.size(); ++i) {
        bring(operands_[i], first, count);
    }
    for (std::size_t i = 0; i < plan_.results.size(); ++i) {
        if (results_[i].how == How::computed_there) {
            values_[results_[i].to.value].data = results_[i].to.at(first);
            if (first + 1 < run_.call.batch && !plan_.is_runs()) {
                prefetch(results_[i].to.view, results_[i].to.at(first + 1));
            }
        }
    }
}

void TileRunner::bring(const Given& from, std::int64_t first, std::int64_t count) {
    if (plan_.is_runs()) {
        return bring_run(from, first, count);
    }
    if (!plan_.is_compact()) {
        values_[from.value].data = from.at(run_.row(first));
        if (first + 1 < run_.call.batch) {
            prefetch(from.view, from.at(run_.row(first + 1)));
        }
        return;
    }
    const std::byte* sources[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        // Lanes past the end of the batch repeat the last problem.
        sources[l] = from.at(run_.row(first + std::min<std::int64_t>(l, count - 1)));
    }
    lane_pack(sources, from.view.row_stride, from.view.col_stride, values_[from.value]);
}

void TileRunner::bring_run(const Given& from, std::int64_t first, std::int64_t count) {
    View& value = values_[from.value];
    if (is_run(from) && run_.call.rows.empty()) {
        value.data = from.at(first);
        return;
    }
    value.data = tile_ + plan_.slots[static_cast<std::size_t>(from.value)];
    View to = value;
    for (std::int64_t p = 0; p < count; ++p) {
        copy_matrix(from.of(run_.row(first + p)), to);
        to.data += to.count() * size_of(to.type);
    }
}

/// A problem that failed has no part in a sum, and one that overflows does not spoil those of its
/// neighbours: then the problems are done again, one by one. Each gives the bits it gave before.
void TileRunner::write_plain(const View& value, const View& result) {
    // Past the caches in one run, if the result is that, by rows or by columns.
    const View run = result.contiguous() ? result : transposed(result);
    if (!run.contiguous() || !streams(result)) {
        return copy_matrix(value, result);
    }
    View from = result.contiguous() ? value : transposed(value);
    if (from.type != run.type || !from.contiguous()) {
        scratch_.begin_step("a result", plan_.scratch_bytes);
        const View copy = scratch_.matrix(run.type, run.rows, run.cols, 1);
        copy_matrix(from, copy);
        from = copy;
    }
    stream_copy(from.data, run.count() * size_of(run.type), run.type, run.data);
}

void TileRunner::write_run(const View& value, const Given& result, std::int64_t first,
                           std::int64_t count) {
    if (is_run(result) && value.type == result.view.type && streams(result.view)) {
        return stream_copy(value.data, count * value.count() * size_of(value.type), value.type,
                           result.at(first));
    }
    View from = value;
    for (std::int64_t p = 0; p < count; ++p) {
        write_plain(from, result.of(first + p));
        from.data += from.count() * size_of(from.type);
    }
}

void TileRunner::write_compact(const View& value, const Given& result, std::int64_t first,
                               std::int64_t count) {
    View from = value;
    if (value.type != result.view.type) {
        scratch_.begin_step("a result", plan_.scratch_bytes);
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
    for (std::size_t i = 0; i < plan_.results.size(); ++i) {
        const GivenResult& result = results_[i];
        if (result.how == How::computed_there) {
            continue;
        }
        if (result.how == How::written && result.beta == 0) {
            write(values_[result.to.value], result.to, first, count);
        } else {
            add_results(result, first, count);
        }
    }
}

void TileRunner::write(const View& value, const Given& result, std::int64_t first,
                       std::int64_t count) {
    if (plan_.is_compact()) {
        write_compact(value, result, first, count);
    } else if (plan_.is_runs()) {
        write_run(value, result, first, count);
    } else {
        write_plain(value, result.of(first));
    }
}

View TileRunner::source_of(const GivenResult& result, std::int64_t first,
                           std::int64_t index) const {
    View value = values_[result.to.value];
    if (result.how == How::copied_from_operand) {
        return operand(result.to.value).of(run_.row(first + index));
    }
    return result.how == How::repeated ? value : of_problem(value, index);
}

View TileRunner::of_problem(View value, std::int64_t index) const {
    if (plan_.is_runs()) {
        value.data += index * value.count() * size_of(value.type);
    } else if (plan_.is_compact()) {
        value.data += index * size_of(value.type);
        value.row_stride *= value.lanes;
        value.col_stride *= value.lanes;
        value.lanes = 1;
    }
    return value;
}

void TileRunner::add_results(const GivenResult& result, std::int64_t first,
                             std::int64_t count) const {
    for (std::int64_t l = 0; l < count; ++l) {
        if (succeeded(status_[l])) {
            add_matrix(source_of(result, first, l), 1, result.beta, result.to.of(first + l));
        }
    }
}

void TileRunner::spoil_failed(std::int64_t first, std::int64_t count) {
    for (std::size_t i = 0; i < plan_.results.size(); ++i) {
        for (std::int64_t l = 0; l < count && results_[i].beta == 0; ++l) {
            if (!succeeded(status_[l]) && !keeps_numbers(status_[l])) {
                fill_matrix(results_[i].to.of(first + l), std::numeric_limits<double>::quiet_NaN());
            }
        }
    }
}

}  // namespace matgrad::detail
