#pragma once
/// \file Where an operand of `eval` comes from: a .npy file or a member of a .npz file, read piece by piece, or
/// a number.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/npy_reader.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

class OperandSource {
public:
    /// `word` is what stood behind `NAME=`: a number for a scalar, otherwise the path of a file, or
    /// `FILE.npz:MEMBER`.
    ///
    /// The last axes of the array are those of the symbol: none for a scalar, one for a vector, two for a
    /// matrix. All axes before are batch axes; without one the operand is shared. A last axis of length 1 makes
    /// a column of a vector, (..., n, 1), and of a scalar, (..., B, 1) or (..., 1, 1).
    /// Errors   OperandError for too few axes, for a number that is no scalar's; those of NpyReader.
    OperandSource(const Declaration& symbol, const std::string& word);

    /// Name and size.
    [[nodiscard]] const Operand& operand() const noexcept { return operand_; }
    /// The numbers of the file; nothing for a number, which fits any type.
    [[nodiscard]] std::optional<NpyElement> element() const;
    /// True for one scalar of a file: it follows the type of the others.
    [[nodiscard]] bool is_one_scalar() const;
    /// The axes before those of the symbol; none if shared.
    [[nodiscard]] const std::vector<std::int64_t>& batch_shape() const noexcept {
        return batch_shape_;
    }
    /// The axes of the symbol, as the file has them: its gradient is written so.
    [[nodiscard]] const std::vector<std::int64_t>& own_shape() const noexcept { return own_shape_; }
    /// That of the word, where there is no file.
    [[nodiscard]] double number() const noexcept { return number_; }
    /// Problems in a batched file; 1 for a shared operand.
    [[nodiscard]] std::int64_t batch() const noexcept { return batch_; }
    /// True for a vector that is a column of the file: (n, 1) might be n vectors of length 1.
    [[nodiscard]] bool is_column() const noexcept { return is_column_; }
    /// Reads (..., n, 1), where n is not 1, as vectors of length 1.
    void read_as_vectors_of_length_1();
    /// What a user may not expect of the file once its numbers are `type`: nothing, or a sentence of one line.
    [[nodiscard]] std::optional<std::string> remark(ScalarType type, bool is_type_given) const;
    /// Its name in messages: the path, or the number.
    [[nodiscard]] const std::string& word() const noexcept { return word_; }
    /// True if it is read from the file that `path` names.
    [[nodiscard]] bool is_file(const std::string& path) const;

    /// Entries that `read` writes for `count` problems; those of one matrix if shared.
    [[nodiscard]] std::int64_t entries(std::int64_t count) const;
    /// Reads problems first .. first+count, or the shared matrix, converted to `type` where the file has
    /// another. A Fortran-ordered batch stays problem-fastest: `view` knows.
    void read(std::int64_t first, std::int64_t count, ScalarType type, std::byte* buffer) const;
    /// How a buffer filled by `read` with `count` problems of type `type` is laid out.
    [[nodiscard]] ConstView view(const std::byte* buffer, std::int64_t count,
                                 ScalarType type) const;

private:
    void open(const Declaration& symbol);
    void set_own_axes(std::size_t count);
    void read_run(std::int64_t offset, std::int64_t count, ScalarType type, std::byte* to) const;
    void gather(std::int64_t entry, std::int64_t first, std::int64_t count, ScalarType type,
                std::byte* to) const;
    [[nodiscard]] std::int64_t problem_of(std::int64_t at) const;

    Operand operand_;
    std::string word_;
    double number_ = 0;
    std::string path_;  ///< of the file
    std::unique_ptr<NpyReader> file_;
    std::vector<std::int64_t> batch_shape_;
    std::vector<std::int64_t> own_shape_;
    std::int64_t batch_ = 1;
    bool is_scalar_ = false;
    bool is_column_ = false;
};

/// `float32`, `float64`.
[[nodiscard]] const char* type_text(ScalarType type);

}  // namespace matgrad
