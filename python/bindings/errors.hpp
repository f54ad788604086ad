#pragma once
/// \file matgrad's exceptions as those of Python.

#include <string>

namespace matgrad::python {

/// An operand has to be made contiguous before it can be read: not for users, the Python side copies it.
struct CopyNeeded {
    std::string operand;
};

/// What was given is no array that can be read: an OperandError that is a TypeError too.
struct BadType {
    std::string message;
};

/// Classes of `matgrad.errors`, which the module `_core` shares with the Python side.
void register_errors();

}  // namespace matgrad::python
