# Included by run.cmake: what else an installation brings, read as a user would read it.
execute_process(COMMAND ${CMAKE_COMMAND} --install ${MATGRAD_BUILD} --prefix ${WORK}/prefix
  --component documents COMMAND_ERROR_IS_FATAL ANY)

# Every document and example of the tree is there, byte for byte.
set(tree ${CMAKE_CURRENT_LIST_DIR}/../..)
file(GLOB_RECURSE documents RELATIVE ${tree} ${tree}/docs/* ${tree}/examples/*)
foreach(document IN LISTS documents ITEMS README.md LICENSE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${tree}/${document}
    ${WORK}/prefix/share/doc/matgrad/${document} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/prefix/share/doc/matgrad/examples -B ${WORK}/examples
  ${FLAGS} -DCMAKE_PREFIX_PATH=${WORK}/prefix COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/examples --target nist_regression
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/examples/bin/nist_regression OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# The manual page is one that troff has nothing against; man finds it by the name of the command.
set(page ${WORK}/prefix/share/man/man1/matgrad.1)
if(NOT EXISTS ${page})
  message(FATAL_ERROR "no manual page was installed: ${page}")
endif()
find_program(groff groff)
if(groff)
  execute_process(COMMAND ${groff} -man -Tutf8 -ww ${page}
    OUTPUT_VARIABLE text ERROR_VARIABLE warnings COMMAND_ERROR_IS_FATAL ANY)
  if(warnings OR NOT text MATCHES "declare")
    message(FATAL_ERROR "${page}: ${warnings}${text}")
  endif()
endif()

# A real bash completes commands, options, words, names and files.
execute_process(COMMAND ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/complete.py
  ${WORK}/prefix/share/bash-completion/completions/matgrad COMMAND_ERROR_IS_FATAL ANY)
