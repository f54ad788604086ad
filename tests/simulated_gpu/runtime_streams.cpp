// Streams and events.

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

/// Handles are addresses of states, which are never freed.
template <typename State, typename Handle>
Handle handle_of(const std::shared_ptr<State>& state) {
    return reinterpret_cast<Handle>(state.get());
}

template <typename State, typename Handle>
std::shared_ptr<State> look_up(const std::map<const void*, std::shared_ptr<State>>& states,
                               Handle handle, const char* function, const char* noun) {
    const auto found = states.find(handle);
    if (found == states.end()) {
        report(std::string(function) + ": no such " + noun);
        return nullptr;
    }
    if (found->second->destroyed) {
        report(std::string(function) + ": the " + noun + " was destroyed");
        return nullptr;
    }
    return found->second;
}

/// Waits for a stream, or says what went wrong on its device.
cudaError_t synchronize(const std::shared_ptr<StreamState>& stream) {
    run_all(stream);
    return simulation().devices[static_cast<std::size_t>(stream->device)].broken;
}

}  // namespace

std::shared_ptr<StreamState> find_stream(cudaStream_t stream, const char* function) {
    Simulation& s = simulation();
    if (stream == nullptr || stream == cudaStreamLegacy) {
        const auto device = static_cast<std::size_t>(current_device());
        return device < s.devices.size() ? s.devices[device].default_stream : nullptr;
    }
    return look_up(s.streams, stream, function, "stream");
}

std::shared_ptr<EventState> find_event(cudaEvent_t event, const char* function) {
    return look_up(simulation().events, event, function, "event");
}

int device_of(cudaStream_t stream) {
    const std::lock_guard lock(simulation().mutex);
    const std::shared_ptr<StreamState> state = find_stream(stream, "a stream's device");
    return state ? state->device : -1;
}

bool is_stream(cudaStream_t stream) {
    const Simulation& s = simulation();
    const std::lock_guard lock(simulation().mutex);
    const auto found = s.streams.find(stream);
    return stream == nullptr || (found != s.streams.end() && !found->second->destroyed);
}

}  // namespace matgrad::simulated

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    return runtime_call("cudaStreamCreateWithFlags", [&] {
        if (stream == nullptr || (flags != cudaStreamDefault && flags != cudaStreamNonBlocking)) {
            return cudaErrorInvalidValue;
        }
        const auto state = std::make_shared<StreamState>();
        state->device = current_device();
        state->flags = flags;
        simulation().streams[state.get()] = state;
        *stream = handle_of<StreamState, cudaStream_t>(state);
        return cudaSuccess;
    });
}

/// What is enqueued still runs.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    return release_call("cudaStreamDestroy", [&] {
        const auto state = find_stream(stream, "cudaStreamDestroy");
        if (!state || state->is_default) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->capture) {
            return invalidate(state->capture, cudaErrorStreamCaptureUnsupported);
        }
        state->destroyed = true;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    return runtime_call("cudaStreamSynchronize", [&] {
        const auto state = find_stream(stream, "cudaStreamSynchronize");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->capture) {
            return invalidate(state->capture, cudaErrorStreamCaptureUnsupported);
        }
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        return synchronize(state);
    });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    return runtime_call("cudaStreamQuery", [&] {
        const auto state = find_stream(stream, "cudaStreamQuery");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->capture) {
            return invalidate(state->capture, cudaErrorStreamCaptureUnsupported);
        }
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        if (state->tasks.empty()) {
            return cudaSuccess;
        }
        run_a_little(state);
        return cudaErrorNotReady;
    });
}

cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
    return runtime_call("cudaStreamGetDevice", [&] {
        const auto state = find_stream(stream, "cudaStreamGetDevice");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (device == nullptr) {
            return cudaErrorInvalidValue;
        }
        *device = state->device;
        return cudaSuccess;
    });
}

