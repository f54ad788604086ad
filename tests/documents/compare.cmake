# Runs PROGRAM; what it prints has to be the text of the file OUTPUT.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
file(READ ${OUTPUT} expected)
if(NOT found STREQUAL expected)
  message(FATAL_ERROR "expected\n${expected}\nfound\n${found}")
endif()
