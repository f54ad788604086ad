// `matgrad eval`: what it computes and writes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kEps = std::numeric_limits<double>::epsilon();

/// Least squares with shared A (5,3), batched x (7,3) and b (7,5).
class EvalCommand : public ::testing::Test {
protected:
    static constexpr std::int64_t m = 5, n = 3, batch = 7;

    EvalCommand() {
        write_npy(folder_.path("A.npy"), {m, n}, a_);
        write_npy(folder_.path("x.npy"), {batch, n}, x_);
        write_npy(folder_.path("b.npy"), {batch, m}, b_);
        options_.folder = folder_.path("");
    }

    [[nodiscard]] RunResult eval(std::vector<std::string> more,
                                 const std::string& text = "norm2(A*x-b)^2") const {
        std::vector<std::string> arguments{"eval", text, "--wrt", "x"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments, options_);
    }
    [[nodiscard]] RunResult eval_files(std::vector<std::string> more) const {
        more.insert(more.begin(), {"A=A.npy", "x=x.npy", "b=b.npy"});
        return eval(more);
    }

    [[nodiscard]] double residual(std::int64_t k, std::int64_t i) const {
        double r = -b_[static_cast<std::size_t>(k * m + i)];
        for (std::int64_t j = 0; j < n; ++j) {
            r += a_[static_cast<std::size_t>(i * n + j)] * x_[static_cast<std::size_t>(k * n + j)];
        }
        return r;
    }
    [[nodiscard]] double value(std::int64_t k) const {
        double sum = 0;
        for (std::int64_t i = 0; i < m; ++i) {
            sum += residual(k, i) * residual(k, i);
        }
        return sum;
    }
    [[nodiscard]] double gradient(std::int64_t k, std::int64_t j) const {
        double sum = 0;
        for (std::int64_t i = 0; i < m; ++i) {
            sum += 2 * a_[static_cast<std::size_t>(i * n + j)] * residual(k, i);
        }
        return sum;
    }
    // Numbers below 1: residuals are below n + 1, sums of m of them are off by 2 (m + n) eps each.
    static constexpr double kBound = 4.0 * (m + n) * m * (n + 1) * (n + 1) * kEps;

    io_test::TemporaryFolder folder_;
    RunOptions options_;
    std::vector<double> a_ = numbers(m * n, 1);
    std::vector<double> x_ = numbers(batch * n, 2);
    std::vector<double> b_ = numbers(batch * m, 3);
};

