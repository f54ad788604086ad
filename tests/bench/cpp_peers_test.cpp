// The peers in C++: their closed forms are right, and what they offer is what is asked of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/suite.hpp"

namespace matgrad::bench {
namespace {

/// All four functions, shared and batched, tall and square, in both types, one problem and several.
const char* const kSuite = R"({"name": "peers", "cases": [
    {"function": "frobenius", "sizes": {"m": 9, "n": 4, "p": 6},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [["X"], ["X", "A"]], "batch": [1, 7]}},
    {"function": "least_squares", "sizes": {"m": 9, "n": 4},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [["x"], ["A", "x", "b"]], "batch": [1, 7]}},
    {"function": "bilinear_trace", "sizes": {"p": 3, "m": 9, "n": 4},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batched": [["X"], ["A", "X", "B"]], "batch": [1, 7]}},
    {"function": "log_det_gram", "sizes": {"m": 9, "n": 4},
     "for": {"type": ["float32", "float64"], "outputs": ["value", "gradient", "both"],
             "batch": [1, 7]}}]})";

std::vector<Contender> all_peers() {
    std::vector<Contender> peers = cpp_peers();
    try {
        peers.push_back(mkl_peer(open_mkl_peer()));
    } catch (const MachineError& error) {
        std::cout << "mkl: " << error.what() << "\n";
    }
    return peers;
}

TEST(CppPeers, GiveRightResultsForEverythingTheyOffer) {
    const Suite suite = parse_suite(kSuite, "peers");
    Pace pace;
    pace.seconds = 1e-4;
    for (Contender peer : all_peers()) {
        peer.most_copies = 2;  // no time is looked at
        const auto runner = make_cpu_runner(peer, 2);
        for (const Case& c : suite.cases) {
            if (is_offered(c, peer.executor)) {
                const Row row = runner->run(c, pace);
                EXPECT_TRUE(row.ok) << peer.executor << ": " << c.name << ": " << row.error;
            }
        }
    }
}

TEST(CppPeers, WriteOneResultWhereProblemsHaveNothingOfTheirOwn) {
    const Suite suite = parse_suite(R"({"name": "peers", "cases": [
        {"function": "frobenius", "sizes": {"m": 3, "n": 2, "p": 2}, "outputs": "value",
         "batched": [], "batch": 4}]})",
                                    "peers");
    const Case& c = suite.cases.front();
    const std::vector<double> x{1, 0, 0, 1, 1, 1};
    const std::vector<double> a{1, 0, 0, 1};
    for (const Contender& peer : cpp_peers()) {
        std::vector<double> value{-1, -1, -1, -1};
        const ConstStrided operands[] = {ConstStrided::contiguous(x.data(), 3, 2),
                                         ConstStrided::contiguous(a.data(), 2, 2)};
        const Strided results[] = {Strided::contiguous(value.data(), 1, 1)};
        peer.prepare(c, 1).call(operands, results);
        EXPECT_EQ(value, (std::vector<double>{2, -1, -1, -1})) << peer.executor;
    }
}

TEST(CppPeers, ByMklComputeGroupsOfManyProblemsAndWhatIsLeftOver) {
    const Suite suite = parse_suite(R"({"name": "peers", "cases": [
        {"function": "log_det_gram", "sizes": {"m": 5, "n": 3}, "batch": 1003,
         "for": {"type": ["float32", "float64"]}},
        {"function": "frobenius", "sizes": {"m": 64, "n": 16, "p": 32}, "batch": 77,
         "for": {"batched": [["X"], ["X", "A"]]}}]})",
                                    "peers");
    MklEntries entries;
    try {
        entries = open_mkl_peer();
    } catch (const MachineError& error) {
        GTEST_SKIP() << error.what();
    }
    Contender peer = mkl_peer(entries);
    peer.most_copies = 1;
    Pace pace;
    pace.seconds = 1e-4;
    for (const Case& c : suite.cases) {
        const Row row = make_cpu_runner(peer, 2)->run(c, pace);
        EXPECT_TRUE(row.ok) << c.name << ": " << row.error;
    }
}

TEST(CppPeers, OfferTheFourFunctionsAndLibxsmmItsProducts) {
    const Suite suite = parse_suite(kSuite, "peers");
    const auto offered = [&](const char* executor) {
        return std::count_if(suite.cases.begin(), suite.cases.end(),
                             [&](const Case& c) { return is_offered(c, executor); });
    };
    EXPECT_EQ(offered("eigen"), 24 * 3 + 12);
    EXPECT_EQ(offered("libxsmm"), 24 * 2);
    EXPECT_EQ(offered("mkl"), 12 * 2 + 6);  // more than one problem, and not of least squares
    Case other = suite.cases.front();
    other.f = "sum(X)";
    EXPECT_FALSE(is_offered(other, "eigen"));
}

}  // namespace
}  // namespace matgrad::bench
