# bench/suites/cookbook.json is what its script makes of the table.
execute_process(
  COMMAND ${PYTHON} ${SOURCE}/bench/suites/make_cookbook.py ${SOURCE}/tests/data/cookbook.tsv
  OUTPUT_FILE ${WORK}/cookbook.json COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/cookbook.json ${SOURCE}/bench/suites/cookbook.json
  COMMAND_ERROR_IS_FATAL ANY)
