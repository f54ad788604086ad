#include "cli/eval_outputs.hpp"

#include <algorithm>
#include <cstring>

namespace matgrad {
namespace {

/// The axes of a variable: those of its file; where it is not needed, of the direction's, or of its declaration.
std::vector<std::int64_t> own_axes(const EvalRequest& request, const OutputInfo& output) {
    std::vector<std::string> names{output.name};
    if (output.kind == OutputKind::hvp) {
        names.push_back(request.options.hvp.front().direction);
    }
    for (const std::string& name : names) {
        const auto source =
            std::find_if(request.sources.begin(), request.sources.end(),
                         [&](const OperandSource& s) { return s.operand().name == name; });
        if (source != request.sources.end() && source->element()) {
            return source->own_shape();
        }
    }
    const auto& symbols = request.question.symbols;
    const auto variable = std::find_if(symbols.begin(), symbols.end(),
                                       [&](const Declaration& s) { return s.name == output.name; });
    std::vector<std::int64_t> shape;
    if (!variable->shape.is_scalar()) {
        shape.push_back(output.rows);
        if (!variable->shape.is_column()) {
            shape.push_back(output.cols);
        }
    }
    return shape;
}

/// The shape of the file: the batch axes and those of the variable, without those that the result does not have.
std::vector<std::int64_t> file_shape(const EvalRequest& request, const OutputInfo& output) {
    std::vector<std::int64_t> shape;
    if (output.batched) {
        shape = request.batch_shape;
    }
    const bool is_entry = output.kind == OutputKind::gradient && request.options.entry.has_value();
    const bool is_number = output.kind == OutputKind::value || output.kind == OutputKind::rcond;
    if (!is_number && !is_entry) {
        const std::vector<std::int64_t> own = own_axes(request, output);
        shape.insert(shape.end(), own.begin(), own.end());
    }
    return shape;
}

}  // namespace

ResultFiles::ResultFiles(const EvalRequest& request, std::span<const OutputInfo> outputs) {
    entry_bytes_ = static_cast<std::size_t>(size_of(request.options.type));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].kind == OutputKind::error) {
            first_error_ = error_count_ == 0 ? i : first_error_;
            ++error_count_;
            writers_.push_back(nullptr);
            continue;
        }
        const auto& path = request.result_paths[i];
        writers_.push_back(path ? std::make_unique<NpyWriter>(*path, npy_type(request.options.type),
                                                              file_shape(request, outputs[i]))
                                : nullptr);
    }
    if (request.error_path) {
        std::vector<std::int64_t> shape = request.batch_shape;
        shape.push_back(static_cast<std::int64_t>(error_count_));
        errors_ =
            std::make_unique<NpyWriter>(*request.error_path, npy_type(request.options.type), shape);
    }
    if (request.status_path) {
        status_ =
            std::make_unique<NpyWriter>(*request.status_path, NpyType::int32, request.batch_shape);
    }
}

bool ResultFiles::any() const noexcept {
    return status_ != nullptr || errors_ != nullptr ||
           std::any_of(writers_.begin(), writers_.end(),
                       [](const auto& writer) { return writer != nullptr; });
}

void ResultFiles::append(std::size_t output, const void* data, std::int64_t entries) {
    if (has(output)) {
        writers_[output]->append(data, entries);
    } else if (errors_ && output >= first_error_) {
        append_error(output - first_error_, static_cast<const std::byte*>(data), entries);
    }
}

/// The results come one after the other; the last one completes the rows.
void ResultFiles::append_error(std::size_t column, const std::byte* data, std::int64_t problems) {
    const auto count = static_cast<std::size_t>(problems);
    rows_.resize(count * error_count_ * entry_bytes_);
    for (std::size_t k = 0; k < count; ++k) {
        std::memcpy(rows_.data() + (k * error_count_ + column) * entry_bytes_,
                    data + k * entry_bytes_, entry_bytes_);
    }
    if (column + 1 == error_count_) {
        errors_->append(rows_.data(), problems * static_cast<std::int64_t>(error_count_));
    }
}

void ResultFiles::append_status(std::span<const std::int32_t> status) {
    if (status_) {
        status_->append(status.data(), static_cast<std::int64_t>(status.size()));
    }
}

void ResultFiles::commit() {
    std::vector<NpyWriter*> all;
    for (const auto& writer : writers_) {
        all.push_back(writer.get());
    }
    all.push_back(status_.get());
    all.push_back(errors_.get());
    all.erase(std::remove(all.begin(), all.end(), nullptr), all.end());
    NpyWriter::commit_together(all);
}

}  // namespace matgrad
