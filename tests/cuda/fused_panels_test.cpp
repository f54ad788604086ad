/// Problems that do not fit the memory of a block: one kernel goes through them in passes over panels. Held to the
/// processor's executor, which computes in double.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "api/plan_making.hpp"
#include "cpu/cpu_executor.hpp"
#include "cuda/device_run.hpp"
#include "executors/host_memory_run.hpp"
#include "matgrad/error.hpp"
#include "program/uses.hpp"
#include "support/cookbook.hpp"
#include "support/environment.hpp"
#include "support/verified_program.hpp"

namespace matgrad::test {
namespace {

/// What a block may have, and a small team, while this lives.
class SmallBlocks {
public:
    explicit SmallBlocks(int bytes)
        : bytes_(std::to_string(bytes)),
          environment_({{"MATGRAD_GPU_FUSED_BLOCK_BYTES", bytes_.c_str()},
                        {"MATGRAD_GPU_FUSED_THREADS", "64"}}) {}

private:
    std::string bytes_;
    Environment environment_;
};

struct Function {
    const char* text;
    const char* declarations;  ///< with sizes as numbers
    const char* wrt;
    std::set<std::string> shared = {};
    const char* direction = "";  ///< of a Hessian-vector product; a name among the declarations
    int bytes = 3200;            ///< that a block may have, of float
    double size = 1;             ///< of the entries
    double terms = 0.01;         ///< of what results are sums of: the largest, or the results
};

/// A function of a batch and its operands, in both types alike.
class Problem {
public:
    Problem(const Function& function, ScalarType type, std::int64_t batch,
            Order order = Order::rows)
        : function_(function), type_(type), batch_(batch), order_(order) {
        std::uint32_t seed = 1;
        for (const Declaration& d : parse_declarations(function.declarations)) {
            const bool is_batched = function.shared.count(d.name) == 0;
            operands_.push_back({d.name, d.shape.rows.size, d.shape.cols.size, is_batched});
            data_.emplace_back(type, is_batched ? batch : 1, d.shape.rows.size, d.shape.cols.size,
                               order);
            data_.back().fill_random(seed++, -function.size, function.size);
        }
    }

    [[nodiscard]] Matrices& operator[](const std::string& name) {
        const auto found = std::find_if(operands_.begin(), operands_.end(),
                                        [&](const Operand& o) { return o.name == name; });
        return data_[static_cast<std::size_t>(found - operands_.begin())];
    }

    [[nodiscard]] Program program(ScalarType type) const {
        PlanOptions options;
        options.wrt = {function_.wrt};
        if (*function_.direction != 0) {
            options.hvp = {{function_.wrt, function_.direction}};
        }
        options.type = type;
        options.expected_batch = batch_;
        return verified_program(detail::make_request(
            parse(function_.text, parse_declarations(function_.declarations)), operands_, options));
    }

    struct Run {
        std::vector<Matrices> results;
        std::vector<std::int32_t> status;
    };
    /// What was in the results is 0.5.
    [[nodiscard]] Run on_gpu(const CallWishes& wishes = {}) const {
        const Program made = program(type_);
        gpu::ExecutorOptions options;
        options.executor = GpuExecutor::fused;
        const auto executor = module_under_test().make_executor(made, options);
        EXPECT_NE(executor->explain().find("; passes over"), std::string::npos)
            << executor->explain();
        return run(made, type_, data_, [&](const auto& operands, const auto& results) {
            return run_on_device(*executor, batch_, operands, results, wishes).status;
        });
    }
    [[nodiscard]] Run on_processor(const CallWishes& wishes = {}) const {
        std::vector<Matrices> exact;
        for (const Matrices& m : data_) {
            exact.emplace_back(ScalarType::float64, m.batch(), m.rows(), m.cols());
            for (std::int64_t i = 0; i < m.batch() * m.rows() * m.cols(); ++i) {
                const std::int64_t p = i / (m.rows() * m.cols());
                const std::int64_t e = i % (m.rows() * m.cols());
                exact.back().set(p, e / m.cols(), e % m.cols(),
                                 m.get(p, e / m.cols(), e % m.cols()));
            }
        }
        const Program made = program(ScalarType::float64);
        const auto executor = make_cpu_executor(made, 1);
        return run(
            made, ScalarType::float64, exact, [&](const auto& operands, const auto& results) {
                return run_in_host_memory(*executor, batch_, operands, results, wishes).status;
            });
    }

private:
    template <typename Call>
    [[nodiscard]] Run run(const Program& made, ScalarType type, const std::vector<Matrices>& data,
                          const Call& call) const {
        Run result;
        std::vector<const Matrices*> operands;
        for (const ProgramOperand& o : made.operands) {
            const auto found =
                std::find_if(operands_.begin(), operands_.end(),
                             [&](const Operand& other) { return other.name == o.name; });
            operands.push_back(&data[static_cast<std::size_t>(found - operands_.begin())]);
        }
        for (const ProgramOutput& output : made.outputs) {
            const Value& v = made.value(output.value);
            const std::int64_t rows = output.transposed ? v.cols.size : v.rows.size;
            const std::int64_t cols = output.transposed ? v.rows.size : v.cols.size;
            result.results.emplace_back(type, is_per_problem(made, output) ? batch_ : 1, rows, cols,
                                        order_);
            result.results.back().fill_random(1, 0.5, 0.5);
        }
        std::vector<Matrices*> results;
        for (Matrices& m : result.results) {
            results.push_back(&m);
        }
        result.status = call(operands, results);
        return result;
    }

