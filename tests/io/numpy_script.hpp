#pragma once
/// \file Tests that run NumPy.

#include <cstdlib>
#include <iostream>
#include <string>

#include "io/files.hpp"

namespace matgrad::io_test {

/// A Python that has NumPy, or empty.
inline std::string python_with_numpy() {
    for (const char* python : {"/usr/bin/python3", "python3"}) {
        const std::string test = std::string(python) + " -c 'import numpy' 2> /dev/null";
        if (std::system(test.c_str()) == 0) {
            return python;
        }
    }
    return {};
}

/// Skips out loud where there is no NumPy.
class NumPyScript : public ::testing::Test {
protected:
    void SetUp() override {
        static const std::string found = python_with_numpy();
        if (found.empty()) {
            std::cerr << "NO PYTHON WITH NUMPY: files are not compared with NumPy's own\n";
            GTEST_SKIP() << "no Python with NumPy on this machine";
        }
        python_ = found;
    }

    void run(const std::string& script) {
        write_text(folder_.path("script.py"), "import numpy as np\n" + script);
        const std::string command =
            "cd '" + folder_.path("") + "' && " + python_ + " script.py > python.log 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0) << read_text(folder_.path("python.log"));
    }

    TemporaryFolder folder_;
    std::string python_;
};

}  // namespace matgrad::io_test
