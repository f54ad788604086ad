#include "api/quick_call.hpp"

#include <algorithm>

namespace matgrad::detail {
namespace {

/// Of sizes and strides: no product of two of them leaves 64 bits.
constexpr std::int64_t kLargest = std::int64_t{1} << 28;

bool is_plain(std::int64_t size_or_stride) {
    return size_or_stride >= 1 && size_or_stride <= kLargest;
}

/// Addresses of bytes.
struct Range {
    std::uintptr_t first, end;
    [[nodiscard]] bool meets(const Range& other) const {
        return first < other.end && other.first < end;
    }
};

/// What one list of a call's has in common.
struct Common {
    ScalarType type;
    std::int64_t batch;
    bool unnamed;
};

/// Of rows that are not one behind the other, and of batches: the last entry, or -1. A result has no address twice.
template <bool kIsResult, typename Argument, typename V>
[[gnu::noinline]] std::int64_t find_last(const Argument& expected, const V& view,
                                         std::int64_t batch) {
    constexpr std::int64_t kNotPlain = -1;
    const bool by_rows = view.col_stride() == 1 && view.row_stride() >= view.cols();
    const bool by_columns = view.row_stride() == 1 && view.col_stride() >= view.rows();
    if (view.rows() != expected.rows || view.cols() != expected.cols ||
        !is_plain(view.row_stride()) || !is_plain(view.col_stride()) ||
        (kIsResult && !by_rows && !by_columns) ||
        view.batch() != (expected.batched ? batch : V::kOneMatrix)) {
        return kNotPlain;
    }
    const std::int64_t last =
        (view.rows() - 1) * view.row_stride() + (view.cols() - 1) * view.col_stride();
    if (!expected.batched || batch == 1) {
        return last;
    }
    // One matrix behind the other.
    return view.batch_stride() > last && view.batch_stride() <= kLargest
               ? last + (batch - 1) * view.batch_stride()
               : kNotPlain;
}

/// Is the argument what is expected? Then `range` is where it lies.
template <bool kIsResult, typename Argument, typename Given>
bool read(const Argument& expected, const Given& given, const Common& common, Range& range) {
    const auto& view = given.view;
    const auto address = reinterpret_cast<std::uintptr_t>(view.data());
    const auto unit = static_cast<std::uintptr_t>(size_of(common.type));
    if (address == 0 || (address & (unit - 1)) != 0 || view.type() != common.type ||
        given.name != (common.unnamed ? std::string_view() : expected.name)) {
        return false;
    }
    // Mostly nothing differs, and one branch sees that.
    const std::int64_t differs = (view.rows() ^ expected.rows) | (view.cols() ^ expected.cols) |
                                 (view.row_stride() ^ expected.cols) | (view.col_stride() ^ 1) |
                                 (view.batch() ^ expected.batch_of_one) | (common.batch ^ 1);
    const std::int64_t last =
        differs == 0 ? expected.last : find_last<kIsResult>(expected, view, common.batch);
    if (last < 0 || (view.entries() != view.kUnknown && view.entries() <= last)) {
        return false;
    }
    range = {address, address + (static_cast<std::uintptr_t>(last) + 1) * unit};
    return range.end > range.first;
}

}  // namespace

QuickBinding::QuickBinding(const RunContract& contract, std::span<const std::size_t> operand_of)
    : type_(contract.type), batched_(contract.operands.size()) {
    if (contract.operands.size() > QuickCall::kMost || contract.outputs.size() > QuickCall::kMost) {
        return;
    }
    bool plain = true;
    const auto make = [&plain](const std::string& name, const auto& of, std::size_t place) {
        plain = plain && is_plain(of.rows) && is_plain(of.cols);
        return Argument{name,
                        of.rows,
                        of.cols,
                        of.batched,
                        place,
                        plain ? of.rows * of.cols - 1 : 0,
                        of.batched ? 1 : ConstView::kOneMatrix};
    };
    for (std::size_t i = 0; i < contract.operands.size(); ++i) {
        const auto at = std::find(operand_of.begin(), operand_of.end(), i);
        const std::ptrdiff_t place = at - operand_of.begin();
        operands_.push_back(
            make(contract.operand_names[i], contract.operands[i],
                 at == operand_of.end() ? QuickCall::kMost : static_cast<std::size_t>(place)));
        batched_ = contract.operands[i].batched ? std::min(batched_, i) : batched_;
    }
    for (std::size_t i = 0; i < contract.outputs.size(); ++i) {
        results_.push_back(make(contract.output_names[i], contract.outputs[i], i));
    }
    if (!plain) {
        results_.clear();
    }
}

bool QuickBinding::bind(std::span<const OperandView> operands, std::span<const ResultView> results,
                        std::span<const std::int32_t> status, QuickCall& call) const {
    if (results_.empty() || operands_.empty() || operands.size() != operands_.size() ||
        results.size() != results_.size()) {
        return false;
    }
    call.batch = batched_ < operands.size() ? operands[batched_].view.batch() : 1;
    if (!is_plain(call.batch)) {
        return false;
    }
    Range taken[2 * QuickCall::kMost + 1];
    const Common of_operands{type_, call.batch, operands[0].name.empty()};
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const ConstView& view = operands[i].view;
        if (!read<false>(operands_[i], operands[i], of_operands, taken[i])) {
            return false;
        }
        call.operands[operands_[i].place] = {view.data(), view.row_stride(), view.col_stride(),
                                             view.batch_stride()};
    }
    std::size_t count = operands.size();
    const auto status_at = reinterpret_cast<std::uintptr_t>(status.data());
    taken[count++] = {status_at, status_at + status.size_bytes()};
    const Common of_results{type_, call.batch, results[0].name.empty()};
    for (std::size_t i = 0; i < results.size(); ++i) {
        const View& view = results[i].view;
        Range own{};
        if (results[i].beta != 0 || !read<true>(results_[i], results[i], of_results, own)) {
            return false;
        }
        for (std::size_t k = 0; k < count; ++k) {
            if (own.meets(taken[k])) {
                return false;
            }
        }
        taken[count++] = own;
        call.results[i] = {view.data(), view.row_stride(), view.col_stride(), view.batch_stride()};
    }
    return status.empty() || (status.size() == static_cast<std::size_t>(call.batch) &&
                              status_at % sizeof(std::int32_t) == 0);
}

}  // namespace matgrad::detail
