// Part of each program that runs on the simulated GPU: the module of the CUDA executors is linked in.

#include "cuda/loader.hpp"
#include "cuda/module_entry.hpp"

namespace {

[[maybe_unused]] const bool used = [] {
    matgrad::gpu::use_linked_module(matgrad_cuda_module(MATGRAD_MODULE_VERSION));
    return true;
}();

}  // namespace
