#pragma once
/// \file Marks what the shared library exports; everything else is hidden.

#if defined(MATGRAD_STATIC) || !defined(__GNUC__)
#define MATGRAD_API
#else
#define MATGRAD_API __attribute__((visibility("default")))
#endif
