#include "planner/plan_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "expression/node.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"
#include "support/verified_program.hpp"

namespace matgrad::testing {
namespace {

MatrixMap as_map(const Operands& operands) {
    return {operands.begin(), operands.end()};
}

std::map<std::string, std::int64_t> dims_of(const PlanRequest& request) {
    std::map<std::string, std::int64_t> dims;
    for (std::size_t i = 0; i < request.symbols.size(); ++i) {
        const Shape& shape = request.symbols[i].shape;
        if (!shape.rows.name.empty()) {
            dims[shape.rows.name] = request.operands[i].rows;
        }
        if (!shape.cols.name.empty()) {
            dims[shape.cols.name] = request.operands[i].cols;
        }
    }
    return dims;
}

Eigen::MatrixXd selected(const Eigen::MatrixXd& m, const OutputRequest& output) {
    return output.entry ? Eigen::MatrixXd(m.block(output.entry->row, output.entry->col, 1, 1)) : m;
}

/// How far a value moves, relative to the movement of the operands, plus its own size. The terms of
/// a sum count one by one: they may cancel, their errors do not.
double sensitivity(const Expr& form, const Operands& at, const Operands& moved, const Dims& dims,
                   double step) {
    if (form->op == Op::add) {
        double total = 0;
        for (const Expr& term : form->children) {
            total += sensitivity(term, at, moved, dims, step);
        }
        return total;
    }
    const Eigen::MatrixXd here = evaluate_reference(form, as_map(at), dims);
    const Eigen::MatrixXd there = evaluate_reference(form, as_map(moved), dims);
    return here.size() == 0
               ? 0
               : (there - here).lpNorm<Eigen::Infinity>() / step + here.lpNorm<Eigen::Infinity>();
}

}  // namespace

PlanRequest request_for(const Problem& problem) {
    std::vector<Declaration> declarations;
    for (const std::string& d : problem.declarations) {
        declarations.push_back(parse_declaration(d));
    }
    PlanRequest request;
    request.batch = 100;
    for (std::size_t i = 0; i < problem.forms.size(); ++i) {
        OutputRequest output;
        output.form = parse(problem.forms[i], declarations);
        output.kind = i == 0 ? OutputKind::value : OutputKind::gradient;
        output.name = i == 0 ? "" : "g" + std::to_string(i);
        request.outputs.push_back(output);
    }
    request.symbols = declarations;
    for (const Declaration& d : declarations) {
        const auto size = [&](const Dim& dim) {
            return dim.name.empty() ? dim.size : problem.dims.at(dim.name);
        };
        request.operands.push_back(
            {d.name, size(d.shape.rows), size(d.shape.cols), problem.shared.count(d.name) == 0});
    }
    return request;
}

Program program_for(const Problem& problem) {
    return verified_program(request_for(problem));
}

void set_summed(PlanRequest& request, bool summed) {
    for (OutputRequest& output : request.outputs) {
        output.summed = summed;
    }
}

std::vector<Operands> random_problems(const PlanRequest& request, int count, std::uint64_t seed) {
    std::vector<Operands> problems;
    for (int k = 0; k < count; ++k) {
        const MatrixMap values = random_values(request.symbols, dims_of(request),
                                               seed + 1000 * static_cast<std::uint64_t>(k));
        Operands operands(values.begin(), values.end());
        for (const Operand& o : request.operands) {
            if (!o.batched && k > 0) {
                operands[o.name] = problems.front().at(o.name);
            }
        }
        problems.push_back(std::move(operands));
    }
    return problems;
}

void expect_matches_reference(const PlanRequest& request, std::uint64_t seed) {
    const Program program = verified_program(request);
    const std::vector<Operands> problems = random_problems(request, 3, seed);
    Interpreter interpreter(program);
    const RunResult run = interpreter.run(problems);
    const auto dims = dims_of(request);
    std::int64_t n = 1;
    for (const auto& [name, size] : dims) {
        n = std::max(n, size);
    }
    for (std::size_t k = 0; k < problems.size(); ++k) {
        EXPECT_EQ(run.status[k], 0);
        Operands moved = problems[k];
        const double step = std::ldexp(1.0, -26);
        std::uint64_t state = seed * 77 + k;
        for (auto& [name, m] : moved) {
            for (Eigen::Index i = 0; i < m.size(); ++i) {
                state = state * 6364136223846793005ULL + 1442695040888963407ULL;
                m.data()[i] *= 1 + ((state >> 40) % 2 != 0 ? step : -step);
            }
        }
        for (std::size_t o = 0; o < request.outputs.size(); ++o) {
            const OutputRequest& output = request.outputs[o];
            const auto expected =
                selected(evaluate_reference(output.form, as_map(problems[k]), dims), output);
            const Eigen::MatrixXd& found = run.outputs[k][o];
            ASSERT_EQ(found.rows(), expected.rows()) << to_text(program);
            ASSERT_EQ(found.cols(), expected.cols()) << to_text(program);
            if (expected.size() == 0) {
                continue;
            }
            const double bound = 100 * static_cast<double>(n) * 2.2e-16 *
                                 (1 + sensitivity(output.form, problems[k], moved, dims, step));
            EXPECT_LE((found - expected).lpNorm<Eigen::Infinity>(), bound)
                << to_text(output.form) << ", problem " << k << "\n"
                << to_text(program) << "found\n"
                << found << "\nexpected\n"
                << expected;
        }
    }
}

void expect_matches_reference(const Problem& problem, std::uint64_t seed) {
    expect_matches_reference(request_for(problem), seed);
}

}  // namespace matgrad::testing
