// Writes the texts of Programs, of their regions and, where a simulated GPU is linked, of the kernels generated for them.
//
// usage: golden_texts FOLDER    one file for each group of cases

#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <map>

#include "golden/golden_cases.hpp"
#include "golden/kernel_text.hpp"
#include "program/regions.hpp"

namespace {

using matgrad::golden::Case;

/// The name of a file and what is to be in it.
using Files = std::map<std::string, std::string>;

Files make_files() {
    Files files;
    for (const Case& c : matgrad::golden::make_cases()) {
        const std::string heading = fmt::format("==== {}\n", c.name);
        files[c.group + ".txt"] += heading + to_text(c.program) + "\n";
        // A change of a generator shows in the kernels of these as well as in thousands of lines more.
        if (c.group != "cookbook") {
            files[c.group + "_kernels.txt"] +=
                heading + matgrad::golden::kernel_text(c.program) + "\n";
            files[c.group + "_fused.txt"] +=
                heading + matgrad::golden::fused_text(c.program) + "\n";
        }
    }
    for (const Case& c : matgrad::golden::make_tall_cases()) {
        files[c.group + "_fused.txt"] +=
            fmt::format("==== {}\n{}\n", c.name, matgrad::golden::fused_text(c.program));
    }
    for (const Case& c : matgrad::golden::make_long_cases()) {
        const matgrad::RegionLimits limits{98304};
        files[c.group + ".txt"] += fmt::format("==== {}\n{}\n", c.name,
                                               to_text(c.program, find_regions(c.program, limits)));
    }
    return files;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 2 || argv[1][0] == '-') {
            fmt::print(stderr, "usage: golden_texts FOLDER\n");
            return 2;
        }
        std::filesystem::create_directories(argv[1]);
        for (const auto& [name, text] : make_files()) {
            std::ofstream file(std::filesystem::path(argv[1]) / name);
            file << text;
            if (!file.flush()) {
                fmt::print(stderr, "golden_texts: cannot write {}\n", name);
                return 3;
            }
        }
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "golden_texts: {}\n", error.what());
        return 1;
    }
}
