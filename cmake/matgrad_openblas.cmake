# OpenBLAS as a target. Its own package configuration defines variables alone. Also installed:
# static consumers link it.
if(NOT TARGET matgrad::openblas)
  if(NOT OpenBLAS_FOUND)
    find_package(OpenBLAS REQUIRED)
  endif()
  add_library(matgrad::openblas INTERFACE IMPORTED)
  target_include_directories(matgrad::openblas INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(matgrad::openblas INTERFACE ${OpenBLAS_LIBRARIES})
endif()
