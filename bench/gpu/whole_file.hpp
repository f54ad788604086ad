#pragma once
/// \file Results that whoever reads them finds whole.

#include <string>

namespace matgrad::bench {

/// Writes the text beside its place and renames it. Throws if it cannot.
void replace_file(const std::string& path, const std::string& text);

}  // namespace matgrad::bench
