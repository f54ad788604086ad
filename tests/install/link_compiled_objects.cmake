# Included by project(matgrad), as CMAKE_PROJECT_matgrad_INCLUDE: `matgrad` is linked from the objects that
# the file COMPILED_OBJECTS lists, which another tree has compiled. The loader of the CUDA module alone is
# compiled anew: it says whether this build has one.
file(STRINGS ${COMPILED_OBJECTS} objects)
cmake_language(DEFER CALL set_property TARGET matgrad PROPERTY
  SOURCES ${objects} $<TARGET_OBJECTS:matgrad_cuda_loader>)
# Without the layers below it, which would be compiled too.
cmake_language(DEFER CALL set_property TARGET matgrad_cuda_loader PROPERTY LINK_LIBRARIES fmt::fmt)
