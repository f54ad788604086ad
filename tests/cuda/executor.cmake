# Parts of the library executor that are pure functions: calls of a BLAS, places in the workspace.

matgrad_add_test(cuda_executor
  SOURCES
    executor_gemm_call_test.cpp
    executor_in_place_test.cpp
    executor_placement_test.cpp
    executor_trsm_call_test.cpp
    handles_test.cpp
    ${simulated_gpu_expectations}
  OBJECTS program_test_support
  LIBRARIES cuda_executors_archive simulated_gpu)

matgrad_add_gpu_tests(large
  SOURCES executor_large_test.cpp executor_large_domain_test.cpp
  OBJECTS device_test_support program_test_support
  SIMULATED executor_routes_test.cpp
  LAYERS planner)
