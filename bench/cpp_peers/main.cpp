/// \file The peers in C++ on the cases of a suite, checked and timed as matgrad is.
///
///     matgrad_cpp_peers [--device cpu|cuda] [--suite NAME] [--json FILE] [--filter TEXT]
///         [--seconds S] [--budget S] [--threads N]
///
/// Rows that are not begun within the budget, if there is one, are left out and listed. The file is
/// whole after every row.

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <map>
#include <memory>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/gpu_graph.hpp"
#include "bench/machine.hpp"
#include "bench/recording.hpp"
#include "bench/suite.hpp"
#include "bench/threads.hpp"
#include "matgrad/device.hpp"

namespace {

using namespace matgrad;
using namespace matgrad::bench;

using Options = std::map<std::string, std::string>;

Options read_options(int argc, char** argv) {
    Options options{{"--device", "cpu"},
                    {"--suite", "core"},
                    {"--json", ""},
                    {"--filter", ""},
                    {"--seconds", ""},
                    {"--budget", ""},
                    {"--threads", std::to_string(machine_threads())}};
    for (int i = 1; i < argc; i += 2) {
        if (options.count(argv[i]) == 0 || i + 1 == argc) {
            throw CallerError(
                fmt::format("found '{}', expected --device, --suite, --json, --filter, --seconds, "
                            "--budget or --threads and a value",
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

std::vector<std::unique_ptr<Runner>> runners(bool on_gpu, int threads) {
    std::vector<std::unique_ptr<Runner>> result;
    if (on_gpu) {
        const DeviceList devices = list_devices();
        if (devices.gpus.empty()) {
            throw MachineError("--device cuda: " + devices.why_none);
        }
        const GpuContender peer = cublas_peer(open_cublas_peer());
        result.push_back(make_gpu_runner({DeviceKind::cuda, 0}, {peer, as_graphs(peer)}));
        return result;
    }
    for (const Contender& peer : cpp_peers()) {
        result.push_back(make_cpu_runner(peer, threads));
    }
    return result;
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
    for (const std::unique_ptr<Runner>& runner : runners(on_gpu, threads)) {
        report.device = runner->device();
        report.versions = runner->versions();
        if (!on_gpu) {
            report.versions.emplace_back("libxsmm", MATGRAD_LIBXSMM_VERSION);
        }
        report.threads = runner->threads();
        report.ceilings = runner->ceilings(runner->threads());
        std::vector<Case> cases = suite.cases;
        std::erase_if(cases, [&](const Case& c) {
            return c.name.find(options.at("--filter")) == std::string::npos ||
                   c.threads > runner->most_threads();
        });
        fmt::print("{}", table_head(report));
        record(cases, *runner, how, report);
    }
    fmt::print("{}", left_out_text(report));
}

int run(int argc, char** argv) {
    const Options options = read_options(argc, argv);
    std::string command = "matgrad_cpp_peers";
    for (int i = 1; i < argc; ++i) {
        command += std::string(" ") + argv[i];
    }
    measure(load_suite(options.at("--suite")), options, command);
    if (options.at("--device") == "cpu" && std::string(MATGRAD_LIBXSMM_VERSION) == "absent") {
        fmt::print("libxsmm: absent when this was built\n");
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
