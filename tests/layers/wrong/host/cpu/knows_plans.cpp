// An executor that sees what it is run by, for the test of the test.
#include "matgrad/plan.hpp"
#include "matgrad/types.hpp"
