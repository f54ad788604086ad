#pragma once
/// \file `matgrad bench`: suites of cases, measured and checked.

#include <optional>
#include <string>
#include <vector>

#include "matgrad/device.hpp"

namespace matgrad {

struct BenchArguments {
    std::vector<std::string> words;  ///< as they were typed
    std::string suite = "core";      ///< a name or a path
    Device device{DeviceKind::automatic, 0};
    std::string filter;  ///< rows whose names contain it
    std::optional<std::string> json, csv, differentials;
    std::optional<double> seconds;  ///< per row; that of the suite if absent
    std::optional<double> budget;   ///< for everything; rows not begun by then are left out
    int threads = 0;                ///< 0: all
};

/// Prints a table as it is measured. kSomeFailed if a row failed.
/// Errors: FileError, CallerError of suites; MachineError; Interrupted.
int bench_command(const BenchArguments& arguments);

}  // namespace matgrad
