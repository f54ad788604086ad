# Installs matgrad to an empty prefix, builds a consumer against it and runs it.
#   MATGRAD_BUILD   a build tree of matgrad; with MATGRAD_SOURCE it is first configured and built there
#   WORK            where the prefix and the consumer's build go
#   KIND            STATIC or SHARED, which the library must turn out to be
#   FLAGS           arguments for each configuration

if(MATGRAD_SOURCE)
  string(COMPARE EQUAL ${KIND} SHARED shared)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${MATGRAD_SOURCE} -B ${MATGRAD_BUILD} ${FLAGS}
    -DBUILD_SHARED_LIBS=${shared} -DMATGRAD_TESTS=OFF COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${MATGRAD_BUILD} --target matgrad
    COMMAND_ERROR_IS_FATAL ANY)
endif()

file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${MATGRAD_BUILD} --prefix ${WORK}/prefix
  --component library COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build ${FLAGS}
  -DCMAKE_PREFIX_PATH=${WORK}/prefix -DREADME=${CMAKE_CURRENT_LIST_DIR}/../../README.md
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build COMMAND_ERROR_IS_FATAL ANY)
foreach(program consumer readme)
  execute_process(COMMAND ${WORK}/build/${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

file(GLOB_RECURSE libraries ${WORK}/prefix/libmatgrad.*)
if(KIND STREQUAL STATIC)
  if(NOT libraries MATCHES "libmatgrad\\.a$")
    message(FATAL_ERROR "expected libmatgrad.a alone, found ${libraries}")
  endif()
else()
  list(FILTER libraries INCLUDE REGEX "\\.so$")
  execute_process(COMMAND nm --dynamic --defined-only --demangle --format=posix ${libraries}
    OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "(^|\n)((typeinfo|typeinfo name|vtable) for )?matgrad::[^\n]*" "" foreign "${exported}")
  string(STRIP "${foreign}" foreign)
  if(foreign)
    message(FATAL_ERROR "the shared library exports what is not matgrad's:\n${foreign}")
  endif()
  if(NOT exported MATCHES "matgrad::make_plan\\(")
    message(FATAL_ERROR "the shared library does not export make_plan:\n${exported}")
  endif()
endif()
