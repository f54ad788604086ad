/// A Program cut in two gives what the whole gives: the early part run once, the late part for several sets
/// of late operands, with problems that fail in the early part.

#include "planner/split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "executors/build_program.hpp"
#include "executors/executor_under_test.hpp"
#include "expression/node.hpp"
#include "matgrad/calculus.hpp"
#include "planner/planner.hpp"
#include "program/uses.hpp"
#include "support/verified_program.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 23;

struct SplitCase {
    const char* name;
    const char* f;
    std::vector<std::string> declarations;
    std::vector<Operand> operands;  ///< of the function
    std::vector<std::string> variables;
    bool summed = false;
    std::string fails = {};  ///< the operand in which some problems are spoilt
};

const SplitCase kCases[] = {
    {"Logistic",
     "sum(c.*softplus(-s.*(X*w)))",
     {"X=m,n", "w=n", "s=m", "c=m"},
     {{"c", 9, 1, true}, {"s", 9, 1, false}, {"X", 9, 4, false}, {"w", 4, 1, true}},
     {"w"}},
    {"LogDetWithFailures",
     "-logdet(P) + tr(S*P)",
     {"P=n,n:spd", "S=n,n:sym"},
     {{"P", 5, 5, true}, {"S", 5, 5, true}},
     {"P"},
     false,
     "P"},
    {"LuWithFailures",
     "log(det(A)^2) + tr(B*inv(A))",
     {"A=n,n", "B=n,n"},
     {{"A", 4, 4, true}, {"B", 4, 4, false}},
     {"A"},
     false,
     "A"},
    {"RobustGram", "logdet(X'*X)", {"X=m,n"}, {{"X", 8, 3, true}}, {"X"}},
    {"FactorisationOverTheBatch",
     "0.5*norm2(x - V*u)^2",
     {"x=m", "V=m,n", "u=n"},
     {{"x", 7, 1, true}, {"V", 7, 3, false}, {"u", 3, 1, true}},
     {"V", "u"},
     true},
    {"SumsLeaveOutWhatFailsEarly",
     "x'*inv(P)*x",
     {"P=n,n:spd", "x=n"},
     {{"P", 3, 3, true}, {"x", 3, 1, false}},
     {"x"},
     true,
     "P"},
    {"SharedFactor",
     "tr(A*inv(P)*A') + sum(x.^3)",
     {"P=n,n:spd", "A=n,n", "x=n"},
     {{"P", 3, 3, false}, {"A", 3, 3, true}, {"x", 3, 1, true}},
     {"A"}},
    {"ZeroHessian", "tr(S*P)", {"S=n,n", "P=n,n"}, {{"S", 3, 3, true}, {"P", 3, 3, true}}, {"P"}},
};

/// Value, gradients, and the Hessian over all variables along D of each.
PlanRequest request_of(const SplitCase& c, ScalarType type) {
    std::vector<Declaration> declarations;
    for (const std::string& d : c.declarations) {
        declarations.push_back(parse_declaration(d));
    }
    const Expr f = parse(c.f, declarations);
    PlanRequest request;
    request.type = type;
    request.batch = kBatch;
    request.symbols = declarations;
    request.operands = c.operands;
    request.outputs.push_back({OutputKind::value, "", f, {}, c.summed});
    std::vector<std::string> directions;
    for (const std::string& variable : c.variables) {
        directions.push_back("D" + variable);
        Operand operand = *std::find_if(c.operands.begin(), c.operands.end(),
                                        [&](const Operand& o) { return o.name == variable; });
        operand.name = directions.back();
        request.operands.push_back(operand);
    }
    const auto add = [&](OutputKind kind, const Gradient& g) {
        const Operand& variable =
            *std::find_if(c.operands.begin(), c.operands.end(),
                          [&](const Operand& o) { return o.name == g.variable->name; });
        request.outputs.push_back({kind, variable.name, g.form, {}, c.summed && !variable.batched});
    };
    for (const Gradient& g : derive(f, c.variables, Convention::projected, Lines::omit).gradients) {
        add(OutputKind::gradient, g);
    }
    for (const Gradient& g : hessian_vector_product(f, c.variables, directions)) {
        add(OutputKind::hvp, g);
    }
    return request;
}

std::vector<Matrices> results_of(const Program& program) {
    std::vector<Matrices> results;
    for (const ProgramOutput& output : program.outputs) {
        const Value& value = program.value(output.value);
        const bool each = is_per_problem(program, output);
        results.emplace_back(program.type, each ? kBatch : 1,
                             output.transposed ? value.cols.size : value.rows.size,
                             output.transposed ? value.rows.size : value.cols.size);
    }
    return results;
}

std::vector<Matrices*> pointers_to(std::vector<Matrices>& matrices, std::size_t first = 0) {
    std::vector<Matrices*> pointers;
    for (std::size_t i = first; i < matrices.size(); ++i) {
        pointers.push_back(&matrices[i]);
    }
    return pointers;
}

