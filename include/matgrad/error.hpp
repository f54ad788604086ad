#pragma once
/// \file The exceptions of matgrad.
///
/// Three kinds of trouble, three channels. A caller's mistake is a `CallerError`, thrown before
/// anything runs; a failure of the machine is a `MachineError`; a number that goes wrong inside one
/// problem of a batch is no exception at all but that problem's status (see plan.hpp). Every
/// `what()` is one line that names the operand or sub-expression, what was found and what was
/// expected.

#include <cstddef>
#include <stdexcept>
#include <string>

#include "matgrad/export.hpp"

namespace matgrad {

/// Base of everything matgrad throws.
class MATGRAD_API Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The call was wrong: the command answers with exit status 2.
class MATGRAD_API CallerError : public Error {
public:
    using Error::Error;
};

/// The text is not an expression of the language.
///
/// `position` is the byte offset into `source` at which reading stopped; `excerpt()` is the source
/// line with a caret below that place, for a terminal.
class MATGRAD_API ParseError : public CallerError {
public:
    ParseError(const std::string& message, std::string source, std::size_t position)
        : CallerError(message), source_(std::move(source)), position_(position) {}
    [[nodiscard]] const std::string& source() const noexcept { return source_; }
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    /// Two lines: the line of the source that holds the position (shortened around it if it is
    /// longer than a terminal is wide), and the caret.
    [[nodiscard]] std::string excerpt() const;

private:
    std::string source_;
    std::size_t position_;
};

/// Shapes do not fit. The message carries both operands, both shapes and the place.
class MATGRAD_API ShapeError : public CallerError {
public:
    using CallerError::CallerError;
};

/// A name is unknown, reserved, undeclared where it must be declared, or declared twice.
class MATGRAD_API NameError : public CallerError {
public:
    using CallerError::CallerError;
};

/// A legal expression that matgrad has no rule for, or one past a stated limit.
class MATGRAD_API UnsupportedError : public CallerError {
public:
    using CallerError::CallerError;
};

/// An operand or a result is missing, unused, of the wrong type, rank, size or batch.
class MATGRAD_API OperandError : public CallerError {
public:
    using CallerError::CallerError;
};

/// A file cannot be read as what it should be, or a result cannot be written where asked.
class MATGRAD_API FileError : public CallerError {
public:
    using CallerError::CallerError;
};

/// The machine failed (full disk, no memory, device lost): exit status 3.
class MATGRAD_API MachineError : public Error {
public:
    using Error::Error;
};

/// The run was ended by its own hook.
class MATGRAD_API Interrupted : public Error {
public:
    using Error::Error;
};

}  // namespace matgrad
