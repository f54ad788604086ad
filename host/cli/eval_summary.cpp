#include "cli/eval_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "matgrad/status.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kMostEntries = 400;  // a screenful; more is for a file

double norm(const std::vector<double>& entries) {
    double squares = 0;
    for (const double x : entries) {
        squares += x * x;
    }
    return std::sqrt(squares);
}

}  // namespace

EvalSummary::EvalSummary(const EvalRequest& request, std::span<const OutputInfo> outputs,
                         std::vector<bool> shown)
    : request_(request),
      outputs_(outputs.begin(), outputs.end()),
      shown_(std::move(shown)),
      statistics_(outputs.size()),
      single_(outputs.size()) {}

void EvalSummary::Statistics::add(double x) {
    least = count == 0 ? x : std::min(least, x);
    most = count == 0 ? x : std::max(most, x);
    sum += x;
    ++count;
}

void EvalSummary::Statistics::divide_by(double count_of_mean) {
    least /= count_of_mean;
    most /= count_of_mean;
    sum /= count_of_mean;
}

template <typename T>
void EvalSummary::add_as(const Piece& piece) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const OutputInfo& output = outputs_[i];
        if (!shown_[i]) {
            continue;
        }
        const T* data = static_cast<const T*>(piece.results[i].view.data());
        const std::int64_t each = output.rows * output.cols;
        if (!output.batched) {
            single_[i].assign(data, data + each);
            continue;
        }
        for (std::int64_t k = 0; k < piece.count; ++k) {
            const std::vector<double> entries(data + k * each, data + (k + 1) * each);
            if (succeeded(piece.status[static_cast<std::size_t>(k)])) {
                statistics_[i].add(output.kind == OutputKind::value ? entries[0] : norm(entries));
            }
        }
    }
}

void EvalSummary::add(const Piece& piece) {
    request_.options.type == ScalarType::float32 ? add_as<float>(piece) : add_as<double>(piece);
}

void EvalSummary::print_matrix(const OutputInfo& output, const std::vector<double>& entries) const {
    const std::string name = output_text(output.kind, output.name);
    const int digits = request_.options.type == ScalarType::float32 ? 7 : 15;
    if (entries.size() == 1) {
        fmt::print("{} = {:.{}g}\n", name, entries[0], digits);
        return;
    }
    fmt::print("{}: {}-by-{}, norm {:.{}g}\n", name, output.rows, output.cols, norm(entries),
               digits);
    if (entries.empty() || entries.size() > kMostEntries) {
        return;
    }
    for (std::int64_t i = 0; i < output.rows; ++i) {
        std::string line;
        for (std::int64_t j = 0; j < output.cols; ++j) {
            line +=
                fmt::format(" {:>12.6g}", entries[static_cast<std::size_t>(i * output.cols + j)]);
        }
        fmt::print("{}\n", line);
    }
}

void EvalSummary::print(const StreamTotals& totals) const {
    const bool has_table = std::any_of(outputs_.begin(), outputs_.end(),
                                       [](const OutputInfo& o) { return o.batched; });
    if (has_table || request_.is_batched) {
        fmt::print("{} problems, {} failed\n", totals.problems, totals.failed);
    }
    bool has_header = false;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const OutputInfo& output = outputs_[i];
        if (!shown_[i]) {
            continue;
        }
        if (!output.batched) {
            const bool is_reduced = output.reduction != Reduction::none;
            print_matrix(output, is_reduced ? totals.reduced[i] : single_[i]);
            continue;
        }
        if (!has_header) {
            fmt::print("{:<16} {:>14} {:>14} {:>14}\n", "", "mean", "least", "most");
            has_header = true;
        }
        Statistics found = statistics_[i];
        if (request_.options.reduction == Reduction::mean) {
            found.divide_by(static_cast<double>(totals.problems - totals.failed));
        }
        const bool is_value = output.kind == OutputKind::value;
        const std::string text = output_text(output.kind, output.name);
        const std::string name = is_value ? text : fmt::format("|{}|", text);
        if (found.count == 0) {
            fmt::print("{:<16} {:>14} {:>14} {:>14}\n", name, "-", "-", "-");
        } else {
            fmt::print("{:<16} {:>14.6g} {:>14.6g} {:>14.6g}\n", name,
                       found.sum / static_cast<double>(found.count), found.least, found.most);
        }
    }
}

}  // namespace matgrad
