# cmake -DPROGRAM=FILE -DNAME=NAME -DPROPERTIES=A;B -DLIST=FILE -P list_claims.cmake
# Writes the file that ctest reads the tests of a GoogleTest program from. Each claim is one test,
# <NAME>.<Suite>.<Case>: one process tries it with every type and every parameter it is instantiated for.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${CMAKE_COMMAND} -E env MATGRAD_CACHE= ${PROGRAM} --gtest_list_tests
  OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY TIMEOUT 60)

# A test that skips with every parameter counts as skipped, but for one that fails as well.
set(none_passed "\\[  PASSED  \\] 0 tests\\.\n(\\[  SKIPPED \\] [^\n]*\n)+$")
set(no_gpu "\\[  SKIPPED \\] no GPU to test on")

# Lines of the list: "Suite." or "Prefix/Suite/0.  # TypeParam = float", then "  Case" or
# "  Case/0  # GetParam() = 1" for each of its tests.
set(claims "")
string(REGEX REPLACE ";" "," listed "${listed}")
string(REPLACE "[" "(" listed "${listed}")
string(REPLACE "]" ")" listed "${listed}")
string(REPLACE "\n" ";" listed "${listed}")
foreach(line IN LISTS listed)
  if(line MATCHES "^([^ #]+)\\. *(# TypeParam)?")
    set(suite "${CMAKE_MATCH_1}")
    set(pattern "${suite}")
    if(CMAKE_MATCH_2)
      string(REGEX REPLACE "/[^/]*$" "" suite "${suite}")
      set(pattern "${suite}/*")
    endif()
    string(REGEX REPLACE "^.*/" "" suite "${suite}")  # without the name of the instantiation
  elseif(line MATCHES "^  ([^ /]+)(/)?")
    set(claim "${suite}.${CMAKE_MATCH_1}")
    set(filter "${pattern}.${CMAKE_MATCH_1}")
    if(CMAKE_MATCH_2)
      string(APPEND filter "/*")
    endif()
    if(NOT claim IN_LIST claims)
      list(APPEND claims ${claim})
      set(filter_of_${claim} "${filter}")
    elseif(NOT filter IN_LIST filter_of_${claim})
      list(APPEND filter_of_${claim} "${filter}")
    endif()
  endif()
endforeach()
if(NOT claims)
  message(FATAL_ERROR "${PROGRAM} lists no tests")
endif()

set(content "")
foreach(claim IN LISTS claims)
  string(REPLACE ";" ":" filter "${filter_of_${claim}}")
  string(APPEND content
    "add_test([=[${NAME}.${claim}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${filter}]=])\n"
    "set_tests_properties([=[${NAME}.${claim}]=] PROPERTIES\n"
    "  SKIP_REGULAR_EXPRESSION [==[${none_passed};${no_gpu}]==] FAIL_REGULAR_EXPRESSION [==[Running 0 tests]==]\n"
    " ")
  foreach(word IN LISTS PROPERTIES)
    string(APPEND content " [==[${word}]==]")
  endforeach()
  string(APPEND content ")\n")
endforeach()
file(WRITE ${LIST} "${content}")
