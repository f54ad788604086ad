#include "cuda/library/value_views.hpp"

#include <algorithm>
#include <utility>

#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// Has an operand that is stored by columns, entry by entry? The result may lie in its memory.
bool maps_any(const Map& map, const std::vector<char>& by_columns) {
    return std::any_of(map.body.operands.begin(), map.body.operands.end(),
                       [&by_columns](const MapOperand& operand) {
                           return operand.broadcast == Broadcast::none && is_whole(operand.use) &&
                                  !operand.use.transposed &&
                                  by_columns[static_cast<std::size_t>(operand.use.value)] != 0;
                       });
}

/// By value: LU factors are stored by columns, and so is what maps make of them.
std::vector<char> find_by_columns(const Program& program) {
    std::vector<char> by_columns(program.values.size(), 0);
    for (const Step& step : program.steps) {
        const auto* map = std::get_if<Map>(&step.operation);
        if (std::holds_alternative<Getrf>(step.operation) ||
            (map != nullptr && maps_any(*map, by_columns))) {
            by_columns[static_cast<std::size_t>(step.out)] = 1;
        }
    }
    return by_columns;
}

}  // namespace

DeviceView operand_view(const Value& value, const DeviceCall& call) {
    const ConstStrided& from = call.operands[static_cast<std::size_t>(value.operand)];
    // It is only ever read through its view, which could be written through.
    return {static_cast<std::byte*>(const_cast<void*>(from.data)),
            value.type,
            value.rows.size,
            value.cols.size,
            from.row_stride,
            from.col_stride,
            from.batch_stride};
}

ValueViews::ValueViews(const Program& program, const Placement& placement, const InPlace& in_place,
                       const Results& results, const DeviceCall& call) {
    const std::vector<char> by_columns = find_by_columns(program);
    auto* const workspace = static_cast<std::byte*>(call.workspace);
    start_.reserve(program.values.size());
    moves_.reserve(program.values.size());
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& value = program.values[i];
        const int direct = results.direct_output(static_cast<ValueId>(i), call);
        DeviceView v;
        const bool is_gathered = call.rows != nullptr && value.scope == Scope::problem;
        const bool is_read_there = value.operand >= 0 && !is_gathered;
        if (is_read_there) {
            v = operand_view(value, call);
        } else if (direct >= 0) {
            const auto index = static_cast<std::size_t>(direct);
            v = result_view(program, index, call.results[index]);
        } else {
            v = row_major(workspace + placement.values[i], value.type, value.rows.size,
                          value.cols.size);
            if (by_columns[i] != 0) {
                std::swap(v.row_stride, v.col_stride);
            }
        }
        if (value.scope != Scope::problem) {
            v.batch_stride = 0;
        }
        start_.push_back(v);
        moves_.push_back(value.scope == Scope::problem && (is_read_there || direct >= 0) &&
                         v.data != nullptr);
    }
    for (std::size_t i = 0; i < start_.size(); ++i) {
        const auto home = static_cast<std::size_t>(in_place.home(static_cast<ValueId>(i)));
        start_[i] = start_[home];
        moves_[i] = moves_[home];
    }
    views_ = start_;
}

void ValueViews::move_to(std::int64_t first) {
    for (std::size_t i = 0; i < views_.size(); ++i) {
        if (moves_[i] != 0) {
            views_[i] = from_problem(start_[i], first);
        }
    }
}

}  // namespace matgrad::gpu
