#include "bench/recording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>

namespace matgrad::bench {
namespace {

namespace fs = std::filesystem;

bool write_through(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    return static_cast<bool>(file);
}

void write_files(const Report& report, const RecordOptions& how) {
    if (how.json) {
        write_whole(*how.json, to_json_text(report));
    }
    if (how.csv) {
        write_whole(*how.csv, to_csv(report.rows));
    }
}

}  // namespace

void write_whole(const std::string& path, const std::string& text) {
    std::error_code error;
    const bool is_there = fs::exists(path, error);
    // A link stays one, and what is no file, as /dev/stdout, is written to.
    const fs::path target = is_there ? fs::canonical(path, error) : fs::path(path);
    const bool is_replaced =
        is_there ? fs::is_regular_file(target, error) : !fs::is_symlink(target, error);
    const fs::path partial = target.string() + ".partial";
    bool written = false;
    if (is_replaced && write_through(partial, text)) {
        fs::rename(partial, target, error);
        written = !error;
    }
    if (!written) {
        fs::remove(partial, error);
        written = write_through(target, text);  // where the folder takes no other file
    }
    if (!written) {
        throw MachineError(fmt::format("{}: could not be written", path));
    }
}

void record(std::span<const Case> cases, Runner& runner, const RecordOptions& how, Report& report) {
    write_files(report, how);
    for (const Case& c : cases) {
        for (const std::string& executor : runner.executors(c)) {
            how.pace.check_stop();
            if (seconds_since(how.start) > how.budget) {
                report.left_out.push_back(fmt::format("{} ({})", c.name, executor));
                continue;
            }
            report.rows.push_back(runner.run(c, executor, how.pace));
            how.show(report.rows.back());
            write_files(report, how);
        }
    }
    write_files(report, how);
}

std::string left_out_text(const Report& report) {
    const std::size_t count = report.left_out.size();
    return count == 0 ? ""
                      : fmt::format("{} row{} left out, no time left: {}\n", count,
                                    count == 1 ? "" : "s", fmt::join(report.left_out, ", "));
}

}  // namespace matgrad::bench
