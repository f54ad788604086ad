// Device code that needs a folder of the host, for the test of the test.
#include "program/program.hpp"
