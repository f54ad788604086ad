# Parts of the library executor that are pure functions: calls of a BLAS, places in the workspace.

matgrad_add_test(cuda_executor
  SOURCES
    executor_gemm_call_test.cpp
    executor_placement_test.cpp
    executor_trsm_call_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/executors/build_program.cpp
    ${simulated_gpu_expectations}
  LIBRARIES cuda_executors_archive simulated_gpu)

matgrad_add_gpu_tests(large
  SOURCES executor_large_test.cpp executor_large_domain_test.cpp device_run.cpp ../executors/build_program.cpp
  SIMULATED executor_routes_test.cpp
  LAYERS planner)
