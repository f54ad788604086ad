#include "cpu/compact/compact_steps.hpp"

#include <algorithm>
#include <utility>

#include "cpu/compact/kernels.hpp"
#include "cpu/map.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/step_parts.hpp"

namespace matgrad::detail {
namespace {

/// The same matrix with its rows counted from the other end.
View reversed_rows(View v) {
    if (v.rows > 0) {
        v.data = v.at(v.rows - 1, 0);
        v.row_stride = -v.row_stride;
    }
    return v;
}
/// Rows and columns from the other end: a lower triangle becomes an upper one.
View reversed(const View& v) {
    return transposed(reversed_rows(transposed(reversed_rows(v))));
}

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

class CompactStep {
public:
    CompactStep(const Step& step, const std::vector<View>& values, Scratch& scratch,
                std::int32_t* status)
        : step_(step), values_(values), scratch_(scratch), status_(status) {}

    void operator()(const Gemm& s) {
        LaneGemm call;
        call.type = step_.type;
        call.alpha = s.alpha;
        call.a = view(s.a);
        call.b = view(s.b);
        call.out = out();
        if (s.c.value != kNoValue && s.beta != 0) {
            call.c = view(s.c);
            call.beta = s.beta;
        }
        if (call.a.lanes == 1 && call.b.lanes == kLanes) {
            // The kernel takes a shared operand on the right: out' = b' a'.
            std::swap(call.a, call.b);
            call.a = transposed(call.a);
            call.b = transposed(call.b);
            call.c = transposed(call.c);
            call.out = transposed(call.out);
        }
        call.a = call.a.lanes == 1 ? in_lanes(call.a) : no_wider(call.a);
        call.b = call.b.lanes == 1 ? shared_as_type(call.b) : no_wider(call.b);
        lane_gemm(call);
    }

    void operator()(const Syrk& s) {
        LaneGemm call;
        call.type = step_.type;
        call.alpha = s.alpha;
        call.a = view(s.a);
        call.a = call.a.lanes == 1 ? in_lanes(call.a) : no_wider(call.a);
        call.b = transposed(call.a);
        call.out = out();
        call.lower_only = true;
        call.mirror = s.mirror;
        lane_gemm(call);
    }

    void operator()(const Potrf& s) {
        const View result = begin_result(s.a);
        std::int32_t pivot[kLanes];
        lane_potrf(result, reciprocals(result.rows), pivot);
        note(pivot);
        end_result(result);
    }

    void operator()(const Trsm& s) {
        const bool reads_b = s.b.value != kNoValue && view(s.b).lanes == kLanes &&
                             size_of(view(s.b).type) <= size_of(step_.type);
        const View result = reads_b ? result_view() : begin_result(s.b);
        const View b = reads_b ? view(s.b) : result;
        Use stored = s.triangle;
        stored.transposed = false;
        const bool left = s.side == Side::left;
        solve_triangle(as_lanes(stored), s.lower, s.transposed != s.triangle.transposed, false,
                       s.alpha, left ? b : transposed(b), left ? result : transposed(result),
                       s.side);
        end_result(result);
    }

    void operator()(const Getrf& s) {
        const View result = begin_result(s.a);
        const View pivots = values_[static_cast<std::size_t>(step_.out2)];
        const View rows = pivots.type == step_.type
                              ? pivots
                              : scratch_.matrix(step_.type, pivots.rows, 1, kLanes);
        std::int32_t bad[kLanes];
        std::int32_t zero[kLanes];
        lane_getrf(result, rows, bad, zero);
        for (int l = 0; l < kLanes && s.zero_pivot_fails; ++l) {
            if (zero[l] != 0 && (bad[l] == 0 || zero[l] < bad[l])) {
                bad[l] = zero[l];
            }
        }
        note(bad);
        if (rows.data != pivots.data) {
            lane_convert(rows, pivots);
        }
        end_result(result);
    }

    void operator()(const Solve& s) {
        const View result = begin_result(s.b);
        const View lu = as_lanes(s.lu);
        const View pivots = as_lanes(s.pivots);
        // PA = LU. From the right, b op(A)^-1 = (op(A)^-T b')'.
        const View x = s.side == Side::left ? result : transposed(result);
        const bool lower_first = (s.side == Side::left) != s.transposed;
        if (lower_first) {
            swap_by_pivots(pivots, x, false);
        }
        solve_triangle(lu, lower_first, s.transposed, lower_first, 1, x, x, s.side);
        solve_triangle(lu, !lower_first, s.transposed, !lower_first, 1, x, x, s.side);
        if (!lower_first) {
            swap_by_pivots(pivots, x, true);
        }
        end_result(result);
    }

    void operator()(const Map& s) {
        run_map(s.body, operands(s.body), step_.type, out(), scratch_);
    }

    void operator()(const Reduce& s) {
        run_reduce(s, operands(s.body), step_.type, out(), scratch_);
        if (s.op == ReduceOp::signed_product) {
            negate_odd(view(s.pivots));
        }
    }

