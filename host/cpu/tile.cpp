#include "cpu/tile.hpp"

#include <algorithm>
#include <limits>

#include "cpu/compact/compact_steps.hpp"
#include "cpu/compact/kernels.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/plain_steps.hpp"
#include "cpu/plain/transpose.hpp"

namespace matgrad::detail {
namespace {
/// A result larger than this will not be found in the caches: it is written past them.
constexpr std::int64_t kStreamBytes = 4 << 20;
/// A matrix up to this size is written from the cache it was computed in.
constexpr std::int64_t kStagedBytes = 256 << 10;
}  // namespace

View result_of(const RunData& run, std::size_t index, std::int64_t problem) {
    const Program& program = *run.plan->program;
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

TileRunner::TileRunner(const RunData& run, std::byte* tile, Scratch scratch)
    : run_(run), plan_(*run.plan), scratch_(scratch), values_(run.shared) {
    const Program& program = *plan_.program;
    direct_.assign(program.values.size(), -1);
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& value = program.values[i];
        if (value.scope == Scope::problem && plan_.slots[i] >= 0) {
            values_[i] = row_major(tile + plan_.slots[i], value.type, value.rows.size,
                                   value.cols.size, plan_.lanes);
        }
    }
    if (plan_.layout == Layout::compact || run_.batch == 0) {
        return;
    }
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        const Value& value = plan_.value(program.outputs[i].value);
        const View result = result_of(run_, i, 0);
        const bool by_rows = result.col_stride == 1 && result.row_stride >= value.cols.size &&
                             result.row_stride <= std::numeric_limits<std::int32_t>::max();
        if (value.scope == Scope::problem && value.operand < 0 && value.type == program.type &&
            by_rows && !(result.contiguous() && streams(result))) {
            direct_[static_cast<std::size_t>(program.outputs[i].value)] = static_cast<int>(i);
        }
    }
}

TileRunner::~TileRunner() {
    lane_flush();
}

bool TileRunner::streams(const View& value) const {
    const std::int64_t bytes = value.count() * size_of(plan_.program->type);
    return bytes <= kStagedBytes && run_.batch * bytes >= kStreamBytes;
}

View TileRunner::operand_view(ValueId id, std::int64_t problem) const {
    const Value& value = plan_.value(id);
    const ConstBatch& from = run_.operands[static_cast<std::size_t>(value.operand)];
    // Views are of writable memory; an operand is only ever read through one.
    auto* data = static_cast<std::byte*>(const_cast<void*>(from.data));
    return {data + problem * from.batch_stride * size_of(value.type),
            value.type,
            1,
            value.rows.size,
            value.cols.size,
            from.row_stride,
            from.col_stride};
}

std::int64_t TileRunner::operator()(std::int64_t first, std::int64_t count, double* sums) {
    std::fill(status_, status_ + kLanes, 0);
    if (plan_.layout == Layout::compact) {
        run_compact(first, count);
    } else {
        run_plain(first);
    }
    gather(count, sums);
    write_results(first, count);
    std::int64_t failed = 0;
    for (std::int64_t l = 0; l < count; ++l) {
        failed += status_[l] != 0 ? 1 : 0;
        if (!run_.status.empty()) {
            run_.status[static_cast<std::size_t>(first + l)] = status_[l];
        }
    }
    return failed;
}

void TileRunner::run_compact(std::int64_t first, std::int64_t count) {
    const Program& program = *plan_.program;
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& value = program.values[i];
        if (value.operand < 0 || value.scope != Scope::problem || plan_.slots[i] < 0 ||
            value.count() == 0) {
            continue;
        }
        const std::byte* sources[kLanes];
        for (int l = 0; l < kLanes; ++l) {
            // Lanes past the end of the batch repeat the last problem.
            sources[l] =
                operand_view(static_cast<ValueId>(i), first + std::min<std::int64_t>(l, count - 1))
                    .data;
        }
        const ConstBatch& from = run_.operands[static_cast<std::size_t>(value.operand)];
        lane_pack(sources, from.row_stride, from.col_stride, values_[i]);
    }
    for (const Step* step : plan_.tile_steps) {
        run_compact_step(*step, values_, scratch_, status_);
    }
}

void TileRunner::run_plain(std::int64_t problem) {
    const Program& program = *plan_.program;
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        if (program.values[i].scope != Scope::problem) {
            continue;
        }
        if (program.values[i].operand >= 0) {
            values_[i] = operand_view(static_cast<ValueId>(i), problem);
        } else if (direct_[i] >= 0) {
            values_[i] = result_of(run_, static_cast<std::size_t>(direct_[i]), problem);
        }
    }
    for (const Step* step : plan_.tile_steps) {
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

void TileRunner::write_compact(const View& value, const Batch& result, std::int64_t first,
                               std::int64_t count) {
    const Program& program = *plan_.program;
    View from = value;
    if (value.type != program.type) {
        scratch_.begin_step();
        from = scratch_.matrix(program.type, value.rows, value.cols, kLanes);
        lane_convert(value, from);
    }
    std::byte* targets[kLanes];
    for (std::int64_t l = 0; l < count; ++l) {
        targets[l] = static_cast<std::byte*>(result.data) +
                     (first + l) * result.batch_stride * size_of(program.type);
    }
    lane_unpack(from, static_cast<int>(count), targets, result.row_stride, result.col_stride,
                streams(value));
}

void TileRunner::write_results(std::int64_t first, std::int64_t count) {
    const Program& program = *plan_.program;
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        const ValueId id = program.outputs[i].value;
        const Value& value = plan_.value(id);
        if (value.scope != Scope::problem || value.count() == 0) {
            continue;
        }
        if (value.operand >= 0) {
            for (std::int64_t l = 0; l < count; ++l) {
                copy_matrix(operand_view(id, first + l), result_of(run_, i, first + l));
            }
        } else if (plan_.layout == Layout::compact) {
            Batch to = run_.results[i];
            if (program.outputs[i].transposed) {
                std::swap(to.row_stride, to.col_stride);
            }
            write_compact(values_[static_cast<std::size_t>(id)], to, first, count);
        } else if (direct_[static_cast<std::size_t>(id)] != static_cast<int>(i)) {
            write_plain(values_[static_cast<std::size_t>(id)], result_of(run_, i, first));
        }
        for (std::int64_t l = 0; l < count; ++l) {
            if (status_[l] != 0) {
                fill_matrix(result_of(run_, i, first + l),
                            std::numeric_limits<double>::quiet_NaN());
            }
        }
    }
}

}  // namespace matgrad::detail
