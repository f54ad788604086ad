# The public library: the objects of the layers in one file, static or shared by BUILD_SHARED_LIBS,
# and its installation. Only what the public headers mark MATGRAD_API leaves a shared library.

include(CMakePackageConfigHelpers)

add_library(matgrad)
add_library(matgrad::matgrad ALIAS matgrad)
foreach(layer expression calculus program planner reference check executor cpu cuda_loader api)
  target_sources(matgrad PRIVATE $<TARGET_OBJECTS:matgrad_${layer}>)
endforeach()
target_compile_features(matgrad PUBLIC cxx_std_20)
target_include_directories(matgrad PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(matgrad PRIVATE fmt::fmt hwy::hwy matgrad::openblas Threads::Threads ${CMAKE_DL_LIBS})
if(BUILD_SHARED_LIBS)
  set(exports ${PROJECT_SOURCE_DIR}/cmake/matgrad.map)
  target_link_options(matgrad PRIVATE LINKER:--version-script=${exports})
  set_target_properties(matgrad PROPERTIES LINK_DEPENDS ${exports})
else()
  target_compile_definitions(matgrad INTERFACE MATGRAD_STATIC)
  # A shared library that has this one inside does not export it as its own.
  target_link_options(matgrad INTERFACE LINKER:--exclude-libs,libmatgrad.a)
  if(MATGRAD_CUDA)
    # A program that has the library inside lies anywhere: its run path leads to the CUDA module.
    target_link_options(matgrad INTERFACE
      "$<INSTALL_INTERFACE:-Wl,-rpath,$<INSTALL_PREFIX>/${CMAKE_INSTALL_LIBDIR}/matgrad>")
  endif()
endif()
set_target_properties(matgrad PROPERTIES
  LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION 0)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/matgrad)
install(TARGETS matgrad EXPORT matgradTargets COMPONENT library
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/matgrad
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(EXPORT matgradTargets NAMESPACE matgrad:: DESTINATION ${package_dir} COMPONENT library)
configure_package_config_file(cmake/matgradConfig.cmake.in ${PROJECT_BINARY_DIR}/matgradConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/matgradConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/matgradConfig.cmake
  ${PROJECT_BINARY_DIR}/matgradConfigVersion.cmake
  cmake/matgrad_openblas.cmake
  DESTINATION ${package_dir} COMPONENT library)
install(TARGETS matgrad_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)

install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/matgrad COMPONENT documents)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/matgrad COMPONENT documents)