class Split : public testing::TestWithParam<std::tuple<ExecutorUnderTest, SplitCase, ScalarType>> {
protected:
    [[nodiscard]] static const ExecutorUnderTest& executor() { return std::get<0>(GetParam()); }
    [[nodiscard]] static const SplitCase& split_case() { return std::get<1>(GetParam()); }
    [[nodiscard]] static ScalarType type() { return std::get<2>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Executors, Split,
                         testing::Combine(testing::ValuesIn(executors_under_test()),
                                          testing::ValuesIn(kCases), testing::ValuesIn(kTypes)),
                         [](const auto& test) {
                             return std::get<0>(test.param).name + "_" +
                                    std::get<1>(test.param).name +
                                    (std::get<2>(test.param) == ScalarType::float32 ? "_float"
                                                                                    : "_double");
                         });

/// What was computed another way agrees, and is NaN for the same problems.
void expect_close(const Matrices& found, const Matrices& want, ScalarType type) {
    double size = 1;
    for (std::int64_t p = 0; p < want.batch(); ++p) {
        for (std::int64_t r = 0; r < want.rows(); ++r) {
            for (std::int64_t c = 0; c < want.cols(); ++c) {
                const double entry = std::abs(want.get(p, r, c));
                size = std::isnan(entry) ? size : std::max(size, entry);
            }
        }
    }
    // The matrices have conditions below 10 and at most 9 rows; a few of them are multiplied.
    const double bound = 1e3 * static_cast<double>(unit(type)) * size;
    for (std::int64_t p = 0; p < want.batch(); ++p) {
        for (std::int64_t r = 0; r < want.rows(); ++r) {
            for (std::int64_t c = 0; c < want.cols(); ++c) {
                const double entry = want.get(p, r, c);
                if (std::isnan(entry)) {
                    EXPECT_TRUE(std::isnan(found.get(p, r, c))) << p << ": " << r << "," << c;
                } else {
                    EXPECT_NEAR(found.get(p, r, c), entry, bound) << p << ": " << r << "," << c;
                }
            }
        }
    }
}

TEST_P(Split, EarlyOnceAndLateTwiceGiveWhatTheWholeGives) {
    const SplitCase& c = split_case();
    const PlanRequest request = request_of(c, type());
    const Program whole = verified_program(request);
    std::vector<std::string> late_names;
    for (const std::string& variable : c.variables) {
        late_names.push_back("D" + variable);
    }
    const SplitProgram parts = split_program(whole, late_names);
    for (const Program* part : {&parts.early, &parts.late}) {
        const auto faults = find_faults(*part, Stage::placed);
        ASSERT_TRUE(faults.empty()) << faults[0] << "\n" << to_text(*part);
    }
    std::map<std::string, Matrices> operands;
    std::uint32_t seed = 1;
    for (const Operand& o : request.operands) {
        Matrices data(type(), o.batched ? kBatch : 1, o.rows, o.cols);
        if (o.name == "P" || o.name == "A") {
            data.make_positive(seed++, 1);
        } else {
            data.fill_random(seed++);
        }
        if (o.name == c.fails) {
            for (std::int64_t p = 3; p < kBatch; p += 7) {
                for (std::int64_t j = 0; j < o.cols; ++j) {
                    data.set(p, 1, j, 0);
                    data.set(p, j, 1, 0);
                }
                data.set(p, 1, 1, o.name == "P" ? -100 : 0);
            }
        }
        operands.emplace(o.name, std::move(data));
    }
    const auto inputs_of = [&](const Program& program, std::vector<Matrices>& kept) {
        std::vector<const Matrices*> inputs;
        std::size_t next = 0;
        for (const ProgramOperand& o : program.operands) {
            const auto at = operands.find(o.name);
            inputs.push_back(at == operands.end() ? &kept.at(next++) : &at->second);
        }
        EXPECT_EQ(next, kept.size());
        return inputs;
    };
    std::vector<Matrices> none;
    std::vector<Matrices> early = results_of(parts.early);
    const RunResult early_run =
        run(executor(), parts.early, kBatch, inputs_of(parts.early, none), pointers_to(early), 2);
    std::vector<Matrices> kept(early.end() - static_cast<std::ptrdiff_t>(parts.kept), early.end());
    for (std::uint32_t turn = 0; turn < 2; ++turn) {
        for (const std::string& name : late_names) {
            operands.at(name).fill_random(90 + turn);
        }
        std::vector<Matrices> all = results_of(whole);
        const RunResult run_of_all =
            run(executor(), whole, kBatch, inputs_of(whole, none), pointers_to(all), 2);
        std::vector<Matrices> late = results_of(parts.late);
        const RunResult late_run =
            run(executor(), parts.late, kBatch, inputs_of(parts.late, kept), pointers_to(late), 2);
        EXPECT_EQ(early_run.status, run_of_all.status);
        EXPECT_EQ(run_of_all.summary.failed, c.fails.empty() ? 0 : 3);
        for (std::size_t p = 0; p < kBatch; ++p) {
            EXPECT_EQ(late_run.status[p] == 0, run_of_all.status[p] == 0) << p;
        }
        for (std::size_t i = 0; i < parts.early_outputs.size(); ++i) {
            SCOPED_TRACE(testing::Message() << "output " << parts.early_outputs[i]);
            expect_close(early[i], all[parts.early_outputs[i]], type());
        }
        for (std::size_t i = 0; i < parts.late_outputs.size(); ++i) {
            SCOPED_TRACE(testing::Message() << "output " << parts.late_outputs[i]);
            expect_close(late[i], all[parts.late_outputs[i]], type());
        }
    }
    EXPECT_EQ(parts.late_outputs.size(), c.variables.size());
}

}  // namespace
}  // namespace matgrad::test
