# Installs matgrad to an empty prefix, builds a consumer against it and runs it.
#   MATGRAD_BUILD   a build tree of matgrad; with MATGRAD_SOURCE it is first configured there and built
#                   from the objects that the file COMPILED_OBJECTS lists
#   WORK            where the prefix and the consumer's build go
#   KIND            STATIC or SHARED, which the library must turn out to be
#   FLAGS           arguments for each configuration
#   CUDA            the build tree has the CUDA module
#   COMMAND         it has the command
#   PYTHON          the interpreter, for what is typed on a terminal

if(MATGRAD_SOURCE)
  string(COMPARE EQUAL ${KIND} SHARED shared)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${MATGRAD_SOURCE} -B ${MATGRAD_BUILD} ${FLAGS}
    -DBUILD_SHARED_LIBS=${shared} -DMATGRAD_TESTS=OFF -DMATGRAD_CUDA=${CUDA}
    -DCMAKE_PROJECT_matgrad_INCLUDE=${CMAKE_CURRENT_LIST_DIR}/link_compiled_objects.cmake
    -DCOMPILED_OBJECTS=${COMPILED_OBJECTS} COMMAND_ERROR_IS_FATAL ANY)
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
execute_process(COMMAND ${WORK}/build/readme OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
if(NOT output STREQUAL "S - inv(P)\n0.5\n")
  message(FATAL_ERROR "the program of the README: expected the gradient and 0.5, found\n${output}")
endif()

# Runs a program that prints what GPUs there are; its output must match.
function(expect_gpus words)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=MATGRAD_CUDA_MODULE ${ARGN}
    WORKING_DIRECTORY / OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  if(NOT output MATCHES "${words}")
    message(FATAL_ERROR "${ARGN}: expected '${words}', found\n${output}")
  endif()
endfunction()

file(GLOB_RECURSE module ${WORK}/prefix/*/matgrad/libmatgrad_cuda.so)
if(COMMAND)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${MATGRAD_BUILD} --prefix ${WORK}/prefix
    --component command COMMAND_ERROR_IS_FATAL ANY)
endif()
if(CUDA)
  if(NOT module)
    message(FATAL_ERROR "the CUDA module was not installed")
  endif()
  # Opened, it answers itself.
  set(answer "cuda:0  |none: no NVIDIA driver|none: the NVIDIA driver")
  expect_gpus("${answer}" ${WORK}/build/consumer)
  if(COMMAND)
    expect_gpus("${answer}" ${WORK}/prefix/bin/matgrad devices)
    # By its name alone, which says nothing of where it is.
    expect_gpus("${answer}" PATH=${WORK}/prefix/bin:$ENV{PATH} sh -c "exec matgrad devices")
  endif()
  file(REMOVE ${module})
  expect_gpus("none: the CUDA module was not found; looked for " ${WORK}/build/consumer)
else()
  if(module)
    message(FATAL_ERROR "a build without CUDA installed ${module}")
  endif()
  expect_gpus("none: this build has no CUDA executors" ${WORK}/build/consumer)
endif()

if(COMMAND)
  include(${CMAKE_CURRENT_LIST_DIR}/pages.cmake)
endif()

# What a shared library exports, one name a line.
function(read_exports library result)
  execute_process(COMMAND nm --dynamic --defined-only --demangle --format=posix ${library}
    OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${exported}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE libraries ${WORK}/prefix/libmatgrad.*)
if(KIND STREQUAL STATIC)
  if(NOT libraries MATCHES "libmatgrad\\.a$")
    message(FATAL_ERROR "expected libmatgrad.a alone, found ${libraries}")
  endif()
else()
  list(FILTER libraries INCLUDE REGEX "\\.so$")
  read_exports(${libraries} exported)
  string(REGEX REPLACE "(^|\n)((typeinfo|typeinfo name|vtable) for )?matgrad::[^\n]*" "" foreign "${exported}")
  string(STRIP "${foreign}" foreign)
  if(foreign)
    message(FATAL_ERROR "the shared library exports what is not matgrad's:\n${foreign}")
  endif()
  if(NOT exported MATCHES "matgrad::make_plan\\(")
    message(FATAL_ERROR "the shared library does not export make_plan:\n${exported}")
  endif()
endif()

# A plugin of the consumer's keeps what it has of matgrad to itself.
read_exports(${WORK}/build/libplugin.so exported)
if(NOT exported MATCHES "gradient_of_trace" OR exported MATCHES "matgrad::(parse|differentiate)\\(")
  message(FATAL_ERROR "expected the plugin to export its own function alone, found:\n${exported}")
endif()