    void operator()(const Copy& s) {
        View from = view(s.a);
        if (from.count() == 1) {
            from.rows = out().rows;
            from.cols = out().cols;
            from.row_stride = from.col_stride = 0;
        }
        lane_convert(from, out());
    }

    void operator()(const BatchReduce&) {}  // the driver's

private:
    [[nodiscard]] View out() const { return values_[static_cast<std::size_t>(step_.out)]; }
    [[nodiscard]] View view(const Use& use) const {
        return use_of(use, values_[static_cast<std::size_t>(use.value)]);
    }

    [[nodiscard]] const View* operands(const MapBody& body) {
        return operand_views(body, scratch_, [this](const Use& use) { return view(use); });
    }

    /// A copy with kLanes lanes in the step's type.
    View in_lanes(const View& v) {
        const View copy = scratch_.matrix(step_.type, v.rows, v.cols, kLanes);
        lane_convert(v, copy);
        return copy;
    }
    View as_lanes(const Use& use) {
        const View v = view(use);
        return v.lanes == kLanes && v.type == step_.type ? v : in_lanes(v);
    }
    /// A step in double reads float as it is, not the reverse.
    View no_wider(const View& v) { return size_of(v.type) > size_of(step_.type) ? in_lanes(v) : v; }
    View shared_as_type(const View& v) {
        if (v.type == step_.type) {
            return v;
        }
        const View copy = scratch_.matrix(step_.type, v.rows, v.cols, 1);
        copy_matrix(v, copy);
        return copy;
    }

    std::byte* reciprocals(std::int64_t n) {
        return scratch_.take(n * kLanes * size_of(step_.type));
    }

    /// Where a kernel puts what it computes in the step's type.
    View result_view() {
        const View target = out();
        return target.type == step_.type
                   ? target
                   : scratch_.matrix(step_.type, target.rows, target.cols, kLanes);
    }

    /// `from` (or the identity) where an in-place kernel can work on it: in the result if that has
    /// the step's type.
    View begin_result(const Use& from) {
        const View result = result_view();
        if (from.value == kNoValue) {
            for_each_element(result, [](auto* lanes, std::int64_t r, std::int64_t c) {
                std::fill_n(lanes, kLanes,
                            static_cast<std::remove_pointer_t<decltype(lanes)>>(r == c ? 1 : 0));
            });
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
    void end_result(const View& result) {
        if (result.data != out().data) {
            lane_convert(result, out());
        }
    }

    void note(const std::int32_t* pivot) {
        for (int l = 0; l < kLanes; ++l) {
            if (status_[l] == 0) {
                status_[l] = pivot[l];
            }
        }
    }

    /// x = alpha op(T)^-1 b, or from the right on transposed b and x: B op(T)^-1 = (op(T)^-T B')'.
    void solve_triangle(View t, bool lower, bool transpose, bool unit, double alpha, View b, View x,
                        Side side) {
        if (transpose != (side == Side::right)) {
            t = transposed(t);
            lower = !lower;
        }
        if (!lower) {
            t = reversed(t);
            b = reversed_rows(b);
            x = reversed_rows(x);
        }
        lane_solve_lower(t, unit, alpha, b, x, reciprocals(x.rows));
    }

    /// Each lane has its own permutation.
    static void swap_by_pivots(const View& pivots, const View& x, bool backwards) {
        with_type(x.type, [&](auto zero) {
            using T = decltype(zero);
            for (std::int64_t i = 0; i < x.rows; ++i) {
                const std::int64_t k = backwards ? x.rows - 1 - i : i;
                const T* chosen = reinterpret_cast<const T*>(pivots.at(k, 0));
                for (int l = 0; l < kLanes; ++l) {
                    const auto other = static_cast<std::int64_t>(chosen[l]);
                    for (std::int64_t c = 0; c < x.cols && other != k; ++c) {
                        std::swap(reinterpret_cast<T*>(x.at(k, c))[l],
                                  reinterpret_cast<T*>(x.at(other, c))[l]);
                    }
                }
            }
        });
    }

    void negate_odd(const View& pivots) {
        bool odd[kLanes] = {};
        const int step = pivots.lanes == 1 ? 0 : 1;
        for_each_element(pivots, [&odd, step](const auto* chosen, std::int64_t k, std::int64_t) {
            for (int l = 0; l < kLanes; ++l) {
                odd[l] = odd[l] != (static_cast<std::int64_t>(chosen[l * step]) != k);
            }
        });
        for_each_element(out(), [&odd](auto* lanes, std::int64_t, std::int64_t) {
            for (int l = 0; l < kLanes; ++l) {
                lanes[l] = odd[l] ? -lanes[l] : lanes[l];
            }
        });
    }

    const Step& step_;
    const std::vector<View>& values_;
    Scratch& scratch_;
    std::int32_t* status_;
};

}  // namespace

void run_compact_step(const Step& step, const std::vector<View>& values, Scratch& scratch,
                      std::int32_t* status) {
    if (values[static_cast<std::size_t>(step.out)].count() == 0) {
        return;
    }
    scratch.begin_step();
    std::visit(CompactStep(step, values, scratch, status), step.operation);
}

}  // namespace matgrad::detail
