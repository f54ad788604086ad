#pragma once
/// \file The parts of find_regions, each in a file of its own.

#include <optional>
#include <vector>

#include "program/regions.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {

inline constexpr int kNone = -1;

template <typename T>
[[nodiscard]] decltype(auto) at(T& items, std::int64_t index) {
    return items[static_cast<std::size_t>(index)];
}

/// An index that a step runs over: the i, j, k of a product, the rows of a map.
struct StepIndex {
    Extent extent;
    bool blocked =
        false;  ///< the step cannot be done panel by panel along it: the n of a factorization
};

/// Which index of a step counts the rows and the columns of a value as it is stored; -1: none, a side of 1 or a slice.
struct Sides {
    int rows = kNone;
    int cols = kNone;
};

/// region_indices.cpp: a step as loops over indices.
struct StepIndices {
    std::vector<StepIndex> indices;
    std::vector<Use> reads;   ///< in the order of for_each_use, without the root of a potrf
    std::vector<Sides> uses;  ///< of each of them
    Sides out;
    std::optional<Sides> domain;   ///< of a reduce
    std::optional<Use> root;       ///< of a potrf that may need it
    std::optional<std::size_t> c;  ///< which of the uses is added to a product
    bool knows_place = false;
};
[[nodiscard]] StepIndices indices_of(const Program& program, const Step& step);

/// region_dimensions.cpp: indices of different steps that count the same rows, by way of the values between them.
struct Dimensions {
    std::vector<StepIndices> steps;    ///< empty for steps outside
    std::vector<std::vector<int>> of;  ///< dimension of each index of each step, or -1
    std::vector<Extent> extents;
    std::vector<int> producers;   ///< the step inside that writes a value; -1: it comes from memory
    std::vector<bool> is_result;  ///< of each value: an output, or read outside
    std::vector<int> candidates;  ///< dimensions that may be cut, the one with most bytes first
    std::vector<int> inside;      ///< the steps

    /// The index of a step that the dimension has, or -1.
    [[nodiscard]] int index_in(int step, int dimension) const;
    [[nodiscard]] Cut cut(int step, const Sides& sides, int dimension) const;
    [[nodiscard]] Cut out_cut(int step, int dimension) const {
        return cut(step, at(steps, step).out, dimension);
    }
};
[[nodiscard]] Dimensions find_dimensions(const Program& program);

enum class Phase { before, panels, after };

/// region_schedule.cpp: which pass makes the result of each step.
struct Schedule {
    std::vector<int> dimensions;  ///< of each pass, -1: none
    std::vector<int> pass;        ///< of each step
    std::vector<Phase> phase;
};
/// As early as can be, but no step before the pass of `not_before`. `cut`: the dimensions in use, in the order in
/// which they are tried.
[[nodiscard]] Schedule make_schedule(const Dimensions& dimensions, const std::vector<int>& cut,
                                     const std::vector<int>& not_before);

/// What becomes of a panelled value that a later pass reads too.
enum class Fate {
    again,   ///< read again, or made again
    stored,  ///< written to memory and read again
    kept,    ///< kept on chip whole
};

/// region_build.cpp: passes with their traffic and bytes.
[[nodiscard]] Regions build_regions(const Program& program, const Dimensions& dimensions,
                                    const Schedule& schedule, const std::vector<Fate>& fates,
                                    std::int64_t limit);

}  // namespace matgrad::detail
