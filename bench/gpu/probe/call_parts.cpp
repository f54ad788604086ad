// Of each call: is it asynchronous, does it allocate, can it be captured; first and later, warm and cold.
#include <algorithm>
#include <optional>

#include "capture.hpp"
#include "part.hpp"
#include "platform.hpp"
#include "pool.hpp"

namespace matgrad::probe {
namespace {

using Clock = HeldStreams::Clock;
/// A stream is held for so long before it is let go: a first call may have to load its kernels, which
/// must not be taken for waiting.
constexpr double kFirstSeconds = 2;
constexpr double kLaterSeconds = 0.3;

double us_between(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration<double, std::micro>(end - begin).count();
}

struct Timed {
    bool asynchronous = false;
    double us = 0;                    ///< until the call returned
    std::optional<double> let_go_us;  ///< until the stream was let go, if that was before
    std::int64_t bytes = 0;           ///< of device memory, that the call took and kept
    std::int64_t pool_bytes = 0;      ///< at most, of the pool, kept or not
};

/// Makes the call while its stream is held.
Timed make_held(Call& call, const Handles& handles, const Stream& stream, double seconds) {
    call.reset(stream.get());
    stream.wait();
    Timed timed;
    Pool pool;
    pool.reset();
    const auto free_before = static_cast<std::int64_t>(free_bytes());
    {
        HeldStreams held({stream.get()}, seconds);
        const auto begin = Clock::now();
        call.make(handles, stream.get());
        timed.us = us_between(begin, Clock::now());
        if (const auto let_go_at = held.let_go_at()) {
            timed.let_go_us = us_between(begin, *let_go_at);
        }
        timed.asynchronous = !timed.let_go_us && cudaStreamQuery(stream.get()) == cudaErrorNotReady;
        (void)cudaGetLastError();  // "not ready" is the answer
    }
    MATGRAD_PROBE(cudaDeviceSynchronize());
    timed.bytes = free_before - static_cast<std::int64_t>(free_bytes());
    timed.pool_bytes = std::max(pool.most_used(), pool.most_reserved());
    return timed;
}

/// The first holder loads its kernel.
void load_holder(const Stream& stream) {
    const HeldStreams held({stream.get()}, kLaterSeconds);
}

std::string waits(const Timed& timed) {
    const auto whole = [](double us) { return std::to_string(static_cast<std::int64_t>(us)); };
    std::string text = (timed.asynchronous ? "yes, returned after " : "NO, returned after ") +
                       whole(timed.us) + " us";
    if (timed.let_go_us) {
        text += ", the stream let go after " + whole(*timed.let_go_us);
    }
    return text;
}

std::string takes(const Timed& timed) {
    return std::to_string(timed.bytes) + " bytes" +
           (timed.pool_bytes > 0
                ? ", " + std::to_string(timed.pool_bytes) + " OF THE POOL meanwhile"
                : "");
}

/// The values of one call, all with the same first word.
void put_values(const std::string& when, const Timed& timed, Fact& waits, Fact& takes) {
    waits.values.insert(waits.values.end(), {{when, timed.asynchronous}, {when + "_us", timed.us}});
    if (timed.let_go_us) {
        waits.values.emplace_back(when + "_let_go_us", *timed.let_go_us);
    }
    takes.values.insert(takes.values.end(),
                        {{when + "_bytes", timed.bytes}, {when + "_pool_bytes", timed.pool_bytes}});
    worsen(waits.verdict, timed.asynchronous ? Verdict::ok : Verdict::surprising);
    // A first call loads kernels, which takes memory; the pool it is to leave alone as well.
    const bool takes_memory = timed.pool_bytes > 0 || (when == "later" && timed.bytes > 0);
    worsen(takes.verdict, takes_memory ? Verdict::surprising : Verdict::ok);
}

void ask_warm(const Recorder& recorder, const CallKind& kind, const Handles& handles,
              const Stream& stream) {
    const std::unique_ptr<Call> call = kind.prepare(handles, stream);
    const Timed first = make_held(*call, handles, stream, kFirstSeconds);
    const Timed later = make_held(*call, handles, stream, kLaterSeconds);
    Fact waiting{kind.name + ".asynchronous",
                 kind.function,
                 "first call " + waits(first) + "; later " + waits(later),
                 {}};
    Fact taking{kind.name + ".allocates",
                kind.function,
                "first call " + takes(first) + "; later " + takes(later),
                {}};
    put_values("first", first, waiting, taking);
    put_values("later", later, waiting, taking);
    recorder.add(waiting);
    recorder.add(taking);
}

void ask_captures(const Recorder& recorder, const CallKind& kind, const Handles& handles,
                  const Stream& stream) {
    const std::unique_ptr<Call> call = kind.prepare(handles, stream);
    call->make(handles, stream.get());
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
template <typename Ask>
void ask_family(const Recorder& recorder, const std::string& family, double seconds, Ask ask) {
    const Stream stream;
    const Handles handles;
    load_holder(stream);
    for (const CallKind& kind : all_calls(recorder.small())) {
        if (kind.family != family) {
            continue;
        }
        if (!recorder.has_time(kind.name, recorder.small() ? 0 : seconds)) {
            return;
        }
        try {
            ask(recorder, kind, handles, stream);
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
    const Timed first = make_held(*call, handles, stream, kFirstSeconds);
    Fact waiting{"first_call." + name + ".asynchronous", kind.function, waits(first), {}};
    Fact taking{"first_call." + name + ".allocates", kind.function, takes(first), {}};
    put_values("first", first, waiting, taking);
    recorder.add(waiting);
    recorder.add(taking);
}

std::vector<std::string> families() {
    std::vector<std::string> names;
    for (const CallKind& kind : all_calls(false)) {
        if (std::find(names.begin(), names.end(), kind.family) == names.end()) {
            names.push_back(kind.family);
        }
    }
    return names;
}

void add_cold(std::vector<Part>& parts, Mode mode, bool typical) {
    for (const CallKind& kind : all_calls(false)) {
        if (kind.typical == typical) {
            parts.push_back({std::string("cold_capture.") + name_of(mode) + "." + kind.name,
                             Group::facts, 8, false, [name = kind.name, mode](const Recorder& r) {
                                 ask_cold_capture(r, name, mode);
                             }});
        }
    }
}

}  // namespace

void add_call_parts(std::vector<Part>& parts) {
    for (const std::string& family : families()) {
        // A call that waits takes the time for which its stream is held.
        parts.push_back({"calls." + family, Group::facts, 15, true, [family](const Recorder& r) {
                             ask_family(r, family, kFirstSeconds + 2 * kLaterSeconds, ask_warm);
                         }});
    }
}

void add_capture_parts(std::vector<Part>& parts) {
    for (const std::string& family : families()) {
        parts.push_back({"captures." + family, Group::facts, 12, false,
                         [family](const Recorder& r) { ask_family(r, family, 1, ask_captures); }});
    }
}

/// Of typical calls in the mode that forbids most: what can be captured there can in the other as well.
void add_cold_parts(std::vector<Part>& parts) {
    add_cold(parts, Mode::global, true);
}

void add_more_cold_parts(std::vector<Part>& parts) {
    add_cold(parts, Mode::thread_local_, true);
    add_cold(parts, Mode::global, false);
    add_cold(parts, Mode::thread_local_, false);
}

void add_first_call_parts(std::vector<Part>& parts) {
    for (const CallKind& kind : all_calls(false)) {
        if (kind.typical && kind.name.find("f64") == std::string::npos) {
            parts.push_back({"first_call." + kind.name, Group::facts, 8, true,
                             [name = kind.name](const Recorder& r) { ask_first_call(r, name); }});
        }
    }
}

}  // namespace matgrad::probe
