#pragma once
/// \file One run of a step on a tile of the compact layout: its views, and copies where a kernel needs
/// them.

#include <algorithm>

#include "cpu/compact/kernels.hpp"
#include "cpu/pivot_status.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/steps/step_views.hpp"

namespace matgrad::detail {

/// Calls function(pointer to the lanes of entry (r, c), r, c).
template <typename Function>
void for_each_element(const View& v, Function function) {
    with_type(v.type, [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t r = 0; r < v.rows; ++r) {
            for (std::int64_t c = 0; c < v.cols; ++c) {
                function(reinterpret_cast<T*>(v.at(r, c)), r, c);
            }
        }
    });
}

class LaneViews : public StepViews {
public:
    using StepViews::StepViews;

    /// A copy with kLanes lanes in the step's type.
    [[nodiscard]] View in_lanes(const View& v) const {
        const View copy = scratch().matrix(step_.type, v.rows, v.cols, kLanes);
        lane_convert(v, copy);
        return copy;
    }
    /// What is rarely read.
    [[nodiscard]] View late_view(const Use& use) const {
        return run_.late == nullptr ? view(use) : use_of(use, run_.late->brought(use.value));
    }
    /// Bytes from one group to the next.
    [[nodiscard]] std::int64_t group_bytes(ValueId id) const {
        const View& v = run_.values[id];
        return v.lanes == kLanes ? v.count() * v.element_bytes() : 0;
    }
    [[nodiscard]] View as_lanes(const Use& use) const {
        const View v = view(use);
        return v.lanes == kLanes && v.type == step_.type ? v : in_lanes(v);
    }
    /// A step in double reads float as it is, not the reverse.
    [[nodiscard]] View no_wider(const View& v) const {
        return size_of(v.type) > size_of(step_.type) ? in_lanes(v) : v;
    }
    [[nodiscard]] View shared_as_type(const View& v) const {
        if (v.type == step_.type) {
            return v;
        }
        const View copy = scratch().matrix(step_.type, v.rows, v.cols, 1);
        copy_matrix(v, copy);
        return copy;
    }
    [[nodiscard]] std::byte* reciprocals(std::int64_t n) const {
        return scratch().take(n * kLanes * size_of(step_.type));
    }

    static void fill_identity(const View& v) {
        for_each_element(v, [](auto* lanes, std::int64_t r, std::int64_t c) {
            std::fill_n(lanes, kLanes,
                        static_cast<std::remove_pointer_t<decltype(lanes)>>(r == c ? 1 : 0));
        });
    }

    /// Where a kernel puts what it computes in the step's type.
    [[nodiscard]] View result_view() const {
        const View target = out();
        return target.type == step_.type
                   ? target
                   : scratch().matrix(step_.type, target.rows, target.cols, kLanes);
    }
    /// `from` (or the identity) where an in-place kernel can work on it: in the result if that has the
    /// step's type.
    [[nodiscard]] View begin_result(const Use& from) const {
        const View result = result_view();
        if (from.value == kNoValue) {
            fill_identity(result);
            return result;
        }
        const View v = view(from);
        const bool there = v.data == result.data && v.type == result.type &&
                           v.row_stride == result.row_stride && v.col_stride == result.col_stride;
        if (!there) {
            lane_convert(v, result);
        }
        return result;
    }
    void end_result(const View& result) const {
        if (result.data != out().data) {
            lane_convert(result, out());
        }
    }

    /// The first bad pivot of a lane counts.
    void note(const std::int32_t* status) const {
        for (int l = 0; l < kLanes; ++l) {
            run_.status[l] = merged_status(run_.status[l], status[l]);
        }
    }
};

}  // namespace matgrad::detail
