#pragma once
/// \file A contender as a process that stays alive: it answers requests, so that several contenders
/// can be measured in turn, row by row.

#include <iosfwd>

#include "bench/row.hpp"
#include "bench/runner.hpp"

namespace matgrad::bench {

/// Answers requests until the input ends: each is a JSON object on a line of its own, and so is each
/// answer. What goes wrong is an answer {"error": "one line"}.
///
///     {"do": "about"}       what a results file says, without rows, and the names of the `cases`
///     {"do": "ceilings"}    those of the machine, measured now; later bounds are by them
///     {"do": "prepare", "case": NAME, "problems": [...]}
///                           {"rows": [...], "problems": [...]}: a row for each executor that offers
///                           the case, `ok` if it was made ready and is right. Without `problems` the
///                           reference computes the answers.
///     {"do": "measure", "executor": NAME, "seconds": S}
///                           {"seconds", "low", "high", "repeats", "enqueue_seconds"} of that row
///     {"do": "release"}     {}; frees what `prepare` made, as the next `prepare` does
void serve(std::istream& in, std::ostream& out, const Report& about, const Suite& suite,
           Runner& runner);

}  // namespace matgrad::bench
