/// Capture of simulated streams: what may be recorded is replayed, what CUDA forbids meanwhile fails
/// with the documented code and makes the capture invalid.

#include <functional>
#include <thread>

#include "cuda/simulated_support.hpp"

namespace matgrad::simulated {
namespace {

class SimulatedCapture : public SimulatedTest {
protected:
    void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) {
        ASSERT_EQ(cudaStreamBeginCapture(stream_, mode), cudaSuccess);
    }
    cudaError_t end() {
        cudaGraph_t graph = nullptr;
        const cudaError_t code = cudaStreamEndCapture(stream_, &graph);
        EXPECT_EQ(graph != nullptr, code == cudaSuccess);
        if (graph != nullptr) {
            EXPECT_EQ(cudaGraphInstantiate(&executable_, graph, 0), cudaSuccess);
            EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
        }
        return code;
    }
    void TearDown() override {
        if (executable_ != nullptr) {
            EXPECT_EQ(cudaGraphExecDestroy(executable_), cudaSuccess);
        }
        SimulatedTest::TearDown();
    }
    const TestStream stream_;
    cudaGraphExec_t executable_ = nullptr;
};

TEST_F(SimulatedCapture, RecordsInsteadOfRunningAndReplaysAnyNumberOfTimes) {
    const TestKernel kernel(
        "struct Args { double* x; };"
        "MATGRAD_KERNEL(twice, Args, 1) { store(args.x, 2 * load(args.x)); }",
        "twice");
    const DeviceArray<double> x(std::vector<double>{1});
    begin();
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &status), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusActive);
    EXPECT_EQ(kernel.launch(1, 1, x.data(), stream_), cudaSuccess);
    ASSERT_EQ(end(), cudaSuccess);
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &status), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusNone);
    EXPECT_EQ(x.download()[0], 1);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(cudaGraphLaunch(executable_, stream_), cudaSuccess);
    }
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    EXPECT_EQ(x.download()[0], 8);
    EXPECT_EQ(launches().size(), 3u);
    EXPECT_EQ(cudaGraphExecDestroy(std::exchange(executable_, nullptr)), cudaSuccess);
}

TEST_F(SimulatedCapture, TellsTheNodesOfAGraphAndTheirTypes) {
    const DeviceArray<double> x(2);
    begin();
    EXPECT_EQ(cudaMemsetAsync(x.data(), 0, 8, stream_), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(x.data() + 1, x.data(), 8, cudaMemcpyDefault, stream_), cudaSuccess);
    EXPECT_EQ(enqueue(stream_, "a call of a library", [] {}), cudaSuccess);
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
    std::size_t count = 0;
    EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &count), cudaSuccess);
    EXPECT_EQ(count, 3u);
    // More room than nodes: the rest becomes null.
    count = 4;
    cudaGraphNode_t nodes[4] = {nullptr, nullptr, nullptr,
                                reinterpret_cast<cudaGraphNode_t>(&count)};
    EXPECT_EQ(cudaGraphGetNodes(graph, nodes, &count), cudaSuccess);
    EXPECT_EQ(count, 3u);
    EXPECT_EQ(nodes[3], nullptr);
    std::vector<cudaGraphNodeType> types;
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(cudaGraphNodeGetType(nodes[i], &types.emplace_back()), cudaSuccess);
    }
    EXPECT_THAT(types, ::testing::ElementsAre(cudaGraphNodeTypeMemset, cudaGraphNodeTypeMemcpy,
                                              cudaGraphNodeTypeKernel));
    // Less room: the first ones.
    count = 1;
    EXPECT_EQ(cudaGraphGetNodes(graph, nodes + 2, &count), cudaSuccess);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(nodes[2], nodes[0]);
    cudaGraphNodeType type = cudaGraphNodeTypeCount;
    EXPECT_EQ(cudaGraphNodeGetType(nullptr, &type), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGraphGetNodes(graph, nodes, nullptr), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    EXPECT_EQ(cudaGraphNodeGetType(nodes[0], &type), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGraphGetNodes(graph, nodes, &count), cudaErrorInvalidValue);
}

TEST_F(SimulatedCapture, SpreadsToAStreamThatWaitsAndEndsWhenItIsJoined) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        set_schedule({seed, 0.25});
        const TestStream other;
        const TestEvent fork;
        const TestEvent join;
        std::string notes;
        const auto note = [&notes](cudaStream_t stream, char letter) {
            EXPECT_EQ(enqueue(stream, "note", [&notes, letter] { notes += letter; }), cudaSuccess);
        };
        begin();
        note(stream_, 'a');
        EXPECT_EQ(cudaEventRecord(fork, stream_), cudaSuccess);
        EXPECT_EQ(cudaStreamWaitEvent(other, fork, 0), cudaSuccess);
        note(other, 'b');
        EXPECT_EQ(cudaEventRecord(join, other), cudaSuccess);
        EXPECT_EQ(cudaStreamWaitEvent(stream_, join, 0), cudaSuccess);
        note(stream_, 'c');
        ASSERT_EQ(end(), cudaSuccess);
        EXPECT_EQ(notes, "");
        EXPECT_EQ(cudaGraphLaunch(executable_, stream_), cudaSuccess);
        EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
        EXPECT_EQ(notes, "abc");
        EXPECT_EQ(cudaGraphExecDestroy(std::exchange(executable_, nullptr)), cudaSuccess);
    }
}

TEST_F(SimulatedCapture, OfWorkThatIsNotJoinedFails) {
    const TestStream other;
    const TestEvent fork;
    begin();
    EXPECT_EQ(cudaEventRecord(fork, stream_), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(other, fork, 0), cudaSuccess);
    EXPECT_EQ(enqueue(other, "task", [] {}), cudaSuccess);
    EXPECT_EQ(end(), cudaErrorStreamCaptureUnjoined);
}

