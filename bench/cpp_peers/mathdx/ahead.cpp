/// \file Compiles the peer's kernels for the cases of a suite, for a machine without the headers of
/// nvidia-mathdx and without a compiler.
///
///     matgrad_mathdx_kernels DIR SUITE CAPABILITY...

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/cpp_peers/mathdx/code.hpp"
#include "bench/suite.hpp"

namespace {

using namespace matgrad::bench;

std::vector<MathdxKernel> kernels_of(const Suite& suite, int capability) {
    std::vector<MathdxKernel> kernels;
    for (const Case& c : suite.cases) {
        const std::optional<PeerTask> task = peer_task(c);
        const auto kernel = task ? mathdx_kernel(*task, capability) : std::nullopt;
        if (kernel && std::none_of(kernels.begin(), kernels.end(), [&](const MathdxKernel& one) {
                return one.name == kernel->name;
            })) {
            kernels.push_back(*kernel);
        }
    }
    return kernels;
}

int run(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "matgrad_mathdx_kernels: expected DIR SUITE CAPABILITY...\n");
        return 2;
    }
    const MathdxPlaces places = mathdx_places("");
    if (const std::string why = why_absent(places); !why.empty()) {
        throw matgrad::MachineError(why);
    }
    const Suite suite = load_suite(argv[2]);
    for (int i = 3; i < argc; ++i) {
        const std::vector<MathdxKernel> kernels = kernels_of(suite, std::atoi(argv[i]));
        if (!kernels.empty()) {
            compile_ahead(places, kernels, argv[1]);
        }
        fmt::print("{}: {} kernels for sm_{}\n", argv[1], kernels.size(), argv[i]);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "matgrad_mathdx_kernels: {}\n", error.what());
        return 3;
    }
}
