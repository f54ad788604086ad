#pragma once
/// \file Where an operand of `eval` comes from: a .npy file, read piece by piece, or a number.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/npy_reader.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

class OperandSource {
public:
    /// `word` is what stood behind `NAME=`: a number for a scalar, otherwise the path of a file.
    ///
    /// A file of the symbol's rank (0 for a scalar, 1 for a vector, 2 for a matrix) is shared, one of
    /// rank + 1 is batched along its first axis.
    /// Errors   OperandError for another rank, for (n,1) where a vector is expected, for a number
    ///          that is no scalar's; those of NpyReader.
    OperandSource(const Declaration& symbol, const std::string& word);

    /// Name and size.
    [[nodiscard]] const Operand& operand() const noexcept { return operand_; }
    /// The type of the file; nothing for a number, which fits any.
    [[nodiscard]] std::optional<ScalarType> type() const;
    /// That of the word, where there is no file.
    [[nodiscard]] double number() const noexcept { return number_; }
    /// Problems in a batched file; 1 for a shared operand.
    [[nodiscard]] std::int64_t batch() const noexcept { return batch_; }
    /// Its name in messages: the path, or the number.
    [[nodiscard]] const std::string& word() const noexcept { return word_; }
    /// True if it is read from the file that `path` names.
    [[nodiscard]] bool is_file(const std::string& path) const;

    /// Entries that `read` writes for `count` problems; those of one matrix if shared.
    [[nodiscard]] std::int64_t entries(std::int64_t count) const;
    /// Reads problems first .. first+count, or the shared matrix, as `type`, which is that of the
    /// file. A Fortran-ordered batch stays problem-fastest: `view` knows.
    void read(std::int64_t first, std::int64_t count, ScalarType type, std::byte* buffer) const;
    /// How a buffer filled by `read` with `count` problems of type `type` is laid out.
    [[nodiscard]] ConstView view(const std::byte* buffer, std::int64_t count,
                                 ScalarType type) const;

private:
    void open(const Declaration& symbol);

    Operand operand_;
    std::string word_;
    double number_ = 0;
    std::unique_ptr<NpyReader> file_;
    std::int64_t batch_ = 1;
};

}  // namespace matgrad
