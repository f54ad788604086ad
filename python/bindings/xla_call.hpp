#pragma once
/// \file The buffers of a custom call of XLA as operands and results of a Computation. Needs XLA's headers.

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "computation.hpp"
#include "xla/ffi/api/ffi.h"

namespace matgrad::python::xla_call {

namespace ffi = xla::ffi;

/// What the attribute `layout` says of one operand of the Computation; the first entry of the attribute is the number
/// of group axes.
///
/// A call computes one batch for each index of its group axes, which come first. An operand has those group
/// axes that its mask has bits of, then the batch axes or none, then its matrix. An operand on which no result
/// depends may be absent: it then has a size, but no buffer, and each of its entries is read as one number, which
/// in host memory is NaN.
struct OperandLayout {
    static constexpr std::size_t kFields = 4;
    std::int64_t mask;  ///< -1: absent
    std::int64_t rows;  ///< of an absent operand, as are the next two
    std::int64_t cols;
    std::int64_t batched;
};

/// An operand or a result in memory, row-major.
struct Memory {
    void* data = nullptr;
    ScalarType type = ScalarType::float64;
    std::span<const std::int64_t> group_axes;
    std::span<const std::int64_t> batch_axes;
    std::int64_t mask = -1;  ///< -1: absent
    std::int64_t rows = 1;
    std::int64_t cols = 1;

    [[nodiscard]] std::int64_t problems() const {
        std::int64_t count = 1;
        for (const std::int64_t axis : batch_axes) {
            count *= axis;
        }
        return count;
    }
    [[nodiscard]] std::int64_t entries() const { return problems() * rows * cols; }
    [[nodiscard]] std::uintptr_t bytes() const {
        std::int64_t count = entries();
        for (const std::int64_t axis : group_axes) {
            count *= axis;
        }
        return static_cast<std::uintptr_t>(count) * (type == ScalarType::float32 ? 4 : 8);
    }
};

[[nodiscard]] inline Memory memory_of(const ffi::AnyBuffer& buffer, int rank, std::int64_t mask) {
    Memory memory;
    memory.data = buffer.untyped_data();
    memory.mask = mask;
    const ffi::DataType type = buffer.element_type();
    if (type != ffi::DataType::F32 && type != ffi::DataType::F64) {
        throw OperandError("found a buffer of another type, expected float32 or float64");
    }
    memory.type = type == ffi::DataType::F32 ? ScalarType::float32 : ScalarType::float64;
    const std::span<const std::int64_t> axes(buffer.dimensions().begin(),
                                             buffer.dimensions().size());
    const auto groups = static_cast<std::size_t>(std::popcount(static_cast<std::uint64_t>(mask)));
    const auto matrix = static_cast<std::size_t>(rank);
    if (axes.size() < groups + matrix) {
        throw OperandError("found a buffer of " + std::to_string(axes.size()) +
                           " axes, expected at least " + std::to_string(groups + matrix));
    }
    memory.group_axes = axes.first(groups);
    memory.batch_axes = axes.subspan(groups, axes.size() - groups - matrix);
    memory.rows = rank >= 1 ? axes[axes.size() - matrix] : 1;
    memory.cols = rank >= 2 ? axes.back() : 1;
    return memory;
}

/// The index of a group, counted up with the last axis fastest.
class GroupIndex {
public:
    explicit GroupIndex(std::span<const std::int64_t> axes) : axes_(axes), at_(axes.size(), 0) {}

    /// How many matrices lie before that of this group in a buffer that has the axes of `mask`.
    [[nodiscard]] std::int64_t offset(std::int64_t mask) const {
        std::int64_t offset = 0;
        for (std::size_t k = 0; k < axes_.size(); ++k) {
            if (((mask >> k) & 1) != 0) {
                offset = offset * axes_[k] + at_[k];
            }
        }
        return offset;
    }
    /// False after the last.
    bool advance() {
        for (std::size_t k = axes_.size(); k-- > 0;) {
            if (++at_[k] < axes_[k]) {
                return true;
            }
            at_[k] = 0;
        }
        return false;
    }

private:
    std::span<const std::int64_t> axes_;
    std::vector<std::int64_t> at_;
};

/// The buffers of a custom call as those of a Computation.
class Call {
public:
    Call(std::string_view key, std::span<const std::int64_t> layout,
         const ffi::RemainingArgs& operands, const ffi::RemainingRets& results)
        : computation_(Computation::of(std::string(key))) {
        const std::vector<Declaration>& declared = computation_->operands();
        if (layout.size() != 1 + declared.size() * OperandLayout::kFields) {
            throw OperandError("attribute 'layout': found " + std::to_string(layout.size()) +
                               " entries for " + std::to_string(declared.size()) + " operands");
        }
        operands_.reserve(declared.size());
        std::size_t next = 0;
        for (std::size_t i = 0; i < declared.size(); ++i) {
            const std::span<const std::int64_t> fields =
                layout.subspan(1 + i * OperandLayout::kFields, OperandLayout::kFields);
            const OperandLayout said{fields[0], fields[1], fields[2], fields[3]};
            if (said.mask < 0) {
                sizes_.push_back({said.rows, said.cols, said.batched != 0});
                operands_.emplace_back();
                continue;
            }
            const auto buffer = operands.get<ffi::AnyBuffer>(next++);
            if (!buffer) {
                throw OperandError("operand '" + declared[i].name + "' has no buffer");
            }
            const Memory& memory =
                operands_.emplace_back(memory_of(*buffer, rank_of(declared[i].shape), said.mask));
            sizes_.push_back({memory.rows, memory.cols, !memory.batch_axes.empty()});
            if (!memory.batch_axes.empty()) {
                problems_ = memory.problems();
            }
            type_ = memory.type;
            note(memory);
        }
        if (operands.size() != next || results.size() != computation_->outputs().size()) {
            throw OperandError("found " + std::to_string(operands.size()) + " operands and " +
                               std::to_string(results.size()) + " results, expected " +
                               std::to_string(next) + " and " +
                               std::to_string(computation_->outputs().size()));
        }
        const std::int64_t every_group = (std::int64_t{1} << layout.front()) - 1;
        for (std::size_t i = 0; i < computation_->outputs().size(); ++i) {
            auto buffer = results.get<ffi::AnyBuffer>(i);
            if (!buffer) {
                throw OperandError("result '" + computation_->outputs()[i].text +
                                   "' has no buffer");
            }
            results_.push_back(memory_of(**buffer, computation_->rank_of_output(i), every_group));
            note(results_.back());
        }
    }

