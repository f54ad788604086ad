#pragma once
/// \file The command line of the probe.

#include <optional>
#include <string>
#include <vector>

#include "part.hpp"

namespace matgrad::probe {

/// How a part is made to fail, for tests: a crash, a hang, lines that hold no fact, a wrong fact.
struct Break {
    std::string part, how;
};

struct Options {
    std::string json;                ///< path of the file, or empty
    double seconds = 75;             ///< of all parts together
    std::vector<std::string> parts;  ///< names, beginnings of names, groups; empty: all
    bool list = false;
    bool small = false;
    // For tests.
    std::vector<Break> breaks;
    double part_seconds = 3600;  ///< limit of every part that has a longer one
    // Of a child process.
    std::string child;  ///< its part
    double child_seconds = 0;
    std::string child_break;
};

inline constexpr const char* kUsage =
    "usage: gpu_probe [--json FILE] [--seconds BUDGET] [--part NAME]... [--small] [--list]";

/// Errors: std::invalid_argument with one line.
[[nodiscard]] Options parse_options(const std::vector<std::string>& arguments);

/// The parts that were asked for, in their order. A name stands for itself and for all parts whose
/// names go on after it with a dot; "facts" and "sweeps" for all of a group.
/// Errors: std::invalid_argument for a name that stands for none.
[[nodiscard]] std::vector<Part> chosen_parts(const Options& options, std::vector<Part> all);

}  // namespace matgrad::probe
