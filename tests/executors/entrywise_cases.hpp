#pragma once
/// \file What the tests of map and of reduce have in common.

#include "executors/build_program.hpp"

namespace matgrad::test {

inline constexpr std::int64_t kBatch = 18;

inline MapInstruction load(int operand) {
    return {MapOp::load, operand, -1, 0};
}

struct Sizes {
    std::int64_t m, n;
};
inline constexpr Sizes kShapes[] = {{0, 3}, {3, 0}, {1, 1},  {1, 7},   {7, 1},   {3, 5},
                                    {5, 3}, {4, 4}, {16, 2}, {33, 35}, {2, 600}, {600, 1}};

}  // namespace matgrad::test
