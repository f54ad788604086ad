#pragma once
/// \file What makes two expressions one: fingerprints.

#include "expression/node.hpp"

namespace matgrad::detail {

/// Fingerprint of the node and of its transpose, as if transposes stood at the leaves: (A + B)' and
/// A' + B' are one expression however they are held.
void fingerprint(Node& n);

}  // namespace matgrad::detail
