# Generated kernels alone, without the executor that launches them.

# As an archive, the executors' objects are linked as far as they are called.
add_library(cuda_executors_archive STATIC $<TARGET_OBJECTS:matgrad_cuda_executors>)
target_link_libraries(cuda_executors_archive PUBLIC matgrad_planner)
target_include_directories(cuda_executors_archive SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS})

matgrad_add_test(cuda_kernels
  SOURCES
    compile_cache_test.cpp
    copy_plan_test.cpp
    kernel_batch_state_test.cpp
    kernel_cholesky_test.cpp
    kernel_condition_test.cpp
    kernel_copy_entries_test.cpp
    kernel_geometry_test.cpp
    kernel_map_flat_test.cpp
    kernel_map_test.cpp
    kernel_pieces_test.cpp
    kernel_reduce_test.cpp
    kernel_resources_test.cpp
    kernel_sum_test.cpp
    ${simulated_gpu_expectations}
  OBJECTS program_test_support
  LIBRARIES cuda_executors_archive simulated_gpu)

# The primitives of fused kernels, each in a kernel of its own.
matgrad_add_test(fused_primitives
  SOURCES
    fused_lu_test.cpp fused_potrf_test.cpp fused_trsm_test.cpp
    ${simulated_gpu_expectations}
  LIBRARIES simulated_gpu matgrad::openblas GTest::gmock)
target_compile_definitions(fused_primitives_test PRIVATE
  MATGRAD_KERNELS="${PROJECT_SOURCE_DIR}/kernels"
  MATGRAD_PRIMITIVE_KERNELS="${CMAKE_CURRENT_SOURCE_DIR}/primitive_kernels.cuh")

# What else fused kernels are made of, launched as they are.
matgrad_add_test(fused_pieces
  SOURCES
    fused_condition_test.cpp fused_entries_test.cpp fused_product_test.cpp fused_staging_test.cpp
    fused_transfer_test.cpp
    ${simulated_gpu_expectations}
  OBJECTS program_test_support
  LIBRARIES cuda_executors_archive simulated_gpu Eigen3::Eigen)

# What fused kernels are made to be: nothing is compiled.
matgrad_add_test(fused_texts
  SOURCES fused_coverage_test.cpp fused_memory_test.cpp ../road/on_cpu.cpp
  LAYERS api
  LIBRARIES cuda_executors_archive)

# What was compiled, on disk: no CUDA in it.
matgrad_add_test(kernel_cache
  SOURCES kernel_cache_test.cpp kernel_cache_disk_test.cpp
  LIBRARIES cuda_executors_archive)

# The compiler itself, which needs no driver.
if(TARGET CUDA::nvrtc)
  matgrad_add_test(cuda_compile
    SOURCES
      device_code_test.cpp device_compiler.cpp fused_code_test.cpp kernel_code_test.cpp kernel_compile_test.cpp
    LIBRARIES cuda_executors_archive ${CUDA_nvrtc_LIBRARY})
  target_compile_definitions(cuda_compile_test PRIVATE
    MATGRAD_KERNELS="${PROJECT_SOURCE_DIR}/kernels" MATGRAD_TEST_KERNELS="${CMAKE_CURRENT_SOURCE_DIR}")
  # Each source for every architecture, not for one of them.
  add_test(NAME cuda_compile.for_every_architecture
    COMMAND cuda_compile_test --gtest_filter=*WithoutSpills)
  set_tests_properties(cuda_compile.for_every_architecture PROPERTIES
    LABELS full ENVIRONMENT "MATGRAD_CACHE=;MATGRAD_EVERY_ARCHITECTURE=1")
endif()