/// As addresses of streams are used again, their numbers are not.
cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
    return runtime_call("cudaStreamGetId", [&] {
        const auto state = find_stream(stream, "cudaStreamGetId");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (id == nullptr) {
            return cudaErrorInvalidValue;
        }
        *id = state->number;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
    return runtime_call("cudaStreamWaitEvent", [&] {
        const auto state = find_stream(stream, "cudaStreamWaitEvent");
        const auto happening = find_event(event, "cudaStreamWaitEvent");
        if (!state || !happening) {
            return cudaErrorInvalidResourceHandle;
        }
        if (flags != cudaEventWaitDefault) {
            return cudaErrorInvalidValue;
        }
        if (happening->captured) {
            return wait_in_capture(state, *happening);
        }
        if (state->capture) {
            // A graph cannot wait for what is outside it.
            return happening->mark ? invalidate(state->capture, cudaErrorStreamCaptureIsolation)
                                   : cudaSuccess;
        }
        if (!happening->mark) {
            return cudaSuccess;  // never recorded: nothing to wait for
        }
        return append(state, {"wait for an event", nullptr, happening->mark, nullptr});
    });
}

cudaError_t cudaDeviceSynchronize() {
    return runtime_call("cudaDeviceSynchronize", [&] {
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        run_device(current_device());
        return simulation().devices[static_cast<std::size_t>(current_device())].broken;
    });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    return runtime_call("cudaEventCreateWithFlags", [&] {
        constexpr unsigned kKnown = cudaEventBlockingSync | cudaEventDisableTiming;
        if (event == nullptr || (flags & ~kKnown) != 0) {
            return cudaErrorInvalidValue;
        }
        const auto state = std::make_shared<EventState>();
        state->device = current_device();
        state->flags = flags;
        simulation().events[state.get()] = state;
        *event = handle_of<EventState, cudaEvent_t>(state);
        return cudaSuccess;
    });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    return release_call("cudaEventDestroy", [&] {
        const auto state = find_event(event, "cudaEventDestroy");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        state->destroyed = true;
        state->mark = nullptr;
        state->captured = nullptr;
        return cudaSuccess;
    });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    return runtime_call("cudaEventRecord", [&] {
        const auto happening = find_event(event, "cudaEventRecord");
        const auto state = find_stream(stream, "cudaEventRecord");
        if (!happening || !state || happening->device != state->device) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->capture) {
            if (state->capture->invalid) {
                return cudaErrorStreamCaptureInvalidated;
            }
            happening->mark = nullptr;
            happening->captured = state->capture;
            happening->captured_tail = state->capture_tail;
            return cudaSuccess;
        }
        const auto mark = std::make_shared<Mark>();
        mark->stream = state;
        happening->captured = nullptr;
        happening->mark = mark;
        return append(state, {"record an event", nullptr, nullptr, mark});
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    return runtime_call("cudaEventSynchronize", [&] {
        const auto state = find_event(event, "cudaEventSynchronize");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->captured) {
            return invalidate(state->captured, cudaErrorCapturedEvent);
        }
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        if (state->mark) {
            run_until(state->mark);
        }
        return simulation().devices[static_cast<std::size_t>(state->device)].broken;
    });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    return runtime_call("cudaEventQuery", [&] {
        const auto state = find_event(event, "cudaEventQuery");
        if (!state) {
            return cudaErrorInvalidResourceHandle;
        }
        if (state->captured) {
            return invalidate(state->captured, cudaErrorCapturedEvent);
        }
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        if (!state->mark || state->mark->reached) {
            return cudaSuccess;
        }
        run_a_little(state->mark->stream.lock());
        return cudaErrorNotReady;
    });
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
    return runtime_call("cudaEventElapsedTime", [&] {
        const auto from = find_event(start, "cudaEventElapsedTime");
        const auto to = find_event(end, "cudaEventElapsedTime");
        if (ms == nullptr) {
            return cudaErrorInvalidValue;
        }
        for (const auto& state : {from, to}) {
            if (!state || !state->mark || (state->flags & cudaEventDisableTiming) != 0) {
                return cudaErrorInvalidResourceHandle;
            }
        }
        if (!from->mark->reached || !to->mark->reached) {
            return cudaErrorNotReady;
        }
        *ms = std::chrono::duration<float, std::milli>(to->mark->when - from->mark->when).count();
        return cudaSuccess;
    });
}

}  // extern "C"
