#pragma once
/// \file Programs to find regions of, and what regions say in words.

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "matgrad/calculus.hpp"
#include "planner/plan_support.hpp"
#include "program/regions.hpp"
#include "program/uses.hpp"
#include "support/cookbook.hpp"

namespace matgrad::testing {

/// In float32, robust. Summed: of a variable that the batch shares.
inline Program program_of(const char* text, const char* declarations, const char* wrt,
                          const Dims& dims, bool with_value = true, bool summed = false) {
    const Expr f = parse(text, parse_declarations(declarations));
    PlanRequest request;
    request.batch = 1000;
    request.type = ScalarType::float32;
    if (with_value) {
        request.outputs.push_back({OutputKind::value, {}, f, {}});
    }
    request.outputs.push_back(
        {OutputKind::gradient, wrt, derive(f, {wrt}).gradients.front().form, {}});
    request.symbols = parse_declarations(declarations);
    for (const Declaration& d : request.symbols) {
        const auto size = [&](const Dim& dim) {
            return dim.name.empty() ? dim.size : dims.at(dim.name);
        };
        request.operands.push_back(
            {d.name, size(d.shape.rows), size(d.shape.cols), !(summed && d.name == wrt)});
    }
    set_summed(request, summed);
    return make_program(request);
}

inline ValueId operand(const Program& program, const std::string& name) {
    for (const ProgramOperand& o : program.operands) {
        if (o.name == name) {
            return o.value;
        }
    }
    throw std::logic_error("no operand " + name);
}

/// `whole`, `rows`, `cols`, or `` where the pass does not read the operand.
inline std::string read_as(const Program& program, const Pass& pass, const std::string& name) {
    for (const Transfer& read : pass.reads) {
        if (read.value == operand(program, name)) {
            return read.cut == Cut::whole ? "whole" : read.cut == Cut::rows ? "rows" : "cols";
        }
    }
    return "";
}

/// `gemm local`, `reduce sum`, ...
inline std::vector<std::string> panel_steps(const Program& program, const Pass& pass) {
    std::vector<std::string> names;
    for (const PanelStep& step : pass.steps) {
        const Step& s = program.steps[static_cast<std::size_t>(step.step)];
        names.push_back(std::string(kind_name(s.operation)) +
                        (step.contracts ? " contracts" : " local") + (step.again ? " again" : ""));
    }
    return names;
}
inline std::vector<std::string> whole_steps(const Program& program, const std::vector<int>& steps) {
    std::vector<std::string> names;
    for (const int s : steps) {
        names.emplace_back(kind_name(program.steps[static_cast<std::size_t>(s)].operation));
    }
    return names;
}

}  // namespace matgrad::testing
