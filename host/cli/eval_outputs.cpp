#include "cli/eval_outputs.hpp"

#include <algorithm>

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
    if (output.kind != OutputKind::value && !is_entry) {
        const std::vector<std::int64_t> own = own_axes(request, output);
        shape.insert(shape.end(), own.begin(), own.end());
    }
    return shape;
}

}  // namespace

ResultFiles::ResultFiles(const EvalRequest& request, std::span<const OutputInfo> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto& path = request.result_paths[i];
        writers_.push_back(path ? std::make_unique<NpyWriter>(*path, npy_type(request.options.type),
                                                              file_shape(request, outputs[i]))
                                : nullptr);
    }
    if (request.status_path) {
        status_ =
            std::make_unique<NpyWriter>(*request.status_path, NpyType::int32, request.batch_shape);
    }
}

bool ResultFiles::any() const noexcept {
    return status_ != nullptr || std::any_of(writers_.begin(), writers_.end(),
                                             [](const auto& writer) { return writer != nullptr; });
}

void ResultFiles::append(std::size_t output, const void* data, std::int64_t entries) {
    if (has(output)) {
        writers_[output]->append(data, entries);
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
    all.erase(std::remove(all.begin(), all.end(), nullptr), all.end());
    NpyWriter::commit_together(all);
}

}  // namespace matgrad