    const Function& function_;
    ScalarType type_;
    std::int64_t batch_;
    Order order_;
    std::vector<Operand> operands_;
    std::vector<Matrices> data_;
};

double largest_of(const Matrices& m, std::int64_t problem) {
    double largest = 0;
    for (std::int64_t e = 0; e < m.rows() * m.cols(); ++e) {
        largest = std::max(largest, std::abs(m.get(problem, e / m.cols(), e % m.cols())));
    }
    return largest;
}

/// Sums of up to a thousand products of well conditioned matrices. Problems that fail do so on both, and are NaN.
void expect_close(const Problem::Run& got, const Problem::Run& want, ScalarType type,
                  double terms = 0.01) {
    EXPECT_EQ(got.status, want.status);
    ASSERT_EQ(got.results.size(), want.results.size());
    for (std::size_t i = 0; i < want.results.size(); ++i) {
        const Matrices& m = want.results[i];
        for (std::int64_t p = 0; p < m.batch(); ++p) {
            const double near =
                200 * static_cast<double>(unit(type)) * std::max(terms, largest_of(m, p));
            for (std::int64_t e = 0; e < m.rows() * m.cols(); ++e) {
                const double x = got.results[i].get(p, e / m.cols(), e % m.cols());
                const double y = m.get(p, e / m.cols(), e % m.cols());
                if (std::isnan(y)) {
                    ASSERT_TRUE(std::isnan(x)) << "result " << i << " of problem " << p;
                } else {
                    ASSERT_NEAR(x, y, near)
                        << "result " << i << ", entry " << e << " of problem " << p;
                }
            }
        }
    }
}

const Function kFunctions[] = {
    {"logdet(X'*X)", "X=150,6", "X"},
    {"logdet(X'*X)", "X=151,6 V=151,6", "X", {}, "V"},
    {"dot(A*x - b, A*x - b)", "A=203,7 x=7,1 b=203,1", "x"},
    {"0.5*dot(X*A', X*A')", "X=130,9 A=11,9", "X", {"A"}},
    {"0.5*dot(X*A', X*A')", "X=130,9 A=230,9", "X", {}, "", 12000},
    {"tr(A*X*B)", "A=7,140 X=140,9 B=9,7", "X", {}, "", 3200, 1, 10},
    {"norm2(X)", "X=171,8", "X"},
    {"norm2(X)", "X=171,8", "X", {}, "", 3200, 1e25, 1},
    {"norm2(X)", "X=171,8", "X", {}, "", 3200, 1e-25, 1e-30},
    {"sum(log(rowsum(exp(X*W)))) + sum(colsum(X).^2)", "X=97,6 W=6,5", "X", {"W"}},
    {"logsumexp(A*x)", "A=211,6 x=6,1", "A"},
    {"tr(tril(X)*X') + dot(diag(X), diag(X))", "X=45,45", "X"},
    {"logdet(S + X'*diag(w)*X)", "S=5,5:spd X=131,5 w=131,1", "w", {"S"}},
    {"sum(inv(B'*B + eye(5))*B'*Y)", "B=127,5 Y=127,3", "B"},
};

class FusedPanels : public testing::TestWithParam<std::tuple<ScalarType, int>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<0>(GetParam()); }
    [[nodiscard]] static const Function& function() { return kFunctions[std::get<1>(GetParam())]; }
};
INSTANTIATE_TEST_SUITE_P(
    Functions, FusedPanels,
    testing::Combine(testing::ValuesIn(kTypes), testing::Range(0, int{std::size(kFunctions)})),
    [](const auto& test) {
        return std::string(std::get<0>(test.param) == ScalarType::float32 ? "Float" : "Double") +
               std::to_string(std::get<1>(test.param));
    });

TEST_P(FusedPanels, AgreeWithTheProcessor) {
    const SmallBlocks blocks(type() == ScalarType::float32 ? function().bytes
                                                           : function().bytes * 3 / 2);
    const bool is_odd = std::get<1>(GetParam()) % 2 == 1;
    Problem problem(function(), type(), 3, is_odd ? Order::columns : Order::rows);
    if (std::string(function().declarations).find("S=") == 0) {
        problem["S"].make_positive(5, 1);
    }
    expect_close(problem.on_gpu(), problem.on_processor(), type(), function().terms);
}

