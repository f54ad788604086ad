# The CUDA toolkit, where there is one. MATGRAD_CUDA says whether the module of the CUDA executors is
# built; the simulated GPU of the tests needs the toolkit's headers alone.

set(MATGRAD_CUDA AUTO CACHE STRING "Build the CUDA executors: ON, OFF, or AUTO if the toolkit is found")
set_property(CACHE MATGRAD_CUDA PROPERTY STRINGS AUTO ON OFF)
set(MATGRAD_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING
  "What the Thrust functions are compiled for; generated kernels are compiled for the device at hand")

# Kernels are loaded through the runtime: cudaLibraryLoadData came with 12.8.
find_package(CUDAToolkit 12.8 QUIET)
if(MATGRAD_CUDA STREQUAL AUTO)
  if(CUDAToolkit_FOUND)
    set(MATGRAD_CUDA ON)
  else()
    set(MATGRAD_CUDA OFF)
  endif()
  message(STATUS "CUDA executors: ${MATGRAD_CUDA} (toolkit ${CUDAToolkit_VERSION})")
elseif(MATGRAD_CUDA AND NOT CUDAToolkit_FOUND)
  message(FATAL_ERROR "MATGRAD_CUDA is ON, but no CUDA toolkit of 12.8 or later was found")
endif()
if(MATGRAD_CUDA)
  if(NOT CMAKE_CUDA_COMPILER AND CUDAToolkit_NVCC_EXECUTABLE)
    set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES ${MATGRAD_CUDA_ARCHITECTURES})
  endif()
  enable_language(CUDA)
  # CMake 3.25 does not know how nvcc is asked for C++20, and leaves CUDA_STANDARD 20 out without a word.
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
endif()
