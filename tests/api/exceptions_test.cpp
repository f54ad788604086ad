// What leaves the library: matgrad's exceptions, also where memory runs out, and what a caller's own
// functions throw.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "expression/guarded.hpp"
#include "matgrad/matgrad.hpp"
#include "support/allocation_count.hpp"

namespace matgrad {
namespace {

using test::FailingAllocations;
using How = FailingAllocations::How;

/// What a handler with throw_as_matgrad makes of an exception.
template <typename Thrown>
std::string made_of(const Thrown& thrown) {
    try {
        try {
            throw thrown;
        } catch (...) {
            detail::throw_as_matgrad();
        }
    } catch (const MachineError& error) {
        return std::string("MachineError: ") + error.what();
    } catch (const CallerError& error) {
        return std::string("CallerError: ") + error.what();
    } catch (const Error& error) {
        return std::string("Error: ") + error.what();
    } catch (const std::exception& error) {
        return std::string("foreign: ") + error.what();
    } catch (...) {
        return "not an exception";
    }
}

TEST(Exceptions, ThatLeaveAreOfMatgrad) {
    EXPECT_EQ(made_of(ShapeError("A is 2x3")), "CallerError: A is 2x3");
    EXPECT_EQ(made_of(std::bad_alloc()), "MachineError: memory ran out before the call was done");
    EXPECT_EQ(made_of(std::length_error("vector")),
              "MachineError: memory ran out before the call was done");
    EXPECT_EQ(made_of(std::system_error(std::make_error_code(std::errc::no_such_process), "x")),
              "MachineError: the system refused: x: No such process");
    EXPECT_EQ(made_of(std::logic_error("no such rule")),
              "Error: a fault of matgrad, please report it: no such rule");
    EXPECT_EQ(made_of(3), "not an exception");
}

TEST(Exceptions, OfTheCallersFunctionsLeaveARunAsTheyAre) {
    const Plan plan = make_plan(parse("norm2(x)^2"), {batched("x", 2)});
    const std::vector<double> x{3, 4, 1, 2};
    std::vector<double> value(2);
    const auto run = [&](const RunOptions& options) {
        plan.run({{"x", x}}, {{"value", value}}, {}, options);
    };
    RunOptions options;
    options.hooks.advance = [](std::int64_t) -> bool { throw std::logic_error("mine"); };
    EXPECT_THROW(run(options), std::logic_error);
    options.hooks.advance = [](std::int64_t) -> bool { throw std::bad_alloc(); };
    EXPECT_THROW(run(options), std::bad_alloc);
    options.hooks.advance = [](std::int64_t) -> bool { throw 7; };
    EXPECT_THROW(run(options), int);
    options.hooks.advance = [](std::int64_t) { return false; };
    EXPECT_THROW(run(options), Interrupted);
    run({});
    EXPECT_EQ(value, (std::vector<double>{25, 5}));
}

/// All that a program does with matgrad, with nothing of its own that allocates.
class Work {
public:
    explicit Work(int threads) {
        options_.wrt = variables_;
        options_.reduction = Reduction::mean;
        options_.threads = threads;
    }

