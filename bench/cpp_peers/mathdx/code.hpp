#pragma once
/// \file Machine code of the peer's kernels: compiled ahead, kept on disk, or by NVRTC where the headers of
/// nvidia-mathdx are.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "bench/cpp_peers/mathdx/kernel.hpp"

namespace matgrad::bench {

/// A header of device code that is inside the program.
struct MathdxHeader {
    const char* name;
    const char* text;
};
/// device.cuh and those of this folder. The tests link others, of which product.cuh needs no cuBLASDx.
[[nodiscard]] std::span<const MathdxHeader> mathdx_headers();

/// Where code may come from; what is empty is not there.
struct MathdxPlaces {
    std::filesystem::path root;                  ///< with include and external/cutlass/include
    std::vector<std::filesystem::path> toolkit;  ///< folders of CUDA's headers
    std::filesystem::path compiled;              ///< of kernels compiled ahead
};

/// MATGRAD_MATHDX_ROOT of the environment, or the root that this was built with; the folder mathdx_kernels
/// beside `library`. What does not exist is left empty.
[[nodiscard]] MathdxPlaces mathdx_places(const std::filesystem::path& library);

/// Why there is no kernel at all, in one line; empty if there may be one.
[[nodiscard]] std::string why_absent(const MathdxPlaces& places);

/// Of cuBLASDx, as its headers say or as it was when kernels were compiled ahead.
[[nodiscard]] std::string cublasdx_version(const MathdxPlaces& places);

/// There are headers to compile it with, or it was compiled ahead.
[[nodiscard]] bool has_code(const MathdxPlaces& places, const MathdxKernel& kernel);

/// A cubin that has the kernel. Errors: MachineError with the first line of the compiler's log.
[[nodiscard]] std::vector<char> code_of(const MathdxPlaces& places, const MathdxKernel& kernel);

/// A cubin of all of them, of one capability. Errors: as code_of.
[[nodiscard]] std::vector<char> compile(const MathdxPlaces& places,
                                        std::span<const MathdxKernel> kernels);

/// Compiles kernels of one capability into a folder, where code_of finds them.
/// Errors: as code_of; MachineError if a file cannot be written.
void compile_ahead(const MathdxPlaces& places, std::span<const MathdxKernel> kernels,
                   const std::filesystem::path& folder);

}  // namespace matgrad::bench
