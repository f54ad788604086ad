#include "cpu/single/frame.hpp"

#include <variant>

#include "cpu/single/kernels.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

std::int32_t whole_lines(std::int32_t bytes) {
    return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

}  // namespace

SingleFrame::SingleFrame(const Program& program, SinglePlan& plan)
    : program_(program),
      plan_(plan),
      forms_(program.values.size()),
      in_strips_(program.values.size(), 0),
      reciprocals_(program.values.size()) {
    const auto mark = [this](ValueId id) { in_strips_[static_cast<std::size_t>(id)] = 1; };
    for (const Step& step : program.steps) {
        if (std::holds_alternative<Map>(step.operation)) {
            mark(step.out);
        }
        if (std::holds_alternative<Map>(step.operation) ||
            std::holds_alternative<Reduce>(step.operation)) {
            for_each_use(step.operation, [&mark](const Use& use) { mark(use.value); });
        }
    }
}

Placed SingleFrame::place(std::int32_t rows, std::int32_t cols, ScalarType type, bool strip) {
    const std::int32_t stride = padded(cols);
    const std::int32_t bytes = rows * stride * static_cast<std::int32_t>(size_of(type));
    const std::int32_t room = whole_lines(bytes);
    Placed m{used_, rows, cols, stride, 1, type};
    // A column may be read as a row.
    const bool has_gaps = stride != cols || (cols == 1 && padded(rows) != rows);
    if (!has_gaps && !(strip && bytes != room)) {
        used_ += room;
    } else {  // from the end of the frame
        cleared_ += room;
        m.at = kMostFrameBytes - cleared_;
    }
    return m;
}

std::optional<Placed>& SingleFrame::form(ValueId id, ScalarType type) {
    return forms_[static_cast<std::size_t>(id)][type == ScalarType::float32 ? 0 : 1];
}

Placed SingleFrame::result(ValueId id, ScalarType type, bool by_columns) {
    const Value& value = program_.value(id);
    const auto rows = static_cast<std::int32_t>(value.rows.size);
    const auto cols = static_cast<std::int32_t>(value.cols.size);
    const bool strip = in_strips_[static_cast<std::size_t>(id)] != 0;
    const Placed m =
        by_columns ? transposed(place(cols, rows, type, strip)) : place(rows, cols, type, strip);
    form(id, type) = m;
    return m;
}

void SingleFrame::finish(ValueId id, ScalarType type) {
    const ScalarType own = program_.value(id).type;
    if (own != type) {
        const Placed computed = *form(id, type);
        form(id, own) = copied(computed, own);
        form(id, type).reset();  // who reads it reads what was rounded
    }
}

Placed SingleFrame::copied(const Placed& m, ScalarType type) {
    const bool by_rows = m.has_rows() || !transposed(m).has_rows() || m.type == type;
    const Placed copy =
        by_rows ? place(m.rows, m.cols, type, true) : transposed(place(m.cols, m.rows, type, true));
    SingleStep& step = plan_.steps.emplace_back();
    step.run = single_copy(m.type, type);
    step.out = by_rows ? copy : transposed(copy);
    step.a = by_rows ? m : transposed(m);
    return copy;
}

Placed SingleFrame::value(ValueId id, ScalarType type) {
    std::optional<Placed>& known = form(id, type);
    const Value& value = program_.value(id);
    if (known) {
        return *known;
    }
    if (value.operand < 0) {
        known = copied(*form(id, value.type), type);
        return *known;
    }
    const auto operand = static_cast<std::size_t>(value.operand);
    const bool batched = program_.operands[operand].batched;
    known = place(static_cast<std::int32_t>(value.rows.size),
                  static_cast<std::int32_t>(value.cols.size), type,
                  in_strips_[static_cast<std::size_t>(id)] != 0);
    plan_.operands.push_back(
        {single_pack(program_.type, type), operand, batched ? size_of(program_.type) : 0, *known});
    return *known;
}

Placed SingleFrame::view(const Use& use, ScalarType type) {
    Placed m = value(use.value, type);
    if (use.row >= 0) {
        m = block(m, static_cast<std::int32_t>(use.row), 0, 1, m.cols);
    }
    if (use.col >= 0) {
        m = block(m, 0, static_cast<std::int32_t>(use.col), m.rows, 1);
    }
    return use.transposed ? transposed(m) : m;
}

Placed SingleFrame::with_rows(const Placed& m) {
    return m.has_rows() ? m : copied(m, m.type);
}

Placed SingleFrame::as_strip(const Placed& m) {
    const bool is_one = m.has_rows() && m.row_stride == padded(m.cols);
    return is_one && m.at % kFrameAlignment == 0 ? m : copied(m, m.type);
}

void SingleFrame::keep_reciprocals(ValueId id, const Placed& column) {
    reciprocals_[static_cast<std::size_t>(id)] = column;
}

std::optional<Placed> SingleFrame::reciprocals(ValueId id, ScalarType type) const {
    const std::optional<Placed>& known = reciprocals_[static_cast<std::size_t>(id)];
    return known && known->type == type && program_.value(id).type == type ? known : std::nullopt;
}

}  // namespace matgrad::detail
