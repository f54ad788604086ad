#pragma once
/// \file One run of a step on ordinary matrices: its views, and copies where a kernel needs them.

#include "cpu/pivot_status.hpp"
#include "cpu/plain/blas.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/steps/step_views.hpp"

namespace matgrad::detail {

class PlainViews : public StepViews {
public:
    using StepViews::StepViews;

    [[nodiscard]] bool is_no_wider(const View& v) const {
        return size_of(v.type) <= size_of(step_.type);
    }
    [[nodiscard]] View no_wider(const Use& use) const {
        const View v = view(use);
        return is_no_wider(v) ? v : copied(v);
    }
    /// In the step's type with strides a BLAS takes.
    [[nodiscard]] View readable(const Use& use) const {
        const View v = view(use);
        return v.type == step_.type && blas_readable(v) ? v : copied(v);
    }
    /// In the step's type, with any strides.
    [[nodiscard]] View typed(const Use& use) const {
        const View v = view(use);
        return v.type == step_.type ? v : copied(v);
    }

    /// Where the step computes: its result, or scratch where that has another type.
    [[nodiscard]] View begin_result() const {
        const View v = out();
        return v.type == step_.type ? v : scratch().matrix(step_.type, v.rows, v.cols, 1);
    }
    void end_result(const View& result) const {
        if (result.data != out().data) {
            copy_matrix(result, out());
        }
    }

    /// result = from, unless it is there already.
    static void place(const View& from, const View& result) {
        const bool there = from.data == result.data && from.row_stride == result.row_stride &&
                           from.col_stride == result.col_stride && from.type == result.type;
        if (!there) {
            copy_matrix(from, result);
        }
    }
    /// The same for problems that follow each other: `step` bytes from one matrix to the next, results
    /// without a gap.
    static void place_each(View from, std::int64_t step, View results, std::int64_t problems) {
        for (std::int64_t p = 0; p < problems; ++p) {
            place(from, results);
            from.data += step;
            results.data += results.count() * size_of(results.type);
        }
    }
    void place_or_identity(const Use& b, const View& result) const {
        if (b.value == kNoValue) {
            fill_identity(result);
        } else {
            place(view(b), result);
        }
    }

    /// The first bad pivot of a problem counts.
    void note(std::int32_t status) const { run_.status[0] = merged_status(run_.status[0], status); }

private:
    [[nodiscard]] View copied(const View& v) const {
        const View copy = scratch().matrix(step_.type, v.rows, v.cols, 1);
        copy_matrix(v, copy);
        return copy;
    }
};

}  // namespace matgrad::detail
