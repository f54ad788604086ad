// Memory that runs out in what is made of plans: functions that keep them, linearizations, checks, calls from several
// threads at once.

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <exception>
#include <optional>
#include <span>
#include <thread>

#include "allocations/every_allocation.hpp"
#include "allocations/run_case.hpp"

namespace matgrad::test {
namespace {

RunCase logistic() {
    return {"logistic regression",
            "sum(softplus(-(X*w).*y)) + logdet(S)",
            {"S=n,n:spd"},
            {shared("X", 8, 3), batched("w", 3), batched("y", 8), batched("S", 3, 3)},
            {.wrt = {"w", "S"}, .threads = 2},
            40};
}

TEST(CallsOutOfMemory, OfAFunctionKeepWholePlansAlone) {
    const RunCase one = logistic();
    CaseData data(one);
    std::optional<Function> f;
    expect_to_survive_every_failure(
        {one.name,
         [&] {
             f.emplace(data.f(), Names(one.options.wrt), one.options);
             data.clear_results();
         },
         [&] {
             (void)f->run(data.operands(), data.results(), data.status());
             (void)f->run(data.operands(), data.results(), data.status());
         },
         [&] { return data.bytes(); }, [&] { f.reset(); }});
}

TEST(CallsOutOfMemory, OfAFunctionGiveResultsOfTheirOwn) {
    const RunCase one = logistic();
    const CaseData data(one);
    const Function f(data.f(), Names(one.options.wrt), one.options);
    std::optional<Results> results;
    expect_to_survive_every_failure(
        {one.name, [&] { results.reset(); }, [&] { results = f.evaluate(data.operands()); },
         [&] {
             if (!results) {
                 return std::string();
             }
             const std::span<const double> value = results->value().entries<double>();
             const std::span<const double> gradient = results->gradient("w").entries<double>();
             return std::string(reinterpret_cast<const char*>(value.data()), value.size() * 8) +
                    std::string(reinterpret_cast<const char*>(gradient.data()),
                                gradient.size() * 8);
         },
         [&] {
             results.reset();
             f.release();
         }});
}

TEST(CallsOutOfMemory, OfLinearizationsGiveProductsOrSaySo) {
    RunCase one = logistic();
    one.operands.push_back(batched("v", 3));
    one.options.wrt = {"w"};
    one.options.hvp = {{"w", "v"}};
    CaseData data(one);
    std::vector<OperandView> point(data.operands().begin(), data.operands().end() - 1);
    std::vector<OperandView> direction{data.operands().back()};
    std::vector<ResultView> early(data.results().begin(), data.results().end() - 1);
    std::vector<ResultView> product{data.results().back()};
    Plan plan;
    Linearization at;
    const auto begin = [&] {
        plan = data.make_plan();
        data.clear_results();
    };
    const auto linearize = [&] { at = plan.linearize(point, early, data.status()); };
    const auto apply = [&] { (void)at.apply(direction, product, data.status()); };
    const auto bytes = [&] { return data.bytes(); };
    const auto end = [&] {
        at = Linearization();
        plan = Plan();
    };
    expect_to_survive_every_failure({"at a point", begin, linearize, bytes, end});
    expect_to_survive_every_failure({"products",
                                     [&] {
                                         begin();
                                         linearize();
                                     },
                                     [&] {
                                         apply();
                                         apply();
                                     },
                                     bytes, end});
}

TEST(CallsOutOfMemory, OfChecksReportOrSaySo) {
    CaseData data(logistic());
    const Plan plan = data.make_plan();
    (void)data.run(plan);
    std::string text;
    const auto clear = [&] { std::string().swap(text); };
    expect_to_survive_every_failure(
        {"check", clear, [&] { text = data.check(plan).text(); }, [&] { return text; }, clear});
}

/// Threads that wait for work, started while there is memory.
class Callers {
public:
    explicit Callers(std::vector<std::function<void()>> work) : work_(std::move(work)) {
        errors_.resize(work_.size());
        for (std::size_t i = 0; i < work_.size(); ++i) {
            threads_.emplace_back([this, i] { serve(i); });
        }
    }
    Callers(const Callers&) = delete;
    Callers& operator=(const Callers&) = delete;
    ~Callers() {
        stops_ = true;
        start_round();
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }
    /// All at once. Throws what one of them threw.
    void work() {
        std::fill(errors_.begin(), errors_.end(), nullptr);
        working_ = static_cast<int>(work_.size());
        start_round();
        for (int left = working_; left > 0; left = working_) {
            working_.wait(left);
        }
        for (std::exception_ptr& error : errors_) {
            if (error) {
                std::rethrow_exception(error);
            }
        }
    }

private:
    void start_round() {
        ++round_;
        round_.notify_all();
    }
    void serve(std::size_t i) {
        for (int seen = 0; !stops_; ++seen) {
            round_.wait(seen);
            if (stops_) {
                return;
            }
            try {
                work_[i]();
            } catch (...) {
                errors_[i] = std::current_exception();
            }
            --working_;
            working_.notify_one();
        }
    }

    std::vector<std::function<void()>> work_;
    std::vector<std::exception_ptr> errors_;
    std::vector<std::thread> threads_;
    std::atomic<int> round_{0};
    std::atomic<int> working_{0};
    std::atomic<bool> stops_{false};
};

TEST(CallsOutOfMemory, FromSeveralThreadsAnswerOrSaySo) {
    const RunCase one = logistic();
    std::deque<CaseData> data;
    for (int i = 0; i < 3; ++i) {
        data.emplace_back(one);
    }
    std::optional<Function> f;
    std::vector<std::function<void()>> work;
    for (CaseData& own : data) {
        work.emplace_back(
            [&f, &own] { (void)f->run(own.operands(), own.results(), own.status()); });
    }
    Callers callers(work);
    expect_to_survive_every_failure({"three callers",
                                     [&] {
                                         f.emplace(data[0].f(), Names(one.options.wrt),
                                                   one.options);
                                         for (CaseData& own : data) {
                                             own.clear_results();
                                         }
                                     },
                                     [&] { callers.work(); },
                                     [&] {
                                         // One may have its answer, another not.
                                         return data[0].bytes();
                                     },
                                     [&] { f.reset(); }});
    for (CaseData& own : data) {
        EXPECT_TRUE(own.bytes() == data[0].bytes());
    }
}

}  // namespace
}  // namespace matgrad::test