TEST_F(SimulatedCapture, IsMadeInvalidByEveryForbiddenCall) {
    void* memory = nullptr;
    const TestEvent before;
    const TestEvent inside;
    const TestStream other;
    const DeviceArray<double> device(1);
    double host = 0;
    ASSERT_EQ(cudaEventRecord(before, other), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    struct Case {
        const char* name;
        std::function<cudaError_t()> call;
        cudaError_t code;
    };
    const Case cases[] = {
        {"cudaMalloc", [&] { return cudaMalloc(&memory, 8); }, cudaErrorStreamCaptureUnsupported},
        {"cudaFree", [&] { return cudaFree(device.data()); }, cudaErrorStreamCaptureUnsupported},
        {"cudaHostAlloc", [&] { return cudaHostAlloc(&memory, 8, 0); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaStreamSynchronize", [&] { return cudaStreamSynchronize(stream_); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaStreamSynchronize of another", [&] { return cudaStreamSynchronize(other); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaStreamQuery", [&] { return cudaStreamQuery(stream_); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaDeviceSynchronize", [&] { return cudaDeviceSynchronize(); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaEventSynchronize", [&] { return cudaEventSynchronize(before); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaEventQuery", [&] { return cudaEventQuery(before); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaEventQuery of a captured event", [&] { return cudaEventQuery(inside); },
         cudaErrorCapturedEvent},
        {"cudaEventSynchronize of a captured event", [&] { return cudaEventSynchronize(inside); },
         cudaErrorCapturedEvent},
        {"waiting for work outside", [&] { return cudaStreamWaitEvent(stream_, before, 0); },
         cudaErrorStreamCaptureIsolation},
        {"cudaMemcpy", [&] { return cudaMemcpy(device.data(), &host, 8, cudaMemcpyDefault); },
         cudaErrorStreamCaptureUnsupported},
        {"a copy of pageable memory",
         [&] { return cudaMemcpyAsync(device.data(), &host, 8, cudaMemcpyDefault, stream_); },
         cudaErrorStreamCaptureUnsupported},
        {"cudaLibraryLoadData",
         [&] {
             cudaLibrary_t library = nullptr;
             return cudaLibraryLoadData(&library, "", nullptr, nullptr, 0, nullptr, nullptr, 0);
         },
         cudaErrorStreamCaptureUnsupported},
    };
    for (const Case& forbidden : cases) {
        begin();
        ASSERT_EQ(cudaEventRecord(inside, stream_), cudaSuccess);
        EXPECT_EQ(forbidden.call(), forbidden.code) << forbidden.name;
        EXPECT_EQ(cudaGetLastError(), forbidden.code) << forbidden.name;
        cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
        EXPECT_EQ(cudaStreamIsCapturing(stream_, &status), cudaSuccess);
        EXPECT_EQ(status, cudaStreamCaptureStatusInvalidated) << forbidden.name;
        EXPECT_EQ(enqueue(stream_, "task", [] {}), cudaErrorStreamCaptureInvalidated);
        EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated) << forbidden.name;
    }
}

TEST_F(SimulatedCapture, OfABlockingStreamForbidsTheDefaultStream) {
    const TestStream blocking(cudaStreamDefault);
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeRelaxed), cudaSuccess);
    EXPECT_EQ(enqueue(nullptr, "task", [] {}), cudaErrorStreamCaptureImplicit);
    EXPECT_EQ(cudaStreamEndCapture(blocking, &graph), cudaErrorStreamCaptureInvalidated);
    // Others do not wait for it.
    begin();
    EXPECT_EQ(enqueue(nullptr, "task", [] {}), cudaSuccess);
    EXPECT_EQ(end(), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal),
              cudaErrorStreamCaptureUnsupported);
}

TEST_F(SimulatedCapture, OfGlobalModeForbidsCallsOfOtherThreads) {
    struct Case {
        cudaStreamCaptureMode mode;
        cudaError_t here, elsewhere;
    };
    const Case cases[] = {
        {cudaStreamCaptureModeGlobal, cudaErrorStreamCaptureUnsupported,
         cudaErrorStreamCaptureUnsupported},
        {cudaStreamCaptureModeThreadLocal, cudaErrorStreamCaptureUnsupported, cudaSuccess},
        {cudaStreamCaptureModeRelaxed, cudaSuccess, cudaSuccess},
    };
    for (const Case& one : cases) {
        begin(one.mode);
        cudaError_t code = cudaSuccess;
        std::thread([&code] { code = cudaFree(nullptr); }).join();
        EXPECT_EQ(code, one.elsewhere);
        EXPECT_EQ(cudaFree(nullptr), one.here);
        (void)cudaGetLastError();
        EXPECT_EQ(end() == cudaSuccess, one.here == cudaSuccess);
    }
}

TEST_F(SimulatedCapture, IsEndedWhereItBegan) {
    const TestStream other;
    const TestEvent fork;
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorIllegalState);
    begin();
    EXPECT_EQ(cudaEventRecord(fork, stream_), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(other, fork, 0), cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(other, &graph), cudaErrorStreamCaptureUnmatched);
    EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
    begin();
    cudaError_t code = cudaSuccess;
    std::thread([&] { code = cudaStreamEndCapture(stream_, &graph); }).join();
    EXPECT_EQ(code, cudaErrorStreamCaptureWrongThread);
    EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

}  // namespace
}  // namespace matgrad::simulated
