# Writes OUTPUT, a C++ file that knows the commit of SOURCE; left alone if nothing has changed.
set(commit "")
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} describe --always --dirty --exclude=* --abbrev=12
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[#include "bench/machine.hpp"

std::string matgrad::bench::build_commit() {
    return "@commit@";
}
]] @ONLY)
