#pragma once
/// \file The result files of an `eval`: all of them appear, or none.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cli/eval_request.hpp"
#include "io/npy_writer.hpp"

namespace matgrad {

class ResultFiles {
public:
    /// Makes the temporary files. Errors: FileError, MachineError.
    ResultFiles(const EvalRequest& request, std::span<const OutputInfo> outputs);

    /// True if result `output` goes to a file.
    [[nodiscard]] bool has(std::size_t output) const { return writers_[output] != nullptr; }
    [[nodiscard]] bool any() const noexcept;
    /// Appends entries of a result, in the type of the operands.
    void append(std::size_t output, const void* data, std::int64_t entries);
    void append_status(std::span<const std::int32_t> status);
    /// Puts all files in their places, or none. Errors: MachineError, FileError.
    void commit();

private:
    void append_error(std::size_t column, const std::byte* data, std::int64_t problems);

    std::vector<std::unique_ptr<NpyWriter>> writers_;  ///< nullptr for a result without a file
    std::unique_ptr<NpyWriter> status_;
    std::unique_ptr<NpyWriter> errors_;
    std::size_t first_error_ = 0;  ///< of the results
    std::size_t error_count_ = 0;
    std::size_t entry_bytes_ = 0;
    std::vector<std::byte> rows_;  ///< a number for each result of kind error, problem by problem
};

}  // namespace matgrad
