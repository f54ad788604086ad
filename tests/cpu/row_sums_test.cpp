/// Sums of each problem's entries, squares and products, and their maxima, in every layout: at every width around
/// that of a vector, in mixed types, and with a factor that all problems share.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "executors/build_program.hpp"
#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

enum class Terms { entries, squares, powers, products, shared, largest };
constexpr Terms kTerms[] = {Terms::entries,  Terms::squares, Terms::powers,
                            Terms::products, Terms::shared,  Terms::largest};

/// The reductions of x, of x and y, or of x and a w that all share, each a result.
struct RowSums {
    Program program;

    /// `sums`: what the steps compute in.
    RowSums(ScalarType type, ScalarType sums, std::int64_t width) {
        ProgramBuilder build(type);
        const ValueId x = build.operand("x", width, 1, true);
        const ValueId y = build.operand("y", width, 1, true);
        const ValueId w = build.operand("w", width, 1, false);
        for (const Terms terms : kTerms) {
            MapBody body;
            body.operands = {{use(x), Broadcast::none}};
            body.code = {{MapOp::load, 0}};
            if (terms == Terms::squares) {
                body.code.push_back({MapOp::mul, 0, 0});
            } else if (terms == Terms::powers) {
                body.code.push_back({MapOp::pow, 0, -1, 2});
            } else if (terms == Terms::products || terms == Terms::shared) {
                // The shared factor comes first.
                const bool shared = terms == Terms::shared;
                body.operands.insert(shared ? body.operands.begin() : body.operands.end(),
                                     {use(shared ? w : y), Broadcast::none});
                body.code = {{MapOp::load, 0}, {MapOp::load, 1}, {MapOp::mul, 0, 1}};
            }
            Reduce reduce;
            reduce.op = terms == Terms::largest ? ReduceOp::max : ReduceOp::sum;
            reduce.rows = {"", width};
            reduce.cols = {"", 1};
            reduce.body = std::move(body);
            reduce.scale = kScale;
            const ValueId out = build.value(1, 1);
            build.step(std::move(reduce), out, terms == Terms::largest ? type : sums);
            build.output(out);
        }
        program = build.finish();
    }

    static constexpr double kScale = -0.5;
};

struct RowSumsRun {
    Matrices x, y, w;
    std::vector<Matrices> results;

    RowSumsRun(ScalarType type, std::int64_t batch, std::int64_t width, Order order)
        : x(type, batch, width, 1, order),
          y(type, batch, width, 1, order),
          w(type, 1, width, 1, order) {
        x.fill_random(1);
        y.fill_random(2);
        w.fill_random(3);
        for (std::size_t i = 0; i < std::size(kTerms); ++i) {
            results.emplace_back(type, batch, 1, 1);
        }
    }
    void operator()(const ExecutorUnderTest& executor, const RowSums& sums) {
        std::vector<Matrices*> outputs;
        for (Matrices& result : results) {
            outputs.push_back(&result);
        }
        run(executor, sums.program, x.batch(), {&x, &y, &w}, outputs, 2);
    }
    /// Against loops in long double.
    void check(ScalarType type, ScalarType sums) const {
        const auto terms = static_cast<long double>(x.rows() + 3);
        for (std::int64_t p = 0; p < x.batch(); ++p) {
            long double want[std::size(kTerms)] = {};
            long double sizes[std::size(kTerms)] = {};
            long double largest = -std::numeric_limits<long double>::infinity();
            for (std::int64_t i = 0; i < x.rows(); ++i) {
                const long double a = x.get(p, i, 0);
                const long double of[] = {a, a * a, a * a, a * y.get(p, i, 0), a * w.get(0, i, 0)};
                for (std::size_t k = 0; k < std::size(of); ++k) {
                    want[k] += of[k];
                    sizes[k] += std::abs(of[k]);
                }
                largest = std::max(largest, a);
            }
            want[std::size(kTerms) - 1] = largest;
            for (std::size_t k = 0; k < std::size(kTerms); ++k) {
                const long double expected = RowSums::kScale * want[k];
                const long double bound =
                    unit(type) * std::abs(expected) + terms * unit(sums) * sizes[k];
                ASSERT_LE(std::abs(results[k].get(p, 0, 0) - expected), bound)
                    << "reduction " << k << " of problem " << p;
            }
        }
    }
};

TEST(RowSums, MatchLoopsAtEveryWidthAndInMixedTypes) {
    for (const ScalarType type : kTypes) {
        for (const ScalarType sums : {type, ScalarType::float64}) {
            for (const std::int64_t width : {1, 2, 3, 7, 8, 9, 15, 16, 17, 40, 130, 600}) {
                const RowSums program(type, sums, width);
                RowSumsRun data(type, 37, width, Order::rows);
                for (const ExecutorUnderTest& executor : executors_under_test()) {
                    SCOPED_TRACE(testing::Message() << executor.name << " width " << width);
                    data(executor, program);
                    data.check(type, sums);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
}

TEST(RowSums, TakeEveryOrderOfMemory) {
    const RowSums program(ScalarType::float32, ScalarType::float64, 21);
    for (const Order order : kOrders) {
        RowSumsRun data(ScalarType::float32, 19, 21, order);
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(testing::Message()
                         << executor.name << " order " << static_cast<int>(order));
            data(executor, program);
            data.check(ScalarType::float32, ScalarType::float64);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(RowSums, OfAProblemAreTheSameBitsInEveryPlaceWhateverItsNeighboursHold) {
    for (const ScalarType type : kTypes) {
        const RowSums program(type, ScalarType::float64, 33);
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            RowSumsRun whole(type, 40, 33, Order::rows);
            whole(executor, program);
            RowSumsRun moved(type, 23, 33, Order::rows);
            for (std::int64_t p = 0; p < moved.x.batch(); ++p) {
                for (std::int64_t i = 0; i < 33; ++i) {
                    moved.x.set(p, i, 0, whole.x.get(39 - p, i, 0));
                    moved.y.set(p, i, 0, whole.y.get(39 - p, i, 0));
                }
            }
            moved.x.set(5, 1, 0, std::nan(""));
            moved.y.set(5, 2, 0, std::numeric_limits<double>::infinity());
            moved(executor, program);
            for (std::size_t k = 0; k < std::size(kTerms); ++k) {
                EXPECT_TRUE(std::isnan(moved.results[k].get(5, 0, 0)));
                for (std::int64_t p = 0; p < moved.x.batch(); ++p) {
                    EXPECT_TRUE(p == 5 || moved.results[k].same_bits(p, whole.results[k], 39 - p))
                        << "reduction " << k << " of problem " << p;
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
