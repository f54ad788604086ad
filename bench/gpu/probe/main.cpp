// gpu_probe: what the calls of CUDA's libraries that matgrad makes do on the GPU at hand.
//
// It uses the runtime, cuBLAS, cuSOLVER and Thrust and nothing of matgrad, so that no answer is matgrad's.
// Exit status: 0 every part that had time gave its facts and none is wrong, 1 a part failed or a fact is
// wrong, 2 wrong arguments, 3 no GPU.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "child.hpp"
#include "device.hpp"
#include "parent.hpp"

namespace {

using namespace matgrad::probe;

enum ExitStatus { kWell = 0, kFailed = 1, kMisused = 2, kNoGpu = 3 };

/// As a test asks for it. The part has given a fact before.
void break_down(const Recorder& recorder, const std::string& how) {
    recorder.add({"broken",
                  "",
                  "a test breaks this part: " + how,
                  {},
                  how == "wrong" ? Verdict::wrong : Verdict::ok});
    if (how == "crash") {
        std::abort();
    }
    while (how == "hang") {
        (void)pause();
    }
    if (how == "garbage") {
        (void)std::printf("{\"name\": \"half a fact\n\xff\x01 garbage\n");
    }
}

int run_child(const Options& options) {
    end_with_parent();
    for (const Part& part : all_parts()) {
        if (part.name == options.child) {
            const Recorder recorder(options.small, options.child_seconds);
            if (!options.child_break.empty()) {
                break_down(recorder, options.child_break);
            }
            part.run(recorder);
            return kWell;
        }
    }
    (void)std::fprintf(stderr, "--child: found %s, expected a part\n", options.child.c_str());
    return kMisused;
}

int run(const Options& options) {
    const std::vector<Part> parts = chosen_parts(options, all_parts());
    if (options.list) {
        for (const Part& part : parts) {
            (void)std::printf("%s %s\n", name_of(part.group), part.name.c_str());
        }
        return kWell;
    }
    const std::string no_device = why_no_device();
    if (!no_device.empty()) {
        (void)std::fprintf(stderr, "gpu_probe: %s\n", no_device.c_str());
        return kNoGpu;
    }
    const bool shared = is_shared();
    if (shared) {
        hold_context();
    }
    return run_parts(options, parts, shared);
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    try {
        options = parse_options({arguments + 1, arguments + count});
        return options.child.empty() ? run(options) : run_child(options);
    } catch (const std::invalid_argument& error) {
        (void)std::fprintf(stderr, "gpu_probe: %s\n", error.what());
        return kMisused;
    } catch (const std::exception& error) {
        // The parent names the part.
        const char* const who = options.child.empty() ? "gpu_probe: " : "";
        (void)std::fprintf(stderr, "%s%s\n", who, error.what());
        return kFailed;
    }
}
