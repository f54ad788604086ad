#include "cli/operand_source.hpp"

#include <fmt/format.h>

#include <cstring>

#include "cli/interrupt.hpp"
#include "cli/number.hpp"
#include "cli/result_paths.hpp"

namespace matgrad {
namespace {

// A long read is cut into pieces between which Ctrl-C is heard.
constexpr std::int64_t kPiece = std::int64_t{1} << 22;

std::size_t rank_of(const Shape& shape) {
    if (shape.is_scalar()) {
        return 0;
    }
    return shape.is_column() ? 1 : 2;
}

/// `a matrix, (m, n) or a batch (B, m, n)`, in the words of NumPy.
std::string expected_shape(const Shape& shape) {
    const std::string rows = shape.rows.text();
    switch (rank_of(shape)) {
        case 0:
            return "a scalar: () or a batch (B,)";
        case 1:
            return fmt::format("a vector: ({},) or a batch (B, {})", rows, rows);
        default:
            return fmt::format("a matrix: ({}, {}) or a batch (B, {}, {})", rows, shape.cols.text(),
                               rows, shape.cols.text());
    }
}

}  // namespace

OperandSource::OperandSource(const Declaration& symbol, const std::string& word) : word_(word) {
    operand_.name = symbol.name;
    if (word.empty()) {
        throw OperandError(
            fmt::format("operand {}: found nothing behind '=', expected a .npy file{}", symbol.name,
                        symbol.shape.is_scalar() ? " or a number" : ""));
    }
    const std::optional<double> number = number_of_word(symbol.name, word);
    if (!number) {
        open(symbol);
        return;
    }
    if (!symbol.shape.is_scalar()) {
        throw OperandError(
            fmt::format("operand {}: found the number {}, expected a .npy file with {} "
                        "(--declare {}=1 makes it a scalar)",
                        symbol.name, word, expected_shape(symbol.shape), symbol.name));
    }
    number_ = *number;
    operand_.rows = 1;
    operand_.cols = 1;
}

void OperandSource::open(const Declaration& symbol) {
    file_ = std::make_unique<NpyReader>(word_);
    const std::vector<std::int64_t>& shape = file_->shape();
    const std::size_t rank = rank_of(symbol.shape);
    if (rank == 1 && shape.size() == 2 && shape[1] == 1) {
        throw OperandError(fmt::format(
            "operand {}: {} is {}, expected {}; save one vector as ({},), for instance with "
            "ravel()",
            symbol.name, word_, npy_shape_text(shape), expected_shape(symbol.shape), shape[0]));
    }
    if (shape.size() != rank && shape.size() != rank + 1) {
        throw OperandError(fmt::format("operand {}: {} is {}, expected {}", symbol.name, word_,
                                       npy_shape_text(shape), expected_shape(symbol.shape)));
    }
    operand_.batched = shape.size() == rank + 1;
    batch_ = operand_.batched ? shape[0] : 1;
    const std::size_t first = operand_.batched ? 1 : 0;
    operand_.rows = rank >= 1 ? shape[first] : 1;
    operand_.cols = rank == 2 ? shape[first + 1] : 1;
}

std::optional<ScalarType> OperandSource::type() const {
    return file_ ? std::optional(file_->type()) : std::nullopt;
}

bool OperandSource::is_file(const std::string& path) const {
    return file_ != nullptr && same_file(word_, path);
}

std::int64_t OperandSource::entries(std::int64_t count) const {
    return operand_.rows * operand_.cols * (operand_.batched ? count : 1);
}

void OperandSource::read(std::int64_t first, std::int64_t count, ScalarType type,
                         std::byte* buffer) const {
    if (!file_) {
        const auto narrow = static_cast<float>(number_);
        type == ScalarType::float32 ? std::memcpy(buffer, &narrow, sizeof narrow)
                                    : std::memcpy(buffer, &number_, sizeof number_);
        return;
    }
    const std::int64_t size = size_of(type);
    const auto read_run = [&](std::int64_t offset, std::int64_t length, std::byte* to) {
        for (std::int64_t done = 0; done < length; done += kPiece) {
            stop_if_interrupted();
            file_->read(offset + done, std::min(kPiece, length - done), to + done * size);
        }
    };
    const std::int64_t each = operand_.rows * operand_.cols;
    if (!operand_.batched) {
        read_run(0, each, buffer);
    } else if (!file_->fortran_order()) {
        read_run(first * each, count * each, buffer);
    } else {  // the problems of one entry lie side by side
        for (std::int64_t entry = 0; entry < each; ++entry) {
            read_run(entry * batch_ + first, count, buffer + entry * count * size);
        }
    }
}

ConstView OperandSource::view(const std::byte* buffer, std::int64_t count, ScalarType type) const {
    const bool fortran = file_ && file_->fortran_order();
    const std::int64_t step = fortran && operand_.batched ? count : 1;
    const ConstView matrix(buffer, type, operand_.rows, operand_.cols,
                           fortran ? step : operand_.cols, fortran ? operand_.rows * step : 1);
    if (!operand_.batched) {
        return matrix;
    }
    return fortran ? matrix.batched(count, 1) : matrix.batched(count);
}

}  // namespace matgrad