class FusedPanelsOf : public testing::TestWithParam<ScalarType> {
protected:
    [[nodiscard]] static ScalarType type() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Types, FusedPanelsOf, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

const Function kLogDetGram = {"logdet(X'*X)", "X=150,6", "X"};

TEST_P(FusedPanelsOf, AProblemThatFailsTouchNoOther) {
    const SmallBlocks blocks(4000);
    Problem problem(kLogDetGram, type(), 7);
    for (std::int64_t r = 0; r < 150; ++r) {
        problem["X"].set(2, r, 4, 0);  // singular
    }
    problem["X"].set(5, 149, 1, INFINITY);  // in the last panel, which is short
    const Problem::Run got = problem.on_gpu();
    expect_close(got, problem.on_processor(), type());
    for (std::size_t p = 0; p < 7; ++p) {
        EXPECT_EQ(got.status[p] != 0, p == 2 || p == 5) << p;
    }
    EXPECT_TRUE(std::isnan(got.results[1].get(2, 0, 0)));
}

TEST_P(FusedPanelsOf, ResultsAreAddedToWhatIsThere) {
    const SmallBlocks blocks(4000);
    Problem problem(kLogDetGram, type(), 4, Order::padded_rows);
    for (std::int64_t r = 0; r < 150; ++r) {
        problem["X"].set(1, r, 4, 0);
    }
    CallWishes wishes;
    wishes.beta = {2, -3};
    const Problem::Run got = problem.on_gpu(wishes);
    expect_close(got, problem.on_processor(wishes), type(), 1);
    EXPECT_EQ(got.results[1].get(1, 149, 5), 0.5) << "of a problem that fails: what was there";
}

/// Neither its place in the batch nor the length of the batch changes them.
TEST_P(FusedPanelsOf, AProblemHasTheSameBitsWhereverItIs) {
    const SmallBlocks blocks(4000);
    Problem one(kLogDetGram, type(), 1);
    Problem many(kLogDetGram, type(), 9);
    for (std::int64_t e = 0; e < 150 * 6; ++e) {
        many["X"].set(6, e / 6, e % 6, one["X"].get(0, e / 6, e % 6));
    }
    const Problem::Run alone = one.on_gpu();
    const Problem::Run among = many.on_gpu();
    for (const std::size_t i : {0U, 1U}) {
        EXPECT_TRUE(among.results[i].same_bits(6, alone.results[i], 0)) << i;
    }
}

/// In the memory that a device gives a block, by large teams.
TEST_P(FusedPanelsOf, ALongProblemFitsADevice) {
    const Function long_gram = {"logdet(X'*X)", "X=3001,12", "X"};
    const Problem problem(long_gram, type(), 2);
    expect_close(problem.on_gpu(), problem.on_processor(), type());
    const Function regression = {"dot(A*x - b, A*x - b)", "A=5003,12 x=12,1 b=5003,1", "x"};
    const Problem other(regression, type(), 2);
    expect_close(other.on_gpu(), other.on_processor(), type());
}

/// The Cholesky factor of a Gram matrix is made again from its root, which is read from device memory.
TEST(FusedPanelsOfDouble, AGramMatrixOfAnIllConditionedRootKeepsItsDigits) {
    const SmallBlocks blocks(6000);
    Problem problem(kLogDetGram, ScalarType::float64, 3);
    constexpr double kSmall = 1e-5;
    for (std::int64_t r = 0; r < 150; ++r) {
        Matrices& X = problem["X"];
        X.set(1, r, 5, X.get(1, r, 4) + kSmall * X.get(1, r, 5));
    }
    const Problem::Run got = problem.on_gpu();
    const Problem::Run want = problem.on_processor();
    EXPECT_EQ(got.status, want.status);
    // Without it about 1/kSmall^2 times the unit.
    const double near = 100 / kSmall * static_cast<double>(unit(ScalarType::float64));
    EXPECT_NEAR(got.results[0].get(1, 0, 0), want.results[0].get(1, 0, 0), near);
    for (std::int64_t e = 0; e < 150 * 6; ++e) {
        EXPECT_NEAR(got.results[1].get(1, e / 6, e % 6), want.results[1].get(1, e / 6, e % 6),
                    near * largest_of(want.results[1], 1));
    }
}

TEST(FusedPanelsOfDouble, AProblemThatNeedsMoreThanABlockHasIsRefused) {
    const SmallBlocks blocks(500);
    const Problem problem(kLogDetGram, ScalarType::float64, 1);
    try {
        (void)problem.on_gpu();
        ADD_FAILURE() << "it fits";
    } catch (const UnsupportedError& error) {
        EXPECT_NE(std::string(error.what())
                      .find(" bytes on chip, of which a block has 500; "
                            "no panels of it fit either"),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
}  // namespace matgrad::test
