# What scripts/gpu-bundle packs, as a component of its own that an installation leaves out:
#   cmake --install BUILD --component gpu_bundle --prefix DIR --strip
# The target gpu_bundle_programs builds it.

set(to COMPONENT gpu_bundle EXCLUDE_FROM_ALL)
get_property(tests GLOBAL PROPERTY matgrad_gpu_tests)
set(programs ${tests} gpu_times gpu_probe matgrad_command matgrad_cpp_peers)
set(libraries matgrad_eigen_peer matgrad_cublas_peer matgrad_mathdx_peer)
if(TARGET matgrad_libxsmm_peer)
  list(APPEND libraries matgrad_libxsmm_peer)
endif()
add_custom_target(gpu_bundle_programs DEPENDS ${programs} ${libraries} matgrad_cuda)

install(TARGETS ${programs} RUNTIME DESTINATION bin ${to})
install(TARGETS ${libraries} LIBRARY DESTINATION lib ${to})
install(TARGETS matgrad_cuda LIBRARY DESTINATION lib/matgrad ${to})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tests/data DESTINATION tests ${to})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/bench/peers ${PROJECT_SOURCE_DIR}/bench/report
    ${PROJECT_SOURCE_DIR}/bench/suites
  DESTINATION bench ${to} PATTERN __pycache__ EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/scripts/gpu/run DESTINATION . ${to} PATTERN __pycache__ EXCLUDE)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/gpu/run.sh DESTINATION . ${to})
# The Python package, and its tests on arrays of a GPU.
if(MATGRAD_PYTHON)
  add_dependencies(gpu_bundle_programs matgrad_python)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/python/matgrad DESTINATION python ${to}
    PATTERN __pycache__ EXCLUDE PATTERN libmatgrad_cuda.so EXCLUDE PATTERN data EXCLUDE)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/tests/python/gpu DESTINATION tests/python ${to}
    PATTERN __pycache__ EXCLUDE)
endif()
# Kernels compiled with the headers of nvidia-mathdx, where those are: the headers themselves stay here.
if(TARGET matgrad_mathdx_compiled)
  add_dependencies(gpu_bundle_programs matgrad_mathdx_compiled)
  install(DIRECTORY ${MATGRAD_MATHDX_KERNELS} DESTINATION lib ${to} PATTERN made EXCLUDE)
endif()
