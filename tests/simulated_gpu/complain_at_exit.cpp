// Part of matgrad_simulated, which is no test program: complaints go to stderr and to its exit status.
// The profiles of its launches go to stderr too, where MATGRAD_SIMULATED_PROFILE=1 asks for them.

#include <cstdio>
#include <cstdlib>

#include "simulated_gpu/profile_text.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace {

constexpr int kExitStatus = 70;

void complain() {
    for (const matgrad::simulated::Launch& launch : matgrad::simulated::launches()) {
        if (launch.profile) {
            (void)std::fputs(describe(launch).c_str(), stderr);
        }
    }
    const std::vector<std::string> all = matgrad::simulated::complaints();
    for (const std::string& complaint : all) {
        (void)std::fprintf(stderr, "simulated GPU: %s\n", complaint.c_str());
    }
    if (!all.empty()) {
        (void)std::fflush(nullptr);
        std::_Exit(kExitStatus);
    }
}

[[maybe_unused]] const bool registered = std::atexit(complain) == 0;

}  // namespace
