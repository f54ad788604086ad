// Of each call: is it asynchronous, does it allocate, can it be captured; first and later, warm and cold.
#include <algorithm>
#include <chrono>

#include "capture.hpp"
#include "part.hpp"
#include "platform.hpp"

namespace matgrad::probe {
namespace {

/// A stream is held for so long before it is let go: the first call may have to load its kernels.
constexpr double kFirstSeconds = 0.3;
constexpr double kLaterSeconds = 0.1;

struct Timed {
    bool asynchronous = false;
    double us = 0;
    std::int64_t bytes = 0;  ///< of device memory, that the call took and kept
};

/// Makes the call while its stream is held.
Timed make_held(Call& call, const Handles& handles, const Stream& stream, double seconds) {
    call.reset(stream.get());
    stream.wait();
    Timed timed;
    const auto free_before = static_cast<std::int64_t>(free_bytes());
    {
        HeldStream held(stream.get(), seconds);
        const auto begin = std::chrono::steady_clock::now();
        call.make(handles, stream.get());
        timed.us =
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
                .count();
        timed.asynchronous = held.is_held() && cudaStreamQuery(stream.get()) == cudaErrorNotReady;
        (void)cudaGetLastError();  // "not ready" is the answer
    }
    MATGRAD_PROBE(cudaDeviceSynchronize());
    timed.bytes = free_before - static_cast<std::int64_t>(free_bytes());
    return timed;
}

/// The first holder loads its kernel.
void load_holder(const Stream& stream) {
    const HeldStream held(stream.get(), kLaterSeconds);
}

std::string waits(const Timed& timed) {
    return timed.asynchronous ? "yes"
                              : "NO, returned after " +
                                    std::to_string(static_cast<std::int64_t>(timed.us)) + " us";
}

void add_first(const Recorder& recorder, const std::string& name, const std::string& function,
               const Timed& first) {
    recorder.add({name + ".asynchronous",
                  function,
                  waits(first),
                  {{"asynchronous", first.asynchronous}, {"us", first.us}}});
    recorder.add({name + ".allocates",
                  function,
                  std::to_string(first.bytes) + " bytes",
                  {{"bytes", first.bytes}}});
}

void ask_warm(const Recorder& recorder, const CallKind& kind, const Handles& handles,
              const Stream& stream) {
    const std::unique_ptr<Call> call = kind.prepare(handles, stream);
    const Timed first = make_held(*call, handles, stream, kFirstSeconds);
    const Timed later = make_held(*call, handles, stream, kLaterSeconds);
    recorder.add({kind.name + ".asynchronous",
                  kind.function,
                  "first call " + waits(first) + "; later " + waits(later),
                  {{"first", first.asynchronous},
                   {"first_us", first.us},
                   {"later", later.asynchronous},
                   {"later_us", later.us}}});
    recorder.add({kind.name + ".allocates",
                  kind.function,
                  "first call " + std::to_string(first.bytes) + " bytes; later " +
                      std::to_string(later.bytes),
                  {{"first_bytes", first.bytes}, {"later_bytes", later.bytes}}});
    const std::vector<std::byte> once = call->results(stream);
    call->reset(stream.get());
    call->make(handles, stream.get());
    const bool repeats = call->results(stream) == once;
    recorder.add({kind.name + ".repeats",
                  kind.function,
                  repeats ? "same bits from call to call" : "BITS DIFFER FROM CALL TO CALL",
                  {{"same_bits", repeats}},
                  repeats ? Verdict::ok : Verdict::wrong});
    for (const Mode mode : {Mode::thread_local_, Mode::global}) {
        recorder.add(ask_capture(kind.name + ".capture." + name_of(mode), kind.function, *call,
                                 handles, stream, mode));
    }
}

/// What one call refuses does not hide the others, unless it has broken the device.
void ask_family(const Recorder& recorder, const std::string& family) {
    const Stream stream;
    const Handles handles;
    load_holder(stream);
    for (const CallKind& kind : all_calls(recorder.small())) {
        if (kind.family != family) {
            continue;
        }
        try {
            ask_warm(recorder, kind, handles, stream);
        } catch (const CallFailed& error) {
            recorder.add({kind.name,
                          kind.function,
                          std::string("FAILS: ") + error.what(),
                          {},
                          Verdict::wrong});
            MATGRAD_PROBE(cudaDeviceSynchronize());
        }
    }
}

const CallKind& find(const std::vector<CallKind>& kinds, const std::string& name) {
    return *std::find_if(kinds.begin(), kinds.end(),
                         [&](const CallKind& kind) { return kind.name == name; });
}

void ask_cold_capture(const Recorder& recorder, const std::string& name, Mode mode) {
    const Stream stream;
    const Handles handles;
    const std::vector<CallKind> kinds = all_calls(recorder.small());
    const CallKind& kind = find(kinds, name);
    const std::unique_ptr<Call> call = kind.prepare(handles, stream);
    recorder.add(ask_capture(std::string("cold_capture.") + name_of(mode) + "." + name,
                             kind.function, *call, handles, stream, mode));
}

void ask_first_call(const Recorder& recorder, const std::string& name) {
    const Stream stream;
    const Handles handles;
    load_holder(stream);
    const std::vector<CallKind> kinds = all_calls(recorder.small());
    const CallKind& kind = find(kinds, name);
    const std::unique_ptr<Call> call = kind.prepare(handles, stream);
    add_first(recorder, "first_call." + name, kind.function,
              make_held(*call, handles, stream, kFirstSeconds));
}

}  // namespace

void add_call_parts(std::vector<Part>& parts) {
    std::vector<std::string> families;
    for (const CallKind& kind : all_calls(false)) {
        if (std::find(families.begin(), families.end(), kind.family) == families.end()) {
            families.push_back(kind.family);
        }
    }
    for (const std::string& family : families) {
        parts.push_back({"calls." + family, Group::facts, 15, true,
                         [family](const Recorder& r) { ask_family(r, family); }});
    }
}

void add_cold_parts(std::vector<Part>& parts) {
    const std::vector<CallKind> kinds = all_calls(false);
    for (const bool typical : {true, false}) {
        for (const CallKind& kind : kinds) {
            for (const Mode mode : {Mode::thread_local_, Mode::global}) {
                if (kind.typical == typical) {
                    parts.push_back({std::string("cold_capture.") + name_of(mode) + "." + kind.name,
                                     Group::facts, 8, false,
                                     [name = kind.name, mode](const Recorder& r) {
                                         ask_cold_capture(r, name, mode);
                                     }});
                }
            }
        }
    }
    // One after the other, so these take longest.
    for (const CallKind& kind : kinds) {
        if (kind.typical && kind.name.find("f64") == std::string::npos) {
            parts.push_back({"first_call." + kind.name, Group::facts, 8, true,
                             [name = kind.name](const Recorder& r) { ask_first_call(r, name); }});
        }
    }
}

}  // namespace matgrad::probe
