#pragma once
/// \file Opens the shared library of the CUDA executors, once, at first use of a device.

#include <string>

#include "cuda/module.hpp"

namespace matgrad::gpu {

/// The module, or null and in `why` one line that says what is missing: built without CUDA, the
/// module not found where it was looked for, one of its libraries missing, another version.
///
/// It is the file that MATGRAD_CUDA_MODULE names; else it is looked for beside the program or library
/// that this code is in (its folder, matgrad, ../lib/matgrad), where matgrad was installed, and where
/// the system looks for shared libraries (the run path of a program that links the static library
/// names the place).
[[nodiscard]] const Module* load_module(std::string& why);

/// Takes the place of the shared library: tests link a module in.
void use_linked_module(const Module* module);

}  // namespace matgrad::gpu
