/// \file The peers in C++ on the cases of a suite, checked and timed as matgrad is.
///
///     matgrad_cpp_peers [--device cpu|cuda] [--suite NAME] [--json FILE] [--filter TEXT]
///         [--seconds S] [--budget S] [--threads N] [--serve NAME]
///
/// Rows that are not begun within the budget, if there is one, are left out and listed. The file is
/// whole after every row.
///
/// With --serve one peer, or matgrad itself, answers the requests of bench/serving.hpp: bench/rounds
/// measures so, all of them in turn.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <memory>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/machine.hpp"
#include "bench/recording.hpp"
#include "bench/serving.hpp"
#include "bench/suite.hpp"
#include "bench/threads.hpp"
#include "matgrad/device.hpp"

namespace {

using namespace matgrad;
using namespace matgrad::bench;

using Options = std::map<std::string, std::string>;

Options read_options(int argc, char** argv) {
    Options options{{"--device", "cpu"}, {"--suite", "core"},
                    {"--json", ""},      {"--filter", ""},
                    {"--seconds", ""},   {"--budget", ""},
                    {"--serve", ""},     {"--threads", std::to_string(machine_threads())}};
    for (int i = 1; i < argc; i += 2) {
        if (options.count(argv[i]) == 0 || i + 1 == argc) {
            throw CallerError(
                fmt::format("found '{}', expected --device, --suite, --json, --filter, --seconds, "
                            "--budget, --threads or --serve and a value",
                            argv[i]));
        }
        options[argv[i]] = argv[i + 1];
    }
    if (options["--device"] != "cpu" && options["--device"] != "cuda") {
        throw CallerError(
            fmt::format("found --device {}, expected cpu or cuda", options["--device"]));
    }
    return options;
}

/// Who computes the cases one after the other, and what is not there.
struct Peers {
    struct One {
        std::string name;
        std::unique_ptr<Runner> runner;
        std::vector<std::pair<std::string, std::string>> versions = {};  ///< beside the runner's
    };
    std::vector<One> all;
    std::string absent;  ///< lines
};

Peers peers_on_gpu() {
    const DeviceList devices = list_devices();
    if (devices.gpus.empty()) {
        throw MachineError("--device cuda: " + devices.why_none);
    }
    Peers peers;
    const auto add = [&](const GpuContender& peer) {
        peers.all.push_back(
            {peer.executor, make_gpu_runner({DeviceKind::cuda, 0}, {peer, as_graphs(peer)})});
    };
    add(cublas_peer(open_cublas_peer()));
    try {
        // Last: it compiles its kernels, in the time of the rows after it.
        const MathdxEntries entries = open_mathdx_peer();
        const DeviceInfo& device = devices.gpus.front();
        add(mathdx_peer(entries, 10 * device.major + device.minor));
        peers.all.back().versions.emplace_back("cuBLASDx", entries.version());
    } catch (const MachineError& error) {
        peers.absent = fmt::format("mathdx: {}\n", error.what());
    }
    return peers;
}

Peers peers_on_processor(int threads) {
    Peers peers;
    for (const Contender& peer : cpp_peers()) {
        peers.all.push_back({peer.executor,
                             make_cpu_runner(peer, threads),
                             {{"libxsmm", MATGRAD_LIBXSMM_VERSION}}});
    }
    if (std::string(MATGRAD_LIBXSMM_VERSION) == "absent") {
        peers.absent = "libxsmm: absent when this was built\n";
    }
    try {
        const MklEntries entries = open_mkl_peer();
        const Contender peer = mkl_peer(entries);
        peers.all.push_back(
            {peer.executor, make_cpu_runner(peer, threads), {{"MKL", entries.version()}}});
    } catch (const MachineError& error) {
        peers.absent += fmt::format("mkl: {}\n", error.what());
    }
    return peers;
}

RecordOptions record_options(const Suite& suite, const Options& options) {
    RecordOptions how;
    const std::string& seconds = options.at("--seconds");
    const std::string& budget = options.at("--budget");
    how.pace.seconds = seconds.empty() ? suite.seconds : std::atof(seconds.c_str());
    if (!budget.empty()) {
        how.budget = std::atof(budget.c_str());
    }
    if (!options.at("--json").empty()) {
        how.json = options.at("--json");
    }
    how.show = [](const Row& row) {
        fmt::print("{}", table_line(row));
        std::fflush(stdout);
    };
    return how;
}

void measure(const Suite& suite, const Options& options, const std::string& command) {
    const bool on_gpu = options.at("--device") == "cuda";
    const int threads = std::max(1, std::atoi(options.at("--threads").c_str()));
    const RecordOptions how = record_options(suite, options);
    Report report;
    report.tool = "matgrad_cpp_peers";
    report.commit = build_commit();
    report.command = command;
    report.date = now_text();
    report.suite = suite.name;
    const Peers peers = on_gpu ? peers_on_gpu() : peers_on_processor(threads);
    for (const Peers::One& peer : peers.all) {
        Runner* const runner = peer.runner.get();
        std::vector<Case> cases = suite.cases;
        std::erase_if(cases, [&](const Case& c) {
            return c.name.find(options.at("--filter")) == std::string::npos ||
                   c.threads > runner->most_threads();
        });
        const bool is_first = &peer == &peers.all.front();
        if (!is_first && std::all_of(cases.begin(), cases.end(),
                                     [&](const Case& c) { return runner->executors(c).empty(); })) {
            continue;
        }
        report.device = runner->device();
        report.versions = runner->versions();
        report.versions.insert(report.versions.end(), peer.versions.begin(), peer.versions.end());
        report.threads = runner->threads();
        report.ceilings = runner->ceilings(runner->threads());
        fmt::print("{}", table_head(report));
        record(cases, *runner, how, report);
    }
    fmt::print("{}{}", left_out_text(report), peers.absent);
}

/// Errors: MachineError that says why the peer is absent.
Peers::One peer_named(const std::string& name, bool on_gpu, int threads) {
    if (name == "matgrad") {
        return {name, on_gpu ? make_gpu_runner({DeviceKind::cuda, 0})
                             : make_cpu_runner(matgrad_on_cpu(), threads)};
    }
    Peers peers = on_gpu ? peers_on_gpu() : peers_on_processor(threads);
    for (Peers::One& peer : peers.all) {
        if (peer.name == name) {
            return std::move(peer);
        }
    }
    const std::size_t line = peers.absent.find(name + ": ");
    throw MachineError(line != std::string::npos
                           ? peers.absent.substr(line, peers.absent.find('\n', line) - line)
                           : fmt::format("no peer is named {}", name));
}

void serve_one(const Suite& suite, const Options& options, const std::string& command) {
    const std::string& name = options.at("--serve");
    const int threads = std::max(1, std::atoi(options.at("--threads").c_str()));
    const Peers::One peer = peer_named(name, options.at("--device") == "cuda", threads);
    Report about;
    about.tool = name == "matgrad" ? name : "matgrad_cpp_peers";
    about.device = peer.runner->device();
    about.versions = peer.runner->versions();
    about.versions.insert(about.versions.end(), peer.versions.begin(), peer.versions.end());
    about.commit = build_commit();
    about.command = command;
    about.date = now_text();
    about.threads = peer.runner->threads();
    about.suite = suite.name;
    serve(std::cin, std::cout, about, suite, *peer.runner);
}

int run(int argc, char** argv) {
    const Options options = read_options(argc, argv);
    std::string command = "matgrad_cpp_peers";
    for (int i = 1; i < argc; ++i) {
        command += std::string(" ") + argv[i];
    }
    const Suite suite = load_suite(options.at("--suite"));
    if (options.at("--serve").empty()) {
        measure(suite, options, command);
    } else {
        serve_one(suite, options, command);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const CallerError& error) {
        fmt::print(stderr, "matgrad_cpp_peers: {}\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "matgrad_cpp_peers: {}\n", error.what());
        return 3;
    }
}
