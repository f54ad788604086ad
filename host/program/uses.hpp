#pragma once
/// \file Reading a Program: what each step uses, who reads and who writes a value.

#include <functional>
#include <vector>

#include "program/program.hpp"

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

/// `gemm`, `potrf`, ...
[[nodiscard]] const char* kind_name(const Operation& operation);

/// What a window has of its use. Shapes: of sizes 0 where they meet nowhere.
[[nodiscard]] WindowBlock block_of(const Program& program, const Step& step, const Window& window);

/// Can it fail for a problem? Then that problem has a status, and NaN in its results.
[[nodiscard]] bool is_factorization(const Operation& operation);

/// Is the result one matrix for each problem?
[[nodiscard]] bool is_per_problem(const Program& program, const ProgramOutput& output);

/// How often each value is read by steps, outputs included.
[[nodiscard]] std::vector<int> count_uses(const Program& program);
/// The step that writes each value, or -1.
[[nodiscard]] std::vector<int> find_producers(const Program& program);

}  // namespace matgrad
