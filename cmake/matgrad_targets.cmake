# The two shapes every target of the project has, and the warnings all of them are compiled with.

# A switch over an enumeration without a default names every enumerator: one that is forgotten is an error.
set(MATGRAD_WARNINGS -Wall -Wextra -Wconversion $<$<COMPILE_LANGUAGE:CXX>:-Werror=switch>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 takes "literal" + std::string for an overlapping copy (GCC bug 105651).
  list(APPEND MATGRAD_WARNINGS -Wno-restrict)
endif()

# matgrad_add_layer(<folder> SOURCES ... [DEPENDS <lower layers>] [PRIVATE <libraries>])
# One static library per folder of host/. A layer sees only the layers below it: a wrong include
# fails to link.
function(matgrad_add_layer folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE;PUBLIC" ${ARGN})
  set(target matgrad_${folder})
  add_library(${target} STATIC ${ARG_SOURCES})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/host)
  # The same objects serve a static and a shared library. What a shared one exports is still ours to inline.
  target_compile_options(${target} PRIVATE ${MATGRAD_WARNINGS} -fno-semantic-interposition)
  # The reference is plain Eigen, which takes longer to compile than all the rest. Tests are compiled as ever, so that
  # a compiler's cache has them.
  if(MATGRAD_SANITIZE AND NOT folder STREQUAL reference)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O1 -g1 -fno-omit-frame-pointer
      -fsanitize=address,undefined -fno-sanitize-recover=all>)
    # Eigen asks for the sanitizer; what one side allocates the other must be able to free.
    target_compile_definitions(${target} PRIVATE EIGEN_MALLOC_ALREADY_ALIGNED=1)
  endif()
  list(TRANSFORM ARG_DEPENDS PREPEND matgrad_)
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} fmt::fmt)
endfunction()

# How test sources are compiled.
function(matgrad_set_up_tests target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE ${MATGRAD_WARNINGS})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE test_data)
endfunction()

# matgrad_add_test_objects(<name> SOURCES ... LAYERS <layers> [LIBRARIES ...])
# Sources that several test programs have in common, compiled once.
function(matgrad_add_test_objects name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LAYERS;LIBRARIES" ${ARGN})
  add_library(${name} OBJECT ${ARG_SOURCES})
  matgrad_set_up_tests(${name})
  list(TRANSFORM ARG_LAYERS PREPEND matgrad_)
  target_link_libraries(${name} PRIVATE ${ARG_LAYERS} ${ARG_LIBRARIES} fmt::fmt GTest::gtest)
endfunction()

# matgrad_add_test(<name> SOURCES ... [OBJECTS <of matgrad_add_test_objects>] LAYERS <layers>
#   [LIBRARIES ...] [PROPERTIES ...])
# One GoogleTest program; its claims become ctest tests named <name>.<Suite>.<Case>, one for all parameters
# (list_claims.cmake). The user's own folder of compiled kernels is left alone.
function(matgrad_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;OBJECTS;LAYERS;LIBRARIES;PROPERTIES" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  foreach(objects IN LISTS ARG_OBJECTS)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  matgrad_set_up_tests(${target})
  list(TRANSFORM ARG_LAYERS PREPEND matgrad_)
  target_link_libraries(${target} PRIVATE ${ARG_LAYERS} ${ARG_LIBRARIES} fmt::fmt GTest::gtest_main)
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}_claims.cmake)
  set(list_claims ${PROJECT_SOURCE_DIR}/cmake/list_claims.cmake)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DNAME=${name} -DLIST=${list}
      "-DPROPERTIES=ENVIRONMENT;MATGRAD_CACHE=;${ARG_PROPERTIES}" -P ${list_claims}
    BYPRODUCTS ${list} VERBATIM)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${list_claims})
  # A program that is not built yet is a test that fails.
  set(included ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  file(WRITE ${included} "if(EXISTS [=[${list}]=])\n  include([=[${list}]=])\nelse()\n"
    "  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${included})
endfunction()
