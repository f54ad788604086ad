#pragma once
/// \file Where the values of a Program lie in the frame of a single problem, in the types and orders that its steps
/// read them in.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/single/plan.hpp"
#include "program/program.hpp"

namespace matgrad::detail {

/// Hands out places, and adds the steps that bring operands, convert and transpose.
class SingleFrame {
public:
    SingleFrame(const Program& program, SinglePlan& plan);

    /// A new matrix, by rows. What lies between its rows is zero at first; that of a `strip`, which is read and written
    /// as one row of whole vectors, up to their end.
    [[nodiscard]] Placed place(std::int32_t rows, std::int32_t cols, ScalarType type,
                               bool strip = false);
    /// Where a step computes a value in `type`; `finish` rounds it to the type of the value if that is another.
    [[nodiscard]] Placed result(ValueId id, ScalarType type, bool by_columns);
    void finish(ValueId id, ScalarType type);
    /// What a use sees of a value, in this type.
    [[nodiscard]] Placed view(const Use& use, ScalarType type);
    /// The same matrix with rows that lie together.
    [[nodiscard]] Placed with_rows(const Placed& m);
    /// With rows one behind the other, as `place` has them.
    [[nodiscard]] Placed as_strip(const Placed& m);

    void keep_reciprocals(ValueId id, const Placed& column);
    /// Of the diagonal of a value, where they are known in this type.
    [[nodiscard]] std::optional<Placed> reciprocals(ValueId id, ScalarType type) const;

    [[nodiscard]] bool fits() const { return used_ + cleared_ <= kMostFrameBytes; }
    [[nodiscard]] std::int32_t cleared_bytes() const { return cleared_; }

private:
    using Forms = std::array<std::optional<Placed>, 2>;
    [[nodiscard]] std::optional<Placed>& form(ValueId id, ScalarType type);
    [[nodiscard]] Placed value(ValueId id, ScalarType type);
    [[nodiscard]] Placed copied(const Placed& m, ScalarType type);

    const Program& program_;
    SinglePlan& plan_;
    std::vector<Forms> forms_;                        // by value
    std::vector<char> in_strips_;                     // by value: a map reads or writes it
    std::vector<std::optional<Placed>> reciprocals_;  // by value
    std::int32_t used_ = 0;
    std::int32_t cleared_ = 0;
};

}  // namespace matgrad::detail
