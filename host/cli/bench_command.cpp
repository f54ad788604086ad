#include "cli/bench_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "bench/differentials.hpp"
#include "bench/machine.hpp"
#include "bench/recording.hpp"
#include "bench/runner.hpp"
#include "bench/suite.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/printable.hpp"
#include "cli/progress.hpp"
#include "cli/result_paths.hpp"

namespace matgrad {
namespace {

using bench::Case;
using bench::Report;
using bench::Row;
using bench::Runner;

/// A file that is written after seconds of work: whether it can be is asked before.
void check_writable(const std::optional<std::string>& path) {
    if (!path) {
        return;
    }
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path file(*path);
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    const bool may = fs::exists(file, error)
                         ? !fs::is_directory(file, error) && ::access(file.c_str(), W_OK) == 0
                         : ::access(folder.c_str(), W_OK | X_OK) == 0;
    if (!may) {
        throw FileError(fmt::format("{}: cannot be written", *path));
    }
}

void keep_matching(std::vector<Case>& cases, const std::string& filter, const std::string& suite) {
    std::erase_if(cases, [&](const Case& c) { return c.name.find(filter) == std::string::npos; });
    if (cases.empty()) {
        throw CallerError(
            fmt::format("--filter {}: no row of suite {} has that in its name", filter, suite));
    }
}

/// Rows that fix more threads than there are cores say nothing of this machine; on a GPU, none that
/// fix them do.
void drop_threads(std::vector<Case>& cases, int most) {
    const auto dropped = std::erase_if(cases, [&](const Case& c) { return c.threads > most; });
    if (dropped > 0) {
        fmt::print("{} row{} left out: more threads than this device has cores for them\n", dropped,
                   dropped == 1 ? "" : "s");
    }
}

int default_threads() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// `auto` is the first GPU if there is one.
std::unique_ptr<Runner> choose_runner(const BenchArguments& arguments) {
    Device device = arguments.device;
    if (device.kind == DeviceKind::automatic) {
        device.kind = list_devices().gpus.empty() ? DeviceKind::cpu : DeviceKind::cuda;
    }
    if (device.kind == DeviceKind::cuda) {
        if (device.index == Device::kAll) {
            throw CallerError("bench: found --device cuda:all, expected one device");
        }
        return bench::make_gpu_runner(device);
    }
    const int threads = arguments.threads > 0 ? arguments.threads : default_threads();
    return bench::make_cpu_runner(bench::matgrad_on_cpu(), threads);
}

void write_differentials(const bench::Suite& suite, const std::string& path,
                         bench::AnswerBook& book) {
    Progress progress(static_cast<std::int64_t>(suite.cases.size()), "rows");
    const std::string text = differentials_text(suite, book, [&](std::size_t done) {
        stop_if_interrupted();
        progress.update(static_cast<std::int64_t>(done));
    });
    bench::write_whole(path, text);
}

Report measure(const bench::Suite& suite, const BenchArguments& arguments, Runner& runner,
               bench::Clock::time_point start) {
    Report report;
    report.device = runner.device();
    report.versions = runner.versions();
    report.commit = bench::build_commit();
    report.command = "matgrad bench";
    for (const std::string& word : arguments.words) {
        report.command += " " + printable(word);
    }
    report.date = bench::now_text();
    report.threads = runner.threads();
    report.suite = suite.name;
    report.ceilings = runner.ceilings(runner.threads());
    fmt::print("{}", table_head(report));
    bench::RecordOptions how;
    how.pace.seconds = arguments.seconds.value_or(suite.seconds);
    how.pace.check_stop = stop_if_interrupted;
    how.start = start;
    how.budget = arguments.budget.value_or(how.budget);
    how.json = arguments.json;
    how.csv = arguments.csv;
    std::int64_t rows = 0;
    for (const Case& c : suite.cases) {
        rows += std::ssize(runner.executors(c));
    }
    Progress progress(rows, "rows");
    how.show = [&](const Row& row) {
        progress.clear();
        fmt::print("{}", table_line(row));
        std::fflush(stdout);
        progress.update(std::ssize(report.rows));
    };
    bench::record(suite.cases, runner, how, report);
    progress.clear();
    fmt::print("{}", left_out_text(report));
    return report;
}

}  // namespace

int bench_command(const BenchArguments& arguments) {
    const bench::Clock::time_point start = bench::Clock::now();
    watch_for_interrupts();
    std::vector<std::string> paths;
    for (const auto* path : {&arguments.json, &arguments.csv, &arguments.differentials}) {
        check_writable(*path);
        if (*path) {
            paths.push_back(**path);
        }
    }
    check_distinct(paths);
    bench::Suite suite = bench::load_suite(arguments.suite);
    keep_matching(suite.cases, arguments.filter, suite.name);
    if (arguments.differentials && !arguments.json && !arguments.csv) {
        bench::AnswerBook book;
        write_differentials(suite, *arguments.differentials, book);
        return kSuccess;
    }
    const std::unique_ptr<Runner> runner = choose_runner(arguments);
    drop_threads(suite.cases, runner->most_threads());
    const Report report = measure(suite, arguments, *runner, start);
    if (arguments.differentials) {
        write_differentials(suite, *arguments.differentials, runner->answers());
    }
    const auto failed =
        std::count_if(report.rows.begin(), report.rows.end(), [](const Row& r) { return !r.ok; });
    if (failed > 0) {
        fmt::print(stderr, "matgrad: {} of {} rows failed\n", failed, report.rows.size());
    }
    return failed == 0 ? kSuccess : kSomeFailed;
}

}  // namespace matgrad