TEST_F(EvalCommand, RunsTheExampleOfItsHelp) {
    const RunResult result = eval_files({"--grad", "g.npy", "--value", "v.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, HasSubstr("check: 7 problems"));
    EXPECT_THAT(result.out, HasSubstr(": ok"));
    const auto g = read_npy<double>(folder_.path("g.npy"), {batch, n});
    const auto v = read_npy<double>(folder_.path("v.npy"), {batch});
    ASSERT_EQ(g.size(), static_cast<std::size_t>(batch * n));
    ASSERT_EQ(v.size(), static_cast<std::size_t>(batch));
    for (std::int64_t k = 0; k < batch; ++k) {
        EXPECT_NEAR(v[static_cast<std::size_t>(k)], value(k), kBound);
        for (std::int64_t j = 0; j < n; ++j) {
            EXPECT_NEAR(g[static_cast<std::size_t>(k * n + j)], gradient(k, j), kBound);
        }
    }
    EXPECT_EQ(folder_.num_entries(), 5u);  // three operands, two results, nothing else
}

TEST_F(EvalCommand, GivesWhatNumPyGives) {
    const std::string python = "/usr/bin/python3";
    if (std::system((python + " -c 'import numpy' 2> /dev/null").c_str()) != 0) {
        std::cerr << "NO PYTHON WITH NUMPY: results are not compared with NumPy's\n";
        GTEST_SKIP() << "no Python with NumPy on this machine";
    }
    io_test::write_text(folder_.path("make.py"), R"(
import numpy as np
r = np.random.default_rng(3)
np.save('A.npy', r.normal(size=(20, 6)))
np.save('x.npy', np.asfortranarray(r.normal(size=(40, 6))))
np.save('b.npy', r.normal(size=(40, 20)))
np.save('X.npy', np.asfortranarray(r.normal(size=(30, 16, 5)).astype(np.float32)))
)");
    io_test::write_text(folder_.path("compare.py"), R"(
import numpy as np
A, x, b, g, v, X, G = [np.load(n + '.npy') for n in ['A', 'x', 'b', 'g', 'v', 'X', 'G']]
r = x @ A.T - b
bound = 1000 * np.finfo(float).eps * (1 + np.abs(A).sum() * np.abs(r).max())
assert g.shape == x.shape and v.shape == (40,)
assert np.abs(g - 2 * r @ A).max() < bound
assert np.abs(v - (r * r).sum(axis=1)).max() < bound
X = X.astype(float)
expected = 2 * X @ np.linalg.inv(X.transpose(0, 2, 1) @ X)
condition = np.linalg.cond(X).max()
assert G.dtype == np.float32 and G.shape == X.shape
assert np.abs(G - expected).max() < 20 * np.finfo(np.float32).eps * condition * np.abs(expected).max()
)");
    const auto python_run = [&](const char* script) {
        return std::system(("cd '" + folder_.path("") + "' && " + python + " " + script).c_str());
    };
    ASSERT_EQ(python_run("make.py"), 0);
    ASSERT_EQ(eval_files({"--grad", "g.npy", "--value", "v.npy", "--check"}).status, 0);
    ASSERT_EQ(
        run({"eval", "@log_det_gram", "X=X.npy", "--grad", "G.npy", "--check"}, options_).status,
        0);
    EXPECT_EQ(python_run("compare.py"), 0);
}

TEST_F(EvalCommand, WritesNoBatchAxisWhereAllIsShared) {
    write_npy(folder_.path("x1.npy"), {n}, numbers(n, 2));
    write_npy(folder_.path("b1.npy"), {m}, numbers(m, 3));
    const RunResult result = eval({"A=A.npy", "x=x1.npy", "b=b1.npy", "--grad", "g.npy", "--value",
                                   "v.npy", "--status", "s.npy"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto g = read_npy<double>(folder_.path("g.npy"), {n});
    const auto v = read_npy<double>(folder_.path("v.npy"), {});
    const auto s = read_npy<std::int32_t>(folder_.path("s.npy"), {});
    ASSERT_EQ(g.size(), 3u);
    EXPECT_NEAR(g[1], gradient(0, 1), kBound);  // the first problem's numbers
    ASSERT_EQ(v.size(), 1u);
    EXPECT_NEAR(v[0], value(0), kBound);
    EXPECT_EQ(s, std::vector<std::int32_t>{0});
}

TEST_F(EvalCommand, ReducesTheValueAndWhatIsDerivedBySharedOperands) {
    for (const char* how : {"sum", "mean"}) {
        for (const char* memory : {"200", "1M"}) {  // in several pieces, and in one
            const RunResult result =
                eval_files({"--wrt", "A", "--grad", "A=gA.npy", "--grad", "x=gx.npy", "--value",
                            "v.npy", "--reduce", how, "--check", "--memory", memory});
            EXPECT_EQ(result.status, 0) << result.err;
            const double count = std::string(how) == "sum" ? 1 : static_cast<double>(batch);
            const auto gx = read_npy<double>(folder_.path("gx.npy"), {batch, n});
            const auto ga = read_npy<double>(folder_.path("gA.npy"), {m, n});
            const auto v = read_npy<double>(folder_.path("v.npy"), {});
            ASSERT_EQ(ga.size(), static_cast<std::size_t>(m * n));
            ASSERT_EQ(v.size(), 1u);
            double expected = 0, expected_value = 0;
            for (std::int64_t k = 0; k < batch; ++k) {
                EXPECT_NEAR(gx[static_cast<std::size_t>(n * k + 2)], gradient(k, 2) / count,
                            kBound);
                expected += 2 * residual(k, 1) * x_[static_cast<std::size_t>(k * n + 2)] / count;
                expected_value += value(k) / count;
            }
            EXPECT_NEAR(ga[n + 2], expected, 2.0 * batch * kBound);
            EXPECT_NEAR(v[0], expected_value, 2.0 * batch * kBound);
        }
    }
}

TEST_F(EvalCommand, DividesEachProblemsGradientByTheProblemsThatSucceed) {
    std::vector<double> s(4 * 5, 0);
    for (std::size_t k = 0; k < 5; ++k) {
        s[4 * k] = 2;
        s[4 * k + 3] = k % 2 == 0 ? 4 : -1;  // problems 1 and 3 are not positive
    }
    write_npy(folder_.path("S.npy"), {5, 2, 2}, s);
    for (const char* memory : {"200", "1M"}) {
        const RunResult result =
            run({"eval", "logdet(S)", "--wrt", "S", "--declare", "S=n,n:spd", "S=S.npy", "--grad",
                 "g.npy", "--reduce", "mean", "--memory", memory},
                options_);
        EXPECT_EQ(result.status, 1) << result.err;
        const auto g = read_npy<double>(folder_.path("g.npy"), {5, 2, 2});
        ASSERT_EQ(g.size(), 20u);
        for (std::size_t k = 0; k < 5; ++k) {
            EXPECT_EQ(std::isnan(g[4 * k]), k % 2 == 1);
        }
        EXPECT_NEAR(g[0], 0.5 / 3, 1e-15);
        EXPECT_NEAR(g[4 * 4 + 3], 0.25 / 3, 1e-15);
    }
}

TEST_F(EvalCommand, AsksOnlyForTheOperandsThatAResultNeeds) {
    // The Hessian is 2*A'*A: neither x nor b is in it.
    const RunResult result = eval({"A=A.npy", "--hvp", "v=x.npy", "--hvp-out", "h.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto h = read_npy<double>(folder_.path("h.npy"), {batch, n});
    ASSERT_EQ(h.size(), static_cast<std::size_t>(batch * n));
    double expected = 0;
    for (std::int64_t i = 0; i < m; ++i) {
        expected += 2 * a_[static_cast<std::size_t>(i * n + 1)] *
                    (residual(4, i) + b_[static_cast<std::size_t>(4 * m + i)]);
    }
    EXPECT_NEAR(h[4 * n + 1], expected, kBound);
    // The value needs all of them.
    const RunResult missing = eval({"A=A.npy", "x=x.npy", "--value", "v.npy"});
    EXPECT_EQ(missing.status, 2);
    EXPECT_THAT(missing.err, HasSubstr("operand b is missing"));
}

TEST_F(EvalCommand, ComputesOneEntry) {
    EXPECT_EQ(eval_files({"--grad", "g.npy", "--entry", "1,0", "--check"}).status, 0);
    const auto g = read_npy<double>(folder_.path("g.npy"), {batch});
    ASSERT_EQ(g.size(), static_cast<std::size_t>(batch));
    for (std::int64_t k = 0; k < batch; ++k) {
        EXPECT_NEAR(g[static_cast<std::size_t>(k)], gradient(k, 1), kBound);
    }
}

TEST_F(EvalCommand, WritesTheGradientsOfSeveralVariables) {
    const RunResult result =
        eval_files({"--wrt", "A", "--grad", "A=gA.npy", "--grad", "x=gx.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto gx = read_npy<double>(folder_.path("gx.npy"), {batch, n});
    const auto ga = read_npy<double>(folder_.path("gA.npy"), {batch, m, n});
    ASSERT_EQ(ga.size(), static_cast<std::size_t>(batch * m * n));
    // d/dA = 2 r x'
    EXPECT_NEAR(ga[static_cast<std::size_t>((2 * m + 4) * n + 1)],
                2 * residual(2, 4) * x_[static_cast<std::size_t>(2 * n + 1)], kBound);
    EXPECT_NEAR(gx[4], gradient(1, 1), kBound);
}

TEST_F(EvalCommand, AppliesTheHessianToADirection) {
    const std::vector<double> v = numbers(batch * n, 9);
    write_npy(folder_.path("v.npy"), {batch, n}, v);
    const RunResult result = eval_files({"--hvp", "v=v.npy", "--hvp-out", "h.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto h = read_npy<double>(folder_.path("h.npy"), {batch, n});
    ASSERT_EQ(h.size(), static_cast<std::size_t>(batch * n));
    for (std::int64_t k = 0; k < batch; ++k) {
        for (std::int64_t j = 0; j < n; ++j) {  // 2 A'A v
            double expected = 0;
            for (std::int64_t i = 0; i < m; ++i) {
                double av = 0;
                for (std::int64_t l = 0; l < n; ++l) {
                    av += a_[static_cast<std::size_t>(i * n + l)] *
                          v[static_cast<std::size_t>(k * n + l)];
                }
                expected += 2 * a_[static_cast<std::size_t>(i * n + j)] * av;
            }
            EXPECT_NEAR(h[static_cast<std::size_t>(k * n + j)], expected, kBound);
        }
    }
}

TEST_F(EvalCommand, AppliesTheHessianWithinTheSymmetricMatrices) {
    const std::vector<double> p{2, 1, 1, 3};
    const std::vector<double> v{1, -2, -2, 4};
    write_npy(folder_.path("P.npy"), {2, 2}, p);
    write_npy(folder_.path("V.npy"), {2, 2}, v);
    // f = tr(P*P*P): grad f = 3 P^2, and along V it changes by 3 (P V + V P).
    const auto hvp = [&](const char* convention) {
        const RunResult result =
            run({"eval", "tr(P*P*P)", "--wrt", "P", "--declare", "P=n,n:sym", "P=P.npy", "--hvp",
                 "V=V.npy", "--hvp-out", "H.npy", "--convention", convention, "--check"},
                options_);
        EXPECT_EQ(result.status, 0) << result.out << result.err;
        return read_npy<double>(folder_.path("H.npy"), {2, 2});
    };
    const std::vector<double> projected = hvp("projected");
    const std::vector<double> free = hvp("free-entries");
    // P V = [2-2, -4+4; 1-6, -2+12] = [0 0; -5 10], so P V + V P = [0 -5; -5 20].
    EXPECT_EQ(projected, (std::vector<double>{0, -15, -15, 60}));
    EXPECT_EQ(free, (std::vector<double>{0, -30, -30, 60}));
}

TEST_F(EvalCommand, ReadsFortranOrderAndPiecesAlike) {
    ASSERT_EQ(eval_files({"--grad", "g.npy", "--value", "v.npy"}).status, 0);
    const auto expected = read_npy<double>(folder_.path("g.npy"), {batch, n});
    const auto transposed = [](const std::vector<double>& from, std::int64_t rows,
                               std::int64_t cols) {
        std::vector<double> to;
        for (std::int64_t j = 0; j < cols; ++j) {
            for (std::int64_t i = 0; i < rows; ++i) {
                to.push_back(from[static_cast<std::size_t>(i * cols + j)]);
            }
        }
        return to;
    };
    write_npy(folder_.path("A.npy"), {m, n}, transposed(a_, m, n), true);
    write_npy(folder_.path("x.npy"), {batch, n}, transposed(x_, batch, n), true);
    write_npy(folder_.path("b.npy"), {batch, m}, transposed(b_, batch, m), true);
    for (const char* memory : {"1", "150", "1000", "1G"}) {
        ASSERT_EQ(eval_files({"--grad", "g.npy", "--memory", memory}).status, 0);
        EXPECT_EQ(read_npy<double>(folder_.path("g.npy"), {batch, n}), expected) << memory;
    }
}

TEST_F(EvalCommand, TakesNumbersAndFilesForScalars) {
    const std::string text = "norm2(A*x-b)^2 + t*norm2(x)^2";
    const auto with = [&](const std::string& t) {
        return eval({"A=A.npy", "x=x.npy", "b=b.npy", t, "--declare", "t=1", "--value", "v.npy"},
                    text);
    };
    const auto expected = [&](std::int64_t k, double t) {
        double squares = 0;
        for (std::int64_t j = 0; j < n; ++j) {
            const double x = x_[static_cast<std::size_t>(k * n + j)];
            squares += x * x;
        }
        return value(k) + t * squares;
    };
    EXPECT_EQ(with("t=-2.5e-1").status, 0);
    EXPECT_NEAR(read_npy<double>(folder_.path("v.npy"), {batch})[3], expected(3, -0.25), kBound);
    write_npy(folder_.path("t.npy"), {}, std::vector<double>{0.5});
    EXPECT_EQ(with("t=t.npy").status, 0);
    EXPECT_NEAR(read_npy<double>(folder_.path("v.npy"), {batch})[3], expected(3, 0.5), kBound);
    const std::vector<double> each = numbers(batch, 4);
    write_npy(folder_.path("t.npy"), {batch}, each);
    EXPECT_EQ(with("t=t.npy").status, 0);
    EXPECT_NEAR(read_npy<double>(folder_.path("v.npy"), {batch})[3], expected(3, each[3]), kBound);
}

TEST_F(EvalCommand, PrintsWhatGoesToNoFile) {
    const RunResult table = eval_files({});
    EXPECT_EQ(table.status, 0) << table.err;
    EXPECT_THAT(table.out, HasSubstr("7 problems, 0 failed"));
    EXPECT_THAT(table.out, HasSubstr("|gradient x|"));
    const RunResult single = run({"eval", "s^2 + 3", "--wrt", "s", "--declare", "s=1", "s=4"});
    EXPECT_EQ(single.status, 0) << single.err;
    EXPECT_EQ(single.out, "value = 19\ngradient s = 8\n");
}

TEST_F(EvalCommand, ExplainsThePlan) {
    const RunResult result = eval_files({"--explain", "--value", "v.npy"});
    EXPECT_EQ(result.status, 0);
    for (const char* part : {"gemm", "shared", "per problem", "op", "layout"}) {
        EXPECT_THAT(result.out, HasSubstr(part));
    }
}

TEST_F(EvalCommand, ExplainsWhereAMeanIsDivided) {
    const std::string division = "divided by how many problems succeed";
    EXPECT_THAT(eval_files({"--explain", "--value", "v.npy", "--reduce", "mean"}).out,
                HasSubstr(division));
    EXPECT_THAT(eval_files({"--explain", "--value", "v.npy", "--reduce", "sum"}).out,
                Not(HasSubstr(division)));
}

TEST_F(EvalCommand, ExplainsOneProblemWithoutTilesAndTimesOfMany) {
    const RunResult one = run({"eval", "s^2 + 3", "--declare", "s=1", "s=4", "--explain"});
    EXPECT_THAT(one.out, HasSubstr("cpu: single small problems, one after the other"));
    EXPECT_THAT(one.out, Not(HasSubstr("layout")));
    EXPECT_THAT(one.out, Not(HasSubstr("0.00 us")));
}

TEST_F(EvalCommand, ExplainsThePassesThatMadeThePlan) {
    const RunResult plan = eval_files({"--explain", "--value", "v.npy"});
    const RunResult passes = eval_files({"--explain=passes", "--value", "v.npy"});
    EXPECT_EQ(passes.status, 0) << passes.err;
    EXPECT_THAT(passes.out, HasSubstr("== after lowering\noperands"));
    EXPECT_THAT(passes.out, HasSubstr("== trim_symmetric: unchanged"));
    EXPECT_THAT(passes.out, EndsWith(plan.out));
    const RunResult wrong = eval_files({"--explain=steps", "--value", "v.npy"});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, HasSubstr("--explain"));
    EXPECT_THAT(wrong.err, HasSubstr("expected one of plan, passes"));
}

TEST_F(EvalCommand, TakesAnEmptyBatch) {
    write_npy(folder_.path("x.npy"), {0, n}, std::vector<double>());
    write_npy(folder_.path("b.npy"), {0, m}, std::vector<double>());
    const RunResult result = eval_files({"--grad", "g.npy", "--value", "v.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_TRUE(read_npy<double>(folder_.path("g.npy"), {0, n}).empty());
    EXPECT_TRUE(read_npy<double>(folder_.path("v.npy"), {0}).empty());
    EXPECT_EQ(eval_files({"--value", "v.npy", "--reduce", "sum"}).status, 0);
    EXPECT_EQ(read_npy<double>(folder_.path("v.npy"), {}), std::vector<double>{0});
    EXPECT_EQ(eval_files({"--grad", "g.npy", "--reduce", "mean"}).status, 0);
    EXPECT_TRUE(read_npy<double>(folder_.path("g.npy"), {0, n}).empty());
}

TEST_F(EvalCommand, CountsTheProblemsThatFailAndStillWritesTheResults) {
    std::vector<double> s(4 * 5, 0);
    for (std::size_t k = 0; k < 5; ++k) {
        s[4 * k] = 2;
        s[4 * k + 3] = k % 2 == 0 ? 3 : -1;  // problems 1 and 3 are not positive
    }
    write_npy(folder_.path("S.npy"), {5, 2, 2}, s);
    const std::int32_t kFailed = (1 << 24) + 2;  // not positive, pivot 2
    for (const char* memory : {"1", "1M"}) {
        const RunResult result =
            run({"eval", "logdet(S)", "--wrt", "S", "--declare", "S=n,n:spd", "S=S.npy", "--grad",
                 "g.npy", "--value", "v.npy", "--status", "s.npy", "--check", "--memory", memory},
                options_);
        EXPECT_EQ(result.status, 1);
        EXPECT_EQ(result.err,
                  "matgrad: 2 of 5 problems failed; first: problem 1, not positive at pivot 2\n");
        EXPECT_THAT(result.out, HasSubstr("check: 3 problems"));
        EXPECT_EQ(read_npy<std::int32_t>(folder_.path("s.npy"), {5}),
                  (std::vector<std::int32_t>{0, kFailed, 0, kFailed, 0}));
        const auto v = read_npy<double>(folder_.path("v.npy"), {5});
        const auto g = read_npy<double>(folder_.path("g.npy"), {5, 2, 2});
        ASSERT_EQ(v.size(), 5u);
        EXPECT_NEAR(v[2], std::log(6.0), 8 * kEps);
        EXPECT_TRUE(std::isnan(v[1]));
        EXPECT_TRUE(std::isnan(g[4]));
        EXPECT_NEAR(g[8], 0.5, 4 * kEps);
    }
}

TEST_F(EvalCommand, ReplacesOldResultsAndFollowsLinks) {
    io_test::write_text(folder_.path("real.npy"), "old");
    ASSERT_EQ(::symlink("real.npy", folder_.path("v.npy").c_str()), 0);
    EXPECT_EQ(eval_files({"--value", "v.npy"}).status, 0);
    EXPECT_NEAR(read_npy<double>(folder_.path("real.npy"), {batch})[0], value(0), kBound);
}

}  // namespace
}  // namespace matgrad::cli_test