    /// The mean over the problems that succeed; the last one does not.
    double operator()() {
        const Expr f = parse("logdet(S + X'*X) + tr(exp(X))", declarations_);
        const Derivation derivation = derive(f, variables_);
        const Plan plan = make_plan(f, operands_, options_);
        double value = 0;
        double gradient[4] = {};
        std::int32_t status[3] = {};
        const RunSummary summary = plan.run(
            {{"S", row_major(s_, 2, 2).batched(3)}, {"X", row_major(x_, 2, 2)}},
            {{"value", row_major(&value, 1, 1)}, {"gradient X", row_major(gradient, 2, 2)}},
            status);
        EXPECT_EQ(summary.failed, 1);
        EXPECT_EQ(status[2], make_status(StatusKind::not_positive, 1));
        return value + static_cast<double>(derivation.lines.size());
    }

private:
    const std::vector<Declaration> declarations_{"S=n,n:spd", "X=n,n"};
    const std::vector<std::string> variables_{"X"};
    const std::vector<Operand> operands_{batched("S", 2, 2), shared("X", 2, 2)};
    PlanOptions options_;
    const double s_[12] = {2, 0, 0, 2, 3, 1, 1, 3, -9, 0, 0, 1};
    const double x_[4] = {1, 0.5, 0, 1};
};

class OutOfMemory : public testing::TestWithParam<How> {};
INSTANTIATE_TEST_SUITE_P(Exceptions, OutOfMemory, testing::Values(How::once, How::from_then_on),
                         [](const auto& info) {
                             return info.param == How::once ? "Once" : "FromThenOn";
                         });

TEST_P(OutOfMemory, AnywhereIsAMachineErrorAndLeaksNothing) {
    for (const int threads : {1, 2}) {
        Work work(threads);
        const double want = work();  // and everything that is made once is there
        const std::int64_t live = test::live_allocations();
        std::int64_t errors = 0;
        for (std::int64_t after = 0;; ++after) {
            double got = want;
            bool is_done = false;
            std::string what;
            {
                const FailingAllocations failing(after, GetParam());
                try {
                    got = work();
                } catch (const MachineError&) {
                    ++errors;
                } catch (const std::exception&) {
                    what = "another";  // fits where no memory is
                }
                is_done = !FailingAllocations::has_failed();
            }
            ASSERT_EQ(what, "") << "allocation " << after;
            ASSERT_EQ(got, want) << "allocation " << after;
            ASSERT_EQ(test::live_allocations(), live) << "allocation " << after;
            if (is_done) {
                break;
            }
        }
        EXPECT_GT(errors, 100);
    }
}

TEST(Exceptions, OfAFunctionThatRunsOutOfMemoryAreMachineErrorsToo) {
    const Names variables("X");
    const std::vector<Declaration> declarations{"X=m,n"};
    const double x[4] = {1, 2, 3, 4};
    const auto work = [&] {
        const Function f("norm2(X)^2", variables, declarations);
        const Matrices gradient = f.value_and_gradient({{"X", row_major(x, 2, 2)}}).gradient;
        return gradient(0, 1, 1);
    };
    EXPECT_EQ(work(), 8);
    std::int64_t errors = 0;
    for (std::int64_t after = 0;; ++after) {
        const FailingAllocations failing(after, How::once);
        try {
            (void)work();
        } catch (const MachineError&) {
            ++errors;
        } catch (const std::bad_alloc&) {
            // The arguments are copied before the library is entered: as many allocations as these copies take.
            ASSERT_LT(after, 8);
        }
        if (!FailingAllocations::has_failed()) {
            break;
        }
    }
    EXPECT_GT(errors, 100);
}

TEST(Exceptions, OfSmallCallsThatRunOutOfMemoryAreMachineErrorsToo) {
    const Plan empty;
    const Plan plan = make_plan(parse("norm2(x)^2"), {batched("x", 2)});
    const Matrices numbers(ScalarType::float64, 2, 2);
    const std::vector<double> x{3, 4};
    const Results results = Function("norm2(x)^2", "x").evaluate({{"x", x}}, "value");
    CheckReport report;
    report.outputs.push_back(
        {"the gradient of a variable with a name that is long", 0, {1, 2}, true});
    report.problems = 1;
    const ParseError unread("found the end", "a*(b + c + d + e + f + g + h + i + j + k", 40);
    const std::function<void()> calls[] = {
        [] { (void)device_from_text("a device of no kind that is known here"); },
        [] {
            (void)to_text(Device{DeviceKind::cuda, 1234567890});
        },
        [] { (void)list_devices(); },
        [&] { (void)empty.operands(); },
        [&] { (void)empty.workspace_bytes(); },
        [&] { plan.release(); },
        [&] { (void)Workspace(plan); },
        [] { (void)Workspace(std::numeric_limits<std::size_t>::max()); },
        [&] { (void)numbers(0, 2, 0); },
        [&] { (void)numbers.entries<float>(); },
        [&] { (void)results["a result of no name that is known here"]; },
        [&] { (void)results.gradient("a variable of no name that is known here"); },
        [] { (void)Linearization().outputs(); },
        [&] { (void)report.text(); },
        [&] { CheckReport().add(report, 1); },
        [&] { (void)unread.excerpt(); },
    };
    for (const std::function<void()>& call : calls) {
        for (std::int64_t after = 0;; ++after) {
            const FailingAllocations failing(after, How::once);
            bool is_foreign = false;
            try {
                call();
            } catch (const Error&) {
                // of the call, or of the memory
            } catch (...) {
                is_foreign = true;
            }
            ASSERT_FALSE(is_foreign) << "call " << &call - calls << ", allocation " << after;
            if (!FailingAllocations::has_failed()) {
                break;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad
