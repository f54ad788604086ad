// Capture of streams in graphs.
//
// Prohibitions as in the runtime's documentation: a capture of global mode forbids calls that wait or
// allocate in every thread, one of thread-local mode in its own, a relaxed one nowhere; and a thread may
// exchange its own mode to be bound by its own captures alone, or by none.

#include <algorithm>
#include <set>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

struct GraphState {
    std::vector<Node> nodes;  ///< their addresses are their handles
};

std::map<const void*, std::shared_ptr<GraphState>>& graphs() {
    static auto& all = *new std::map<const void*, std::shared_ptr<GraphState>>;
    return all;
}

std::map<const void*, std::shared_ptr<GraphState>>& executables() {
    static auto& all = *new std::map<const void*, std::shared_ptr<GraphState>>;
    return all;
}

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

void leave(const std::shared_ptr<Capture>& capture) {
    for (const auto& stream : capture->members) {
        stream->capture = nullptr;
        stream->capture_tail.clear();
    }
    auto& all = simulation().captures;
    all.erase(std::find(all.begin(), all.end(), capture));
}

/// The node of a handle; null if no live graph has it.
const Node* find_node(cudaGraphNode_t handle) {
    for (const auto& [address, graph] : graphs()) {
        for (const Node& node : graph->nodes) {
            if (reinterpret_cast<cudaGraphNode_t>(const_cast<Node*>(&node)) == handle) {  // NOLINT
                return &node;
            }
        }
    }
    return nullptr;
}

/// A library's call is one node here, of a kernel.
cudaGraphNodeType type_of(const Node& node) {
    if (node.what == "copy") {
        return cudaGraphNodeTypeMemcpy;
    }
    return node.what == "fill" ? cudaGraphNodeTypeMemset : cudaGraphNodeTypeKernel;
}

/// Some member did work that the origin does not wait for.
bool is_unjoined(const Capture& capture) {
    std::set<int> joined;
    std::vector<int> open = capture.origin->capture_tail;
    while (!open.empty()) {
        const int node = open.back();
        open.pop_back();
        if (joined.insert(node).second) {
            const auto& after = capture.nodes[static_cast<std::size_t>(node)].after;
            open.insert(open.end(), after.begin(), after.end());
        }
    }
    return std::any_of(capture.members.begin(), capture.members.end(), [&](const auto& stream) {
        return std::any_of(stream->capture_tail.begin(), stream->capture_tail.end(),
                           [&](int node) { return joined.count(node) == 0; });
    });
}

/// The nodes in one of the orders that their dependencies allow.
std::vector<const Node*> some_order(const std::vector<Node>& nodes) {
    std::vector<const Node*> order;
    std::vector<bool> done(nodes.size());
    while (order.size() < nodes.size()) {
        std::vector<std::size_t> ready;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (!done[i] && std::all_of(nodes[i].after.begin(), nodes[i].after.end(),
                                        [&](int k) { return done[static_cast<std::size_t>(k)]; })) {
                ready.push_back(i);
            }
        }
        const std::size_t next = ready[simulation().pick(ready.size())];
        done[next] = true;
        order.push_back(&nodes[next]);
    }
    return order;
}

}  // namespace

cudaError_t invalidate(const std::shared_ptr<Capture>& capture, cudaError_t code) {
    capture->invalid = true;
    return code;
}

cudaError_t forbid_while_capturing() {
    cudaError_t code = cudaSuccess;
    if (thread_mode == cudaStreamCaptureModeRelaxed) {
        return code;
    }
    for (const auto& capture : simulation().captures) {
        const bool own = capture->thread == std::this_thread::get_id();
        if ((capture->mode == cudaStreamCaptureModeGlobal &&
             (own || thread_mode == cudaStreamCaptureModeGlobal)) ||
            (capture->mode == cudaStreamCaptureModeThreadLocal && own)) {
            code = invalidate(capture, cudaErrorStreamCaptureUnsupported);
        }
    }
    return code;
}

cudaError_t forbid_default_stream(const StreamState& stream) {
    if (!stream.is_default) {
        return cudaSuccess;
    }
    cudaError_t code = cudaSuccess;
    for (const auto& capture : simulation().captures) {
        // The default stream waits for all blocking streams of its device.
        for (const auto& member : capture->members) {
            if (member->device == stream.device && (member->flags & cudaStreamNonBlocking) == 0) {
                code = invalidate(capture, cudaErrorStreamCaptureImplicit);
            }
        }
    }
    return code;
}

bool forbidden_while_capturing(const char*) {
    const std::lock_guard lock(simulation().mutex);
    return forbid_while_capturing() != cudaSuccess;
}

cudaError_t wait_in_capture(const std::shared_ptr<StreamState>& stream, const EventState& event) {
    const std::shared_ptr<Capture>& capture = event.captured;
    const auto& all = simulation().captures;
    if (std::find(all.begin(), all.end(), capture) == all.end()) {
        return cudaErrorCapturedEvent;  // of a capture that has ended
    }
    if (capture->invalid) {
        return cudaErrorStreamCaptureInvalidated;
    }
    if (stream->capture && stream->capture != capture) {
        (void)invalidate(stream->capture, cudaErrorStreamCaptureMerge);
        return invalidate(capture, cudaErrorStreamCaptureMerge);
    }
    if (!stream->capture) {
        if (stream->is_default) {
            return invalidate(capture, cudaErrorStreamCaptureImplicit);
        }
        stream->capture = capture;
        capture->members.push_back(stream);
    }
    for (const int node : event.captured_tail) {
        if (std::find(stream->capture_tail.begin(), stream->capture_tail.end(), node) ==
            stream->capture_tail.end()) {
            stream->capture_tail.push_back(node);
        }
    }
    return cudaSuccess;
}

}  // namespace matgrad::simulated

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    return runtime_call("cudaStreamBeginCapture", [&] {
        const auto state = find_stream(stream, "cudaStreamBeginCapture");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->is_default) {
            return cudaErrorStreamCaptureUnsupported;
        }
        if (state->capture) {
            return invalidate(state->capture, cudaErrorIllegalState);
        }
        const auto capture = std::make_shared<Capture>();
        capture->mode = mode;
        capture->thread = std::this_thread::get_id();
        capture->origin = state;
        capture->members = {state};
        state->capture = capture;
        simulation().captures.push_back(capture);
        return cudaSuccess;
    });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    return runtime_call("cudaStreamEndCapture", [&] {
        const auto state = find_stream(stream, "cudaStreamEndCapture");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (graph == nullptr) {
            return cudaErrorInvalidValue;
        }
        *graph = nullptr;
        if (!state->capture) {
            return cudaErrorIllegalState;
        }
        const std::shared_ptr<Capture> capture = state->capture;
        if (capture->origin != state) {
            return invalidate(capture, cudaErrorStreamCaptureUnmatched);
        }
        if (capture->mode != cudaStreamCaptureModeRelaxed &&
            capture->thread != std::this_thread::get_id()) {
            return invalidate(capture, cudaErrorStreamCaptureWrongThread);
        }
        const bool unjoined = is_unjoined(*capture);
        leave(capture);
        if (capture->invalid) {
            return cudaErrorStreamCaptureInvalidated;
        }
        if (unjoined) {
            return cudaErrorStreamCaptureUnjoined;
        }
        const auto made = std::make_shared<GraphState>();
        made->nodes = std::move(capture->nodes);
        graphs()[made.get()] = made;
        *graph = reinterpret_cast<cudaGraph_t>(made.get());
        return cudaSuccess;
    });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    return runtime_call("cudaStreamIsCapturing", [&] {
        const auto state = find_stream(stream, "cudaStreamIsCapturing");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (status == nullptr) {
            return cudaErrorInvalidValue;
        }
        if (const cudaError_t code = forbid_default_stream(*state); code != cudaSuccess) {
            return code;
        }
        *status = !state->capture           ? cudaStreamCaptureStatusNone
                  : state->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                            : cudaStreamCaptureStatusActive;
        return cudaSuccess;
    });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
    return runtime_call("cudaThreadExchangeStreamCaptureMode", [&] {
        if (mode == nullptr) {
            return cudaErrorInvalidValue;
        }
        std::swap(*mode, thread_mode);
        return cudaSuccess;
    });
}

/// Without `nodes` only their count; with them as many as there is room for, null after the last.
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
    return runtime_call("cudaGraphGetNodes", [&] {
        const auto found = graphs().find(graph);
        if (found == graphs().end() || count == nullptr) {
            return cudaErrorInvalidValue;
        }
        std::vector<Node>& all = found->second->nodes;
        if (nodes == nullptr) {
            *count = all.size();
            return cudaSuccess;
        }
        for (std::size_t i = 0; i < *count; ++i) {
            nodes[i] =
                i < all.size() ? reinterpret_cast<cudaGraphNode_t>(&all[i]) : cudaGraphNode_t{};
        }
        *count = std::min(*count, all.size());
        return cudaSuccess;
    });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
    return runtime_call("cudaGraphNodeGetType", [&] {
        const Node* const found = find_node(node);
        if (found == nullptr || type == nullptr) {
            return cudaErrorInvalidValue;
        }
        *type = type_of(*found);
        return cudaSuccess;
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long flags) {
    return runtime_call("cudaGraphInstantiate", [&] {
        const auto found = graphs().find(graph);
        if (executable == nullptr || found == graphs().end() || flags != 0) {
            return cudaErrorInvalidValue;
        }
        const auto made = std::make_shared<GraphState>(*found->second);
        executables()[made.get()] = made;
        *executable = reinterpret_cast<cudaGraphExec_t>(made.get());
        return cudaSuccess;
    });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    return runtime_call("cudaGraphLaunch", [&] {
        const auto found = executables().find(executable);
        const auto state = find_stream(stream, "cudaGraphLaunch");
        if (found == executables().end() || !state) {
            return cudaErrorInvalidValue;
        }
        if (state->capture) {
            report("cudaGraphLaunch: the simulation has no graphs in graphs");
            return invalidate(state->capture, cudaErrorStreamCaptureUnsupported);
        }
        for (const Node* node : some_order(found->second->nodes)) {
            const cudaError_t code = append(state, {node->what, node->run, nullptr, nullptr});
            if (code != cudaSuccess) {
                return code;
            }
        }
        return cudaSuccess;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    return runtime_call("cudaGraphDestroy", [&] {
        return graphs().erase(graph) == 1 ? cudaSuccess : cudaErrorInvalidValue;
    });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    return runtime_call("cudaGraphExecDestroy", [&] {
        return executables().erase(executable) == 1 ? cudaSuccess : cudaErrorInvalidValue;
    });
}

}  // extern "C"
