/// The layouts, and the kernels for single problems, against each other.

#include <gtest/gtest.h>

#include "executors/pipeline.hpp"

namespace matgrad::test {
namespace {

TEST(Layouts, AgreeWithEachOther) {
    for (const ScalarType type : kTypes) {
        for (const std::int64_t n : {1, 4, 5, 17, 30}) {
            const Pipeline pipeline(type, n, 3);
            PipelineData data(pipeline, 33);
            constexpr double kShift = 2;
            data.S.make_positive(9, kShift);
            std::vector<PipelineResults> results;
            for (const ExecutorUnderTest& layout : executors_under_test()) {
                results.emplace_back(layout, pipeline, data, 2);
                EXPECT_EQ(results.back().run.summary.failed, 0);
            }
            ASSERT_EQ(results.size(), 4U);
            for (std::int64_t p = 0; p < 33; ++p) {
                for (std::size_t other : {1U, 2U, 3U}) {
                    expect_solutions_agree(matrix(results[0].G, p), matrix(results[other].G, p),
                                           type, kShift);
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
