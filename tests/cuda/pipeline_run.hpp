#pragma once
/// \file The pipeline on a device: executors, operands by seed, results on the host.

#include <memory>
#include <vector>

#include "cuda/device_run.hpp"
#include "executors/pipeline.hpp"

namespace matgrad::test {

/// What the pipeline gives, on the host.
struct PipelineHost {
    Matrices HC, V, G;

    PipelineHost(const Pipeline& p, std::int64_t batch)
        : HC(p.program.type, batch, p.n, p.m, Order::padded_rows),
          V(p.program.type, batch, 1, 1),
          G(p.program.type, batch, p.m, p.n) {}
    [[nodiscard]] std::vector<Matrices*> all() { return {&HC, &V, &G}; }
    void expect_same_bits(const PipelineHost& other) const {
        for (std::int64_t p = 0; p < HC.batch(); ++p) {
            EXPECT_TRUE(HC.same_bits(p, other.HC, p)) << "problem " << p;
            EXPECT_TRUE(V.same_bits(p, other.V, p)) << "problem " << p;
            EXPECT_TRUE(G.same_bits(p, other.G, p)) << "problem " << p;
        }
    }
};

[[nodiscard]] inline PipelineData data_of_seed(const Pipeline& pipeline, std::int64_t batch,
                                               std::uint32_t seed) {
    PipelineData data(pipeline, batch);
    data.S.make_positive(seed, PipelineData::kShift);
    data.A.fill_random(seed + 1);
    data.B.fill_random(seed + 2);
    data.C.fill_random(seed + 3);
    return data;
}

}  // namespace matgrad::test
