/// \file The peers in C++ on the cases of a suite, checked and timed as matgrad is.
///
///     matgrad_cpp_peers [--suite NAME] [--json FILE] [--filter TEXT] [--seconds S] [--threads N]

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>

#include "bench/cpp_peers/contenders.hpp"
#include "bench/machine.hpp"
#include "bench/suite.hpp"
#include "bench/threads.hpp"

namespace {

using namespace matgrad;
using namespace matgrad::bench;

using Options = std::map<std::string, std::string>;

Options read_options(int argc, char** argv) {
    Options options{{"--suite", "core"},
                    {"--json", ""},
                    {"--filter", ""},
                    {"--seconds", ""},
                    {"--threads", std::to_string(machine_threads())}};
    for (int i = 1; i < argc; i += 2) {
        if (options.count(argv[i]) == 0 || i + 1 == argc) {
            throw CallerError(
                fmt::format("found '{}', expected --suite, --json, --filter, --seconds or "
                            "--threads and a value",
                            argv[i]));
        }
        options[argv[i]] = argv[i + 1];
    }
    return options;
}

Report measure(const Suite& suite, const Options& options, const std::string& command) {
    const int threads = std::max(1, std::atoi(options.at("--threads").c_str()));
    Pace pace;
    pace.seconds = options.at("--seconds").empty() ? suite.seconds
                                                   : std::atof(options.at("--seconds").c_str());
    Report report;
    report.tool = "matgrad_cpp_peers";
    report.device = cpu_text();
    report.versions = build_versions();
    report.versions.emplace_back("libxsmm", MATGRAD_LIBXSMM_VERSION);
    report.commit = build_commit();
    report.command = command;
    report.date = now_text();
    report.threads = threads;
    report.suite = suite.name;
    for (const Contender& peer : cpp_peers()) {
        const auto runner = make_cpu_runner(peer, threads);
        report.ceilings = runner->ceilings(threads);
        fmt::print("{}", table_head(report));
        for (const Case& c : suite.cases) {
            const bool wanted = c.name.find(options.at("--filter")) != std::string::npos &&
                                c.threads <= runner->most_threads() && is_offered(c, peer.executor);
            if (wanted) {
                report.rows.push_back(runner->run(c, pace));
                fmt::print("{}", table_line(report.rows.back()));
                std::fflush(stdout);
            }
        }
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
    if (std::string(MATGRAD_LIBXSMM_VERSION) == "absent") {
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
