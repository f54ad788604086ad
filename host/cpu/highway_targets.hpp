#pragma once
/// \file Which instruction sets the vector code is compiled for: the compiler's baseline, AVX2 and
/// AVX-512 on x86. Include before any Highway header.

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
