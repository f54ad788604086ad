#include "cli/operand_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string_view>

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

/// `a matrix: (m, n) or a batch (B, m, n)`, in the words of NumPy.
std::string expected_shape(const Shape& shape) {
    const std::string rows = shape.rows.text();
    switch (rank_of(shape)) {
        case 0:
            return "a scalar: () or a batch (B,)";
        case 1:
            return fmt::format("a vector: ({},) or ({}, 1), or a batch (B, {})", rows, rows, rows);
        default:
            return fmt::format("a matrix: ({}, {}) or a batch (B, {}, {})", rows, shape.cols.text(),
                               rows, shape.cols.text());
    }
}

std::size_t count_trailing_ones(const std::vector<std::int64_t>& shape) {
    const auto last =
        std::find_if(shape.rbegin(), shape.rend(), [](std::int64_t size) { return size != 1; });
    return static_cast<std::size_t>(last - shape.rbegin());
}

struct ArchivePath {
    std::string path;
    std::string member;  ///< empty: the path is that of a file of one array
};

/// `FILE.npz:MEMBER`. A file that has the whole word as its name is meant first; otherwise a colon ends the path
/// of a file that exists, or a path that ends in .npz.
ArchivePath split_archive_path(const std::string& word) {
    const auto is_file = [](const std::string& path) {
        struct stat status = {};
        return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    };
    if (is_file(word)) {
        return {word, ""};
    }
    for (std::size_t colon = word.find(':'); colon != std::string::npos;
         colon = word.find(':', colon + 1)) {
        constexpr std::string_view kSuffix = ".npz";
        std::string path = word.substr(0, colon);
        const bool is_archive =
            path.size() > kSuffix.size() &&
            path.compare(path.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0;
        if (is_archive || is_file(path)) {
            return {std::move(path), word.substr(colon + 1)};
        }
    }
    return {word, ""};
}

}  // namespace

const char* type_text(ScalarType type) {
    return type == ScalarType::float32 ? "float32" : "float64";
}

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
    const ArchivePath archive = split_archive_path(word_);
    path_ = archive.path;
    file_ = archive.member.empty() ? std::make_unique<NpyReader>(path_)
                                   : std::make_unique<NpyReader>(path_, archive.member);
    const std::vector<std::int64_t>& shape = file_->shape();
    const std::size_t rank = rank_of(symbol.shape);
    is_scalar_ = rank == 0;
    const std::size_t trailing_ones = count_trailing_ones(shape);
    std::size_t own_axes = rank;
    if (rank == 0 && shape.size() > 1) {
        own_axes = std::min<std::size_t>(trailing_ones, 2);
    } else if (rank == 1 && shape.size() > 1 && trailing_ones > 0) {
        own_axes = 2;
        is_column_ = true;
    }
    if (shape.size() < own_axes) {
        throw OperandError(fmt::format("operand {}: {} is {}, expected {}", symbol.name, word_,
                                       npy_shape_text(shape), expected_shape(symbol.shape)));
    }
    set_own_axes(own_axes);
    operand_.rows = rank >= 1 ? own_shape_[0] : 1;
    operand_.cols = rank == 2 ? own_shape_[1] : 1;
}

void OperandSource::set_own_axes(std::size_t count) {
    const std::vector<std::int64_t>& shape = file_->shape();
    const auto first = shape.end() - static_cast<std::ptrdiff_t>(count);
    batch_shape_.assign(shape.begin(), first);
    own_shape_.assign(first, shape.end());
    operand_.batched = !batch_shape_.empty();
    batch_ = std::accumulate(batch_shape_.begin(), batch_shape_.end(), std::int64_t{1},
                             std::multiplies<>());
}

void OperandSource::read_as_vectors_of_length_1() {
    const std::vector<std::int64_t>& shape = file_->shape();
    if (is_column_ && shape[shape.size() - 2] != 1) {
        set_own_axes(1);
        operand_.rows = 1;
    }
}

std::optional<NpyElement> OperandSource::element() const {
    return file_ ? std::optional(file_->element()) : std::nullopt;
}

bool OperandSource::is_one_scalar() const {
    return is_scalar_ && file_ && file_->count() == 1;
}

std::optional<std::string> OperandSource::remark(ScalarType type, bool is_type_given) const {
    if (!file_) {
        return std::nullopt;
    }
    const std::optional<ScalarType> own = scalar_type(file_->element());
    std::string what;
    if (own != type && !(own && is_type_given)) {
        what = fmt::format("is {}, converted to {}", to_text(file_->element()), type_text(type));
    }
    if (file_->has_more()) {
        what += fmt::format("{}holds several arrays one after another, the first is read",
                            what.empty() ? "" : "; it ");
    }
    if (what.empty()) {
        return std::nullopt;
    }
    return fmt::format("operand {}: {} {}", operand_.name, word_, what);
}

bool OperandSource::is_file(const std::string& path) const {
    return file_ != nullptr && same_file(path_, path);
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
    const std::int64_t each = operand_.rows * operand_.cols;
    if (!operand_.batched) {
        read_run(0, each, type, buffer);
    } else if (!file_->fortran_order()) {
        read_run(first * each, count * each, type, buffer);
    } else {  // the problems of one entry lie side by side
        // With one batch axis longer than 1 they lie in their order.
        const bool is_in_order = std::count_if(batch_shape_.begin(), batch_shape_.end(),
                                               [](std::int64_t size) { return size != 1; }) <= 1;
        for (std::int64_t entry = 0; entry < each; ++entry) {
            std::byte* const to = buffer + entry * count * size_of(type);
            is_in_order ? read_run(entry * batch_ + first, count, type, to)
                        : gather(entry, first, count, type, to);
        }
    }
}

void OperandSource::read_run(std::int64_t offset, std::int64_t count, ScalarType type,
                             std::byte* to) const {
    for (std::int64_t done = 0; done < count; done += kPiece) {
        stop_if_interrupted();
        file_->read_as(offset + done, std::min(kPiece, count - done), type,
                       to + done * size_of(type));
    }
}

/// One entry of problems first .. first+count, of which the file counts the first batch axis fastest and the
/// run the last: reads that entry of all problems.
void OperandSource::gather(std::int64_t entry, std::int64_t first, std::int64_t count,
                           ScalarType type, std::byte* to) const {
    constexpr std::int64_t kGathered = std::int64_t{1} << 16;
    const auto size = static_cast<std::size_t>(size_of(type));
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min(batch_, kGathered)) * size);
    for (std::int64_t done = 0; done < batch_; done += kGathered) {
        const std::int64_t length = std::min(kGathered, batch_ - done);
        read_run(entry * batch_ + done, length, type, piece.data());
        for (std::int64_t i = 0; i < length; ++i) {
            const std::int64_t problem = problem_of(done + i) - first;
            if (problem >= 0 && problem < count) {
                std::memcpy(to + static_cast<std::size_t>(problem) * size,
                            piece.data() + static_cast<std::size_t>(i) * size, size);
            }
        }
    }
}

/// The number of the problem that the file has at place `at`.
std::int64_t OperandSource::problem_of(std::int64_t at) const {
    std::int64_t problem = 0;
    std::int64_t stride = batch_;
    for (const std::int64_t axis : batch_shape_) {
        stride /= axis;
        problem += at % axis * stride;
        at /= axis;
    }
    return problem;
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
