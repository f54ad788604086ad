#pragma once
/// \file Reading and rewriting the steps of a Program: what every pass needs.

#include <functional>
#include <vector>

#include "planner/program.hpp"

namespace matgrad {

/// Calls `visit` for every use the step reads (those present), in a fixed order.
void for_each_use(Operation& operation, const std::function<void(Use&)>& visit);
void for_each_use(const Operation& operation, const std::function<void(const Use&)>& visit);

/// The size of a use: of the value after its slice and transposition.
[[nodiscard]] Extent rows_of(const Program& program, const Use& use);
[[nodiscard]] Extent cols_of(const Program& program, const Use& use);
[[nodiscard]] Use transposed(Use use);
/// One row and/or column (-1: all) of what the use shows.
[[nodiscard]] Use sliced(Use use, std::int64_t row, std::int64_t col);
[[nodiscard]] inline bool is_whole(const Use& use) {
    return use.row < 0 && use.col < 0;
}
[[nodiscard]] inline bool is_present(const Use& use) {
    return use.value != kNoValue;
}

/// How often each value is read by steps, outputs included.
[[nodiscard]] std::vector<int> count_uses(const Program& program);
/// The step that writes each value, or -1.
[[nodiscard]] std::vector<int> find_producers(const Program& program);

/// Drops steps whose results nobody reads, then values that are gone (operands stay).
void remove_dead(Program& program);

/// Writes an entrywise expression, each distinct instruction once.
class BodyWriter {
public:
    explicit BodyWriter(MapBody& body) : body_(body) {}
    int load(const Use& use, Broadcast broadcast = Broadcast::none);
    int constant(double value) { return emit({MapOp::constant, -1, -1, value}); }
    int unary(MapOp op, int a) { return emit({op, a, -1, 0}); }
    int binary(MapOp op, int a, int b) { return emit({op, a, b, 0}); }
    int scale(double factor, int a);
    int offset(double number, int a) { return emit({MapOp::offset, a, -1, number}); }
    int power(double exponent, int a);
    int mask(MapOp shape) { return emit({shape, -1, -1, 0}); }
    int emit(const MapInstruction& instruction);
    /// Makes `result` the last register and drops what it does not need.
    void finish(int result);

private:
    MapBody& body_;
};

}  // namespace matgrad
