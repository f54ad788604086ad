# cmake -DNVCC=FILE -DFROM=FILE.cu -DPROGRAM=FILE -P nvcc.cmake: nvcc compiles the file, by itself and without a
# warning; the program passes its own check, or says that there is no GPU.
execute_process(
  COMMAND ${NVCC} -Werror all-warnings -Xcompiler -Wall,-Wextra,-Werror ${FROM} -o ${PROGRAM}
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "nvcc does not compile ${FROM}")
endif()
execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE output)
message(STATUS "${output}")
if(status EQUAL 0 AND output MATCHES "\npassed\n$")
  return()
endif()
if(NOT status EQUAL 77 OR NOT output MATCHES "^no GPU: [^\n]+\n$")
  message(FATAL_ERROR "exit status ${status}: expected 0, or 77 without a GPU")
endif()
