#pragma once
/// \file The one symbol that leaves the module.

#include "cuda/module.hpp"

extern "C" __attribute__((visibility("default"))) const matgrad::gpu::Module* matgrad_cuda_module(
    const char* version);
