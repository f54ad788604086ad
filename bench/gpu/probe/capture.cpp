#include "capture.hpp"

#include <map>

#include "platform.hpp"

namespace matgrad::probe {
namespace {

using Graph = Owner<cudaGraph_t, cudaGraphDestroy>;
using Executable = Owner<cudaGraphExec_t, cudaGraphExecDestroy>;
using Bytes = std::vector<std::byte>;

const char* kind_name(cudaGraphNodeType type) {
    switch (type) {
        case cudaGraphNodeTypeKernel:
            return "kernel";
        case cudaGraphNodeTypeMemcpy:
            return "memcpy";
        case cudaGraphNodeTypeMemset:
            return "memset";
        case cudaGraphNodeTypeHost:
            return "host";
        case cudaGraphNodeTypeGraph:
            return "graph";
        case cudaGraphNodeTypeEmpty:
            return "empty";
        case cudaGraphNodeTypeMemAlloc:
            return "mem_alloc";
        case cudaGraphNodeTypeMemFree:
            return "mem_free";
        default:
            return "other";
    }
}

std::map<std::string, std::int64_t> count_nodes(cudaGraph_t graph) {
    std::size_t count = 0;
    MATGRAD_PROBE(cudaGraphGetNodes(graph, nullptr, &count));
    std::vector<cudaGraphNode_t> nodes(count);
    std::map<std::string, std::int64_t> counts;
    if (count > 0) {
        MATGRAD_PROBE(cudaGraphGetNodes(graph, nodes.data(), &count));
    }
    for (const cudaGraphNode_t node : nodes) {
        cudaGraphNodeType type = cudaGraphNodeTypeCount;
        MATGRAD_PROBE(cudaGraphNodeGetType(node, &type));
        ++counts[kind_name(type)];
    }
    return counts;
}

struct Attempt {
    Graph graph;
    std::string refusal;  ///< empty if there is a graph
    double us = 0;
};

Attempt capture(Call& call, const Handles& handles, const Stream& stream, Mode mode) {
    Attempt attempt;
    MATGRAD_PROBE(cudaStreamBeginCapture(stream.get(), mode == Mode::global
                                                           ? cudaStreamCaptureModeGlobal
                                                           : cudaStreamCaptureModeThreadLocal));
    const auto begin = std::chrono::steady_clock::now();
    try {
        call.make(handles, stream.get());
    } catch (const CallFailed& error) {
        attempt.refusal = error.what();
    }
    attempt.us =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    cudaGraph_t graph = nullptr;
    const cudaError_t code = cudaStreamEndCapture(stream.get(), &graph);
    attempt.graph = Graph(graph);
    if (code != cudaSuccess) {
        (void)cudaGetLastError();
        attempt.refusal += (attempt.refusal.empty() ? "" : ", then ") +
                           std::string("cudaStreamEndCapture: ") + cudaGetErrorName(code);
    }
    if (!attempt.refusal.empty()) {
        forget_refusals();
    }
    return attempt;
}

Bytes replay(const Call& call, const Executable& executable, const Stream& stream) {
    call.reset(stream.get());
    MATGRAD_PROBE(cudaGraphLaunch(executable.get(), stream.get()));
    return call.results(stream);
}

std::string describe(const std::map<std::string, std::int64_t>& nodes, Values& values) {
    std::int64_t sum = 0;
    std::string kinds;
    for (const auto& [kind, count] : nodes) {
        sum += count;
        kinds += (kinds.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
        values.emplace_back("nodes_" + kind, count);
    }
    values.emplace_back("nodes", sum);
    return "yes, " + std::to_string(sum) + " nodes (" + kinds + ")";
}

void compare_replays(Fact& fact, const Executable& executable, Call& call, const Handles& handles,
                     const Stream& stream) {
    const Stream other;
    const Bytes first = replay(call, executable, stream);
    const Bytes second = replay(call, executable, stream);
    const Bytes elsewhere = replay(call, executable, other);
    call.reset(stream.get());
    call.make(handles, stream.get());
    const Bytes plain = call.results(stream);
    const bool same = first == plain && second == plain;
    fact.values.insert(fact.values.end(), {{"same_bits_as_plain", same},
                                           {"same_bits_on_other_stream", elsewhere == plain}});
    fact.answer += same ? ", replays give the plain call's bits" : ", REPLAYS DIFFER";
    if (elsewhere != plain) {
        fact.answer += ", DIFFER ON ANOTHER STREAM";
    }
    if (!same || elsewhere != plain) {
        fact.verdict = Verdict::wrong;
    }
}

}  // namespace

const char* name_of(Mode mode) {
    return mode == Mode::global ? "global" : "thread_local";
}

Fact ask_capture(const std::string& name, const std::string& function, Call& call,
                 const Handles& handles, const Stream& stream, Mode mode) {
    Fact fact{name, function, "", {}};
    call.reset(stream.get());
    stream.wait();
    const Attempt attempt = capture(call, handles, stream, mode);
    fact.values = {{"captured", attempt.refusal.empty()}, {"capture_us", attempt.us}};
    if (!attempt.refusal.empty()) {
        fact.answer = "NO: " + attempt.refusal;
        fact.verdict = Verdict::surprising;
        // What was refused must have harmed nothing.
        MATGRAD_PROBE(cudaDeviceSynchronize());
        return fact;
    }
    fact.answer = describe(count_nodes(attempt.graph.get()), fact.values);
    cudaGraphExec_t made = nullptr;
    const cudaError_t code = cudaGraphInstantiate(&made, attempt.graph.get(), 0);
    if (code != cudaSuccess) {
        (void)cudaGetLastError();
        fact.answer += std::string(", but cudaGraphInstantiate FAILS: ") + cudaGetErrorName(code);
        fact.verdict = Verdict::surprising;
        return fact;
    }
    try {
        compare_replays(fact, Executable(made), call, handles, stream);
    } catch (
        const CallFailed& error) {  // what is known by now is kept, be the device broken or not
        fact.answer += std::string(", but A REPLAY FAILS: ") + error.what();
        fact.verdict = Verdict::wrong;
    }
    return fact;
}

}  // namespace matgrad::probe
