/// What is in the graph of a capturable plan, on a real GPU: work of the device alone. A node that
/// allocates would allocate at every replay, one that copies from the host would read memory that is gone.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuda/captured_graph.hpp"
#include "cuda/pipeline_run.hpp"

namespace matgrad::test {
namespace {

struct Size {
    std::int64_t n, batch;
};

class GraphNodes : public testing::TestWithParam<std::tuple<ScalarType, Size>> {};
INSTANTIATE_TEST_SUITE_P(
    Sizes, GraphNodes,
    testing::Combine(testing::ValuesIn(kTypes),
                     testing::Values(Size{6, 33}, Size{40, 5}, Size{100, 9}, Size{520, 2})),
    [](const auto& test) {
        return std::string(std::get<0>(test.param) == ScalarType::float32 ? "Float" : "Double") +
               "_n" + std::to_string(std::get<1>(test.param).n);
    });

std::vector<cudaGraphNode_t> nodes_of(cudaGraph_t graph) {
    std::size_t count = 0;
    MATGRAD_MUST(cudaGraphGetNodes(graph, nullptr, &count));
    std::vector<cudaGraphNode_t> nodes(count);
    MATGRAD_MUST(cudaGraphGetNodes(graph, nodes.data(), &count));
    return nodes;
}

bool is_device_memory(const void* data) {
    cudaPointerAttributes attributes{};
    return cudaPointerGetAttributes(&attributes, data) == cudaSuccess &&
           attributes.type == cudaMemoryTypeDevice;
}

TEST_P(GraphNodes, AreKernelsMemsetsAndCopiesWithinTheDevice) {
    const auto& [type, size] = GetParam();
    const Pipeline pipeline(type, size.n, 3, true);
    gpu::ExecutorOptions options;
    options.capturable = true;
    const auto executor = module_under_test().make_executor(pipeline.program, options);
    const PipelineData data(pipeline, size.batch);
    PipelineHost host(pipeline, size.batch);
    Matrices sum(type, 1, size.n, 3);
    Matrices flipped(type, 1, 3, size.n);
    Matrices total(type, 1, 1, 1);
    DeviceRun run(*executor, size.batch, data.all(),
                  {&sum, &flipped, &total, &host.HC, &host.V, &host.G});
    const TestStream stream;
    const CapturedGraph graph(run, stream.get());
    const std::vector<cudaGraphNode_t> nodes = nodes_of(graph.get());
    EXPECT_GT(nodes.size(), pipeline.program.steps.size() / 2);
    int kernels = 0;
    for (const cudaGraphNode_t node : nodes) {
        cudaGraphNodeType kind{};
        MATGRAD_MUST(cudaGraphNodeGetType(node, &kind));
        kernels += kind == cudaGraphNodeTypeKernel ? 1 : 0;
        if (kind == cudaGraphNodeTypeMemcpy) {
            cudaMemcpy3DParms copy{};
            MATGRAD_MUST(cudaGraphMemcpyNodeGetParams(node, &copy));
            EXPECT_TRUE(is_device_memory(copy.srcPtr.ptr));
            EXPECT_TRUE(is_device_memory(copy.dstPtr.ptr));
        } else {
            EXPECT_TRUE(kind == cudaGraphNodeTypeKernel || kind == cudaGraphNodeTypeMemset ||
                        kind == cudaGraphNodeTypeEmpty)
                << "a node of kind " << kind;
        }
    }
    EXPECT_GT(kernels, 0);
}

}  // namespace
}  // namespace matgrad::test
