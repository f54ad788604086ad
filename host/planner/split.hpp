#pragma once
/// \file A Program cut in two: what depends on operands that come late, and what can be computed before.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// `early` is run once where the other operands are known, `late` for each set of late operands.
///
/// early   operands: those of the whole but the late ones, in order. Outputs: those of the whole that
///         `early_outputs` lists, then the kept values: one matrix for each problem, or one alone.
/// late    operands: those of the whole that it reads and all late ones, in order, then the kept values in
///         the order in which `early` writes them. Outputs: those of the whole that `late_outputs` lists.
///
/// A kept value has the type of the operands: one that is computed in double for operands of float is kept
/// as two floats, the second of which holds what the first has lost. LU factors are not kept but
/// the inverse. If a problem can fail in `early`, the last kept value is a 1 that is NaN for those that do,
/// and its Cholesky factor the first step of `late`: so they fail there too, with status 1.
struct SplitProgram {
    Program early;
    Program late;
    std::vector<std::size_t> early_outputs;
    std::vector<std::size_t> late_outputs;
    std::size_t kept = 0;  ///< values, the last outputs of `early` and the last operands of `late`
    bool carries_failures = false;
};

/// What a kept value costs to read in each late run is weighed against computing it again. Results of the
/// late part are those of the whole but for rounding.
///
/// late     names of operands; products with the Hessian are late results whatever they depend on
/// whole    as make_program makes it
/// Errors   OperandError for a name that is no operand
[[nodiscard]] SplitProgram split_program(const Program& whole, std::span<const std::string> late);

/// split_bodies.cpp: of entrywise steps that read late values, what does not depend on them becomes steps of
/// its own where reading that is cheaper. `is_late`, one flag for each value, grows with the values.
void split_bodies(Program& program, std::vector<bool>& is_late);

}  // namespace matgrad
