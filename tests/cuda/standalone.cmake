# Files that `matgrad kernel --standalone` writes: compiled by nvcc, and as plain C++ on the simulated GPU, where
# their check passes, and fails where the kernel is made wrong.

set(standalone ${CMAKE_CURRENT_SOURCE_DIR}/standalone)
set(made ${CMAKE_CURRENT_BINARY_DIR}/standalone)
file(MAKE_DIRECTORY ${made})

# matgrad_add_standalone(<name> <arguments of the command>)
function(matgrad_add_standalone name)
  # Files that stay as they were are not compiled again.
  add_custom_command(OUTPUT ${made}/${name}.cu ${made}/${name}_wrong.cu
    COMMAND matgrad_command kernel ${ARGN} --standalone ${made}/${name}.new > ${made}/${name}.txt
    COMMAND ${CMAKE_COMMAND} -DFROM=${made}/${name}.new -DTO=${made}/${name}_wrong.new -P ${standalone}/spoil.cmake
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${made}/${name}.new ${made}/${name}.cu
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${made}/${name}_wrong.new ${made}/${name}_wrong.cu
    DEPENDS matgrad_command matgrad_cuda ${standalone}/spoil.cmake VERBATIM)
  foreach(file ${name} ${name}_wrong)
    set_source_files_properties(${made}/${file}.cu PROPERTIES
      LANGUAGE CXX COMPILE_OPTIONS "-include;${standalone}/on_simulated_gpu.hpp"
      OBJECT_DEPENDS ${standalone}/on_simulated_gpu.hpp)
    add_executable(standalone_${file}
      ${made}/${file}.cu ${PROJECT_SOURCE_DIR}/tests/simulated_gpu/complain_at_exit.cpp)
    target_compile_features(standalone_${file} PRIVATE cxx_std_20)
    target_compile_options(standalone_${file} PRIVATE -Wall -Wextra)
    target_link_libraries(standalone_${file} PRIVATE simulated_gpu)
    # More problems than are of different data.
    add_test(NAME standalone.${file}_on_the_simulated_gpu COMMAND standalone_${file} 150)
  endforeach()
  set_tests_properties(standalone.${name}_on_the_simulated_gpu PROPERTIES
    PASS_REGULAR_EXPRESSION "\npassed\n$" FAIL_REGULAR_EXPRESSION "simulated GPU: ")
  set_tests_properties(standalone.${name}_wrong_on_the_simulated_gpu PROPERTIES
    PASS_REGULAR_EXPRESSION "gradient X +64 compared, [1-6][0-9] wrong.*\nvalue +64 compared, 0 wrong.*\nFAILED\n$"
    FAIL_REGULAR_EXPRESSION "simulated GPU: ")
  add_test(NAME standalone.${name}_by_nvcc
    COMMAND ${CMAKE_COMMAND} -DNVCC=${CMAKE_CUDA_COMPILER} -DFROM=${made}/${name}.cu
      -DPROGRAM=${made}/${name} -P ${standalone}/nvcc.cmake)
endfunction()

matgrad_add_standalone(log_det_gram
  "logdet(X'*X)" --wrt X --dims m=6,n=3 --type float32 --arch sm_80)
matgrad_add_standalone(inverse
  "tr(inv(A + X*X')) + 0.1*sum(exp(X))" --wrt X --declare A=m,m:spd --shared A --dims m=12,n=5)
