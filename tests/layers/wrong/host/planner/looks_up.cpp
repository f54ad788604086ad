// A layer that includes one above it, for the test of the test.
#include "cpu/executor.hpp"
#include "program/program.hpp"
