#pragma once
/// \file Random problems for `matgrad check`, at which the function has digits to compare.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/question.hpp"
#include "matgrad/types.hpp"
#include "reference/reference.hpp"

namespace matgrad {

using Dims = std::map<std::string, std::int64_t>;

/// How problems are drawn.
struct Draw {
    Dims dims;
    /// For functions such as log and sqrt, whose domain normal data would leave.
    bool positive_entries = false;
    /// For functions such as log(b - A*x), where positive data alone does not help.
    bool small_variables = false;
};

/// What suits the function: sizes where `given` has none, and the kind of entries.
///
/// Errors   NameError for a dimension that the function does not have; CallerError if it has no value and
///          gradient that rounding leaves digits of, at random data of these sizes.
[[nodiscard]] Draw choose_draw(const Question& question, const Dims& given);

struct DrawnProblems {
    std::vector<MatrixMap> values;  ///< rounded to the type of the data
    std::int64_t drawn_again = 0;   ///< those that were, since the first ones left no digits
};

/// `batch` problems that leave digits in this type; none at all if some cannot be found.
[[nodiscard]] DrawnProblems draw_problems(const Question& question, const Draw& draw,
                                          ScalarType type, std::int64_t batch);

}  // namespace matgrad
