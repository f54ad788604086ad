#include "allocations/every_allocation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#if defined(MATGRAD_SANITIZE)
#include <sanitizer/lsan_interface.h>
#endif

#include "executor/workers.hpp"
#include "matgrad/error.hpp"
#include "support/allocation_count.hpp"

namespace matgrad::test {
namespace {

using How = FailingAllocations::How;

/// More than any operation wants: they are started while there is memory.
constexpr int kMostThreads = 8;

void start_threads() {
#if defined(MATGRAD_SANITIZE)
    // What they have is lost in a child of fork, where other tests look for leaks.
    const __lsan::ScopedDisabler disabled;
#endif
    detail::run_workers(kMostThreads, [](int) {});
}

/// Of each operation, in each way to fail.
constexpr std::int64_t kTries = 200;

/// Says at the end what was tried.
class Report : public testing::Environment {
    void TearDown() override {
        const Tally& all = tally();
        std::printf("%lld operations, %lld allocations failed, %lld MachineErrors\n",
                    static_cast<long long>(all.operations), static_cast<long long>(all.failures),
                    static_cast<long long>(all.errors));
    }
};
const testing::Environment* const report = testing::AddGlobalTestEnvironment(new Report);

/// What left the operation.
struct Outcome {
    bool has_thrown = false;
    bool is_machine_error = false;
    bool is_one_line = true;
    bool has_failed = false;  ///< an allocation
    char other[200] = {};     ///< what another exception says
};

Outcome ask(const Operation& operation, std::int64_t after, How how, Whose whose) {
    const FailingAllocations failing(after, how, whose);
    Outcome outcome;
    try {
        operation.ask();
    } catch (const MachineError& error) {
        const std::string_view text = error.what();
        outcome.has_thrown = true;
        outcome.is_machine_error = true;
        outcome.is_one_line = !text.empty() && text.find('\n') == std::string_view::npos;
    } catch (const std::exception& error) {
        outcome.has_thrown = true;
        (void)std::snprintf(outcome.other, sizeof(outcome.other), "%s", error.what());
    } catch (...) {
        outcome.has_thrown = true;
    }
    outcome.has_failed = FailingAllocations::has_failed();
    return outcome;
}

class Tries {
public:
    explicit Tries(const Operation& operation) : operation_(operation) {
        start_threads();
        // What is made once and kept by the process is there from the second time on.
        for (int i = 0; i < 2; ++i) {
            operation.begin();
            before_ = operation.result();
            const std::int64_t first = allocation_count();
            operation.ask();
            allocations_ = allocation_count() - first;
            want_ = operation.result();
            operation.end();
        }
    }

    void every(How how, Whose whose) {
        const std::int64_t distance = distance_of_failures(allocations_, kTries);
        for (std::int64_t after = 0;; after += distance) {
            SCOPED_TRACE(operation_.name + ": allocation " + std::to_string(after) +
                         (how == How::once ? "" : " and all after it") +
                         (whose == Whose::all ? "" : " of other threads"));
            if (!survives(after, how, whose) || testing::Test::HasFailure()) {
                return;
            }
        }
    }

private:
    /// False if none failed: the operation makes no more.
    bool survives(std::int64_t after, How how, Whose whose) {
        const std::int64_t live = live_allocations();
        operation_.begin();
        const Outcome outcome = ask(operation_, after, how, whose);
        EXPECT_EQ(outcome.has_thrown, outcome.is_machine_error) << outcome.other;
        EXPECT_TRUE(outcome.is_one_line);
        if (outcome.has_thrown) {
            const std::string there = operation_.result();
            EXPECT_TRUE(there == before_ || there == want_) << "a part of the answer is there";
            operation_.ask();
        }
        EXPECT_TRUE(operation_.result() == want_) << "another answer";
        operation_.end();
        EXPECT_EQ(live_allocations(), live);
        tally().failures += outcome.has_failed ? 1 : 0;
        tally().errors += outcome.has_thrown ? 1 : 0;
        return outcome.has_failed;
    }

    const Operation& operation_;
    std::string before_;
    std::string want_;
    std::int64_t allocations_ = 0;
};

}  // namespace

void expect_to_survive_every_failure(const Operation& operation, std::span<const Whose> whose) {
    ++tally().operations;
    Tries tries(operation);
    for (const How how : {How::once, How::from_then_on}) {
        for (const Whose of : whose) {
            tries.every(how, of);
        }
    }
}

std::int64_t distance_of_failures(std::int64_t allocations, std::int64_t tries) {
#if defined(MATGRAD_SANITIZE)
    tries = std::max<std::int64_t>(1, tries / 10);
#endif
    const char* const every = std::getenv("MATGRAD_TEST_EVERY");
    return std::max<std::int64_t>(1, every != nullptr ? std::atoll(every) : allocations / tries);
}

Tally& tally() {
    static Tally all;
    return all;
}

}  // namespace matgrad::test
