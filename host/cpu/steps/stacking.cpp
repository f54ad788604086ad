#include "cpu/steps/stacking.hpp"

#include <algorithm>
#include <new>

#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// The shape and the strides of a use of a value that is row-major: those of any row or column are those
/// of the first.
View shape_of(const Program& program, Use use) {
    use.row = std::min<std::int64_t>(use.row, 0);
    use.col = std::min<std::int64_t>(use.col, 0);
    const Value& value = program.value(use.value);
    return use_of(use, row_major(nullptr, value.type, value.rows.size, value.cols.size, 1));
}

}  // namespace

bool rows_stack(const Program& program, const Use& use) {
    const Value& value = program.value(use.value);
    const View v = shape_of(program, use);
    return value.scope == Scope::problem && (v.rows == 1 || value.count() == v.rows * v.row_stride);
}

bool has_unit_rows(const Program& program, const Use& use) {
    const View v = shape_of(program, use);
    return v.cols == 1 || v.col_stride == 1;
}

Stacked stacked(const Program& program, const Use& use) {
    return {use, program.value(use.value).count()};
}

StackedBody::StackedBody(const Program& program, const MapBody& body, std::int64_t rows,
                         std::int64_t cols, bool diagonal)
    : body_(body), rows_(rows), cols_(cols), diagonal_(diagonal), exists_(!knows_positions(body)) {
    const bool vector = rows == 1 || cols == 1;
    for (const MapOperand& operand : body.operands) {
        const Value& value = program.value(operand.use.value);
        const bool shared = value.scope != Scope::problem;
        const View v = shape_of(program, operand.use);
        const bool scalar = v.count() == 1;
        // Of matrices: all entries in order, or one number.
        const bool flat = scalar || (operand.broadcast == Broadcast::none &&
                                     is_whole(operand.use) && !operand.use.transposed && !shared);
        exists_ = exists_ && (vector || flat);
        operands_.push_back({operand.use, shared ? 0 : value.count(), scalar, cols == 1});
    }
}

Domain StackedBody::domain(const View* values, std::int64_t problems, Scratch& scratch,
                           int lanes) const {
    const std::int64_t entries = this->entries();
    View* views = scratch.array<View>(static_cast<std::int64_t>(operands_.size()));
    for (std::size_t i = 0; i < operands_.size(); ++i) {
        const Operand& operand = operands_[i];
        View v = use_of(operand.use, values[operand.use.value]);
        // A column's entries are a row's; a matrix with rows under each other is one row.
        v.col_stride = operand.scalar    ? 0
                       : diagonal_       ? v.row_stride + v.col_stride
                       : operand.by_rows ? v.row_stride
                                         : v.col_stride;
        v.row_stride = operand.step;
        v.rows = problems;
        v.cols = entries;
        if (entries == 1 && v.row_stride == 0) {
            v.col_stride = 0;
        }
        new (views + i) View(v);
    }
    return {&body_, views, problems, entries, lanes, false};
}

int StackedBody::scalars() const {
    return static_cast<int>(
        std::count_if(operands_.begin(), operands_.end(),
                      [this](const Operand& o) { return o.scalar && entries() > 1; }));
}

}  // namespace matgrad::detail
