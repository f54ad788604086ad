# The targets that the script DEMO builds make every program that it starts and the library OPENED, if any.
# NINJA knows the tree BUILD.
file(READ ${DEMO} script)
string(REGEX MATCH "scripts/build release ([^\n]*)" matched "${script}")
separate_arguments(targets UNIX_COMMAND "${CMAKE_MATCH_1}")
string(REGEX MATCHALL "\\$bin/[a-z_]+" programs "${script}")
if(NOT targets OR NOT programs)
  message(FATAL_ERROR "${DEMO}: found no targets or no programs")
endif()
list(TRANSFORM programs REPLACE "^.bin/" "bin/")
execute_process(COMMAND ${NINJA} -C ${BUILD} -t commands ${targets}
  OUTPUT_VARIABLE commands COMMAND_ERROR_IS_FATAL ANY)
foreach(file IN LISTS programs OPENED)
  string(FIND "${commands}" " -o ${file} " place)
  if(place EQUAL -1)
    message(FATAL_ERROR "${DEMO} builds ${targets}, expected also what makes ${file}")
  endif()
endforeach()