    /// Asks for large pages where large results lie, as NumPy does for its own: XLA takes new memory for them at
    /// each call, whose first writing otherwise costs as much as many a function does. A hint; Linux alone.
    void prefer_large_pages() const {
#ifdef MADV_HUGEPAGE
        constexpr std::uintptr_t kLarge = std::uintptr_t{4} << 20;
        constexpr std::uintptr_t kPage = 4096;
        for (const Memory& result : results_) {
            const auto begin = reinterpret_cast<std::uintptr_t>(result.data);
            const std::uintptr_t bytes = result.bytes();
            if (bytes >= kLarge) {
                const std::uintptr_t first = (begin + kPage - 1) / kPage * kPage;
                const std::uintptr_t last = (begin + bytes) / kPage * kPage;
                (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
            }
        }
#endif
    }

    [[nodiscard]] std::shared_ptr<const PlannedCall> plan(Device device) const {
        return computation_->plan(sizes_, problems_, type_, device);
    }

    /// Gives `run` the operands and results of each group.
    template <typename Run>
    void for_each_group(const PlannedCall& planned, Run&& run) const {
        const std::span<const std::int64_t> axes = results_.front().group_axes;
        for (const std::int64_t axis : axes) {
            if (axis == 0) {
                return;
            }
        }
        GroupIndex group(axes);
        std::vector<OperandView> in;
        std::vector<ResultView> out;
        do {
            in.clear();
            out.clear();
            for (const std::size_t at : planned.operands) {
                in.emplace_back(computation_->operands()[at].name,
                                operand_view(at, planned.plan.device(), group));
            }
            for (const std::size_t at : planned.outputs) {
                out.emplace_back(computation_->outputs()[at].text, view(results_[at], group));
            }
            run(in, out);
        } while (group.advance());
    }

private:
    void note(const Memory& memory) {
        if (some_address_ == nullptr && memory.entries() > 0) {
            some_address_ = memory.data;
        }
    }

    [[nodiscard]] View view(const Memory& memory, const GroupIndex& group) const {
        const std::int64_t bytes = memory.type == ScalarType::float32 ? 4 : 8;
        auto* data = static_cast<char*>(memory.data);
        // XLA may give an empty buffer no address; a view has to have one.
        data = data == nullptr ? static_cast<char*>(some_address_)
                               : data + group.offset(memory.mask) * memory.entries() * bytes;
        const View view(data, memory.type, memory.rows, memory.cols, memory.cols, 1);
        return memory.batch_axes.empty() ? view : view.batched(memory.problems());
    }

    [[nodiscard]] ConstView operand_view(std::size_t at, Device device,
                                         const GroupIndex& group) const {
        if (operands_[at].mask >= 0) {
            return ConstView(view(operands_[at], group));
        }
        static constexpr double kNothing64 = std::numeric_limits<double>::quiet_NaN();
        static constexpr float kNothing32 = std::numeric_limits<float>::quiet_NaN();
        const void* entry = type_ == ScalarType::float64 ? static_cast<const void*>(&kNothing64)
                                                         : static_cast<const void*>(&kNothing32);
        const OperandSize& size = sizes_[at];
        const ConstView view(device.kind == DeviceKind::cpu ? entry : some_address_, type_,
                             size.rows, size.cols, 0, 0);
        return size.batched ? view.batched(problems_, 0) : view;
    }

    std::shared_ptr<const Computation> computation_;
    std::vector<Memory> operands_;
    std::vector<Memory> results_;
    std::vector<OperandSize> sizes_;
    std::int64_t problems_ = 1;
    ScalarType type_ = ScalarType::float64;
    void* some_address_ = nullptr;
};

}  // namespace matgrad::python::xla_call
