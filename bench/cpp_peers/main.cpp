/// \file The peers in C++ on the cases of a suite, checked and timed as matgrad is.
///
///     matgrad_cpp_peers [--device cpu|cuda] [--suite NAME] [--json FILE] [--filter TEXT]
///         [--seconds S] [--budget S] [--threads N]
///
/// Rows that are not begun within the budget, if there is one, are left out.

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <map>
#include <memory>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/machine.hpp"
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

/// A peer and what measures it.
struct Contest {
    std::string executor;
    std::unique_ptr<Runner> runner;
};

std::vector<Contest> contests(bool on_gpu, int threads) {
    std::vector<Contest> result;
    if (on_gpu) {
        const DeviceList devices = list_devices();
        if (devices.gpus.empty()) {
            throw MachineError("--device cuda: " + devices.why_none);
        }
        GpuContender peer = cublas_peer(open_cublas_peer());
        const std::string executor = peer.executor;
        result.push_back({executor, make_gpu_runner({DeviceKind::cuda, 0}, std::move(peer))});
        return result;
    }
    for (const Contender& peer : cpp_peers()) {
        result.push_back({peer.executor, make_cpu_runner(peer, threads)});
    }
    return result;
}

Report measure(const Suite& suite, const Options& options, const std::string& command) {
    const bool on_gpu = options.at("--device") == "cuda";
    const int threads = std::max(1, std::atoi(options.at("--threads").c_str()));
    Pace pace;
    pace.seconds = options.at("--seconds").empty() ? suite.seconds
                                                   : std::atof(options.at("--seconds").c_str());
    const double budget = options.at("--budget").empty()
                              ? std::numeric_limits<double>::infinity()
                              : std::atof(options.at("--budget").c_str());
    const Clock::time_point start = Clock::now();
    Report report;
    report.tool = "matgrad_cpp_peers";
    report.commit = build_commit();
    report.command = command;
    report.date = now_text();
    report.suite = suite.name;
    int late = 0;
    for (const Contest& contest : contests(on_gpu, threads)) {
        Runner& runner = *contest.runner;
        report.device = runner.device();
        report.versions = runner.versions();
        report.threads = runner.threads();
        report.ceilings = runner.ceilings(runner.threads());
        fmt::print("{}", table_head(report));
        for (const Case& c : suite.cases) {
            const bool wanted = c.name.find(options.at("--filter")) != std::string::npos &&
                                c.threads <= runner.most_threads() &&
                                is_offered(c, contest.executor);
            if (wanted && seconds_since(start) > budget) {
                ++late;
            } else if (wanted) {
                report.rows.push_back(runner.run(c, pace));
                fmt::print("{}", table_line(report.rows.back()));
                std::fflush(stdout);
            }
        }
    }
    if (!on_gpu) {
        report.versions.emplace_back("libxsmm", MATGRAD_LIBXSMM_VERSION);
    }
    if (late > 0) {
        fmt::print("{} row{} left out: no time left\n", late, late == 1 ? "" : "s");
    }
    return report;
}

int run(int argc, char** argv) {
    const Options options = read_options(argc, argv);
    std::string command = "matgrad_cpp_peers";
    for (int i = 1; i < argc; ++i) {
        command += std::string(" ") + argv[i];
    }
    const Report report = measure(load_suite(options.at("--suite")), options, command);
    const std::string& path = options.at("--json");
    if (!path.empty()) {
        std::ofstream file(path);
        file << to_json_text(report) << std::flush;
        if (!file) {
            throw MachineError(path + ": could not be written");
        }
    }
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
