#pragma once
/// \file Which instruction sets the vector code is compiled for: the compiler's baseline, AVX2 and
/// AVX-512 on x86. Include before any Highway header.
///
/// Under AddressSanitizer not AVX-512: its checks make this code slow to compile, and AVX2 runs the same source.

// Below AVX2 a vector that is masked is read and written whole, past the ends of matrices: there the
// code takes one number at a time. 1 << 14 is HWY_SSE2, which Highway 1.0.3 does not name yet.
#if defined(__SANITIZE_ADDRESS__)
#define MATGRAD_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MATGRAD_UNDER_SANITIZER 1
#endif
#endif
#ifdef MATGRAD_UNDER_SANITIZER
#define MATGRAD_SLOW HWY_AVX3
#else
#define MATGRAD_SLOW 0
#endif
#define HWY_DISABLED_TARGETS ((1LL << 14) | HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | MATGRAD_SLOW)
