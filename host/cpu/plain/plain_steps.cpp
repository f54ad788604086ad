#include "cpu/plain/plain_steps.hpp"

#include <cmath>
#include <utility>

#include "cpu/map.hpp"
#include "cpu/plain/blas.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gram.hpp"
#include "cpu/plain/lu.hpp"
#include "cpu/plain/split.hpp"
#include "cpu/plain/triangle.hpp"
#include "cpu/step_parts.hpp"

namespace matgrad::detail {
namespace {

class PlainStep {
public:
    PlainStep(const Step& step, const std::vector<View>& values, Scratch& scratch, int threads)
        : step_(step), values_(values), scratch_(scratch), threads_(threads) {}

    std::int32_t operator()(const Gemm& s) {
        const View computed = begin_result();
        const bool vector = computed.rows == 1 || computed.cols == 1;
        View result = computed;
        Use left = s.a;
        Use right = s.b;
        if (computed.cols != 1 && vector) {
            // A row is the transpose of a column: c' = b' a'.
            std::swap(left, right);
            left.transposed = !left.transposed;
            right.transposed = !right.transposed;
            result = transposed(result);
        }
        const View a = vector ? readable(left) : typed(left);
        const View b = typed(right);
        const bool adds = s.c.value != kNoValue && s.beta != 0;
        if (adds) {
            place(view(s.c), computed);
        }
        if (a.cols == 0 || s.alpha == 0) {
            // A BLAS would not look at a and b where alpha is 0: 0 * NaN is NaN all the same.
            weigh_by_zero(a, b, adds ? s.beta : 0, result);
        } else if (vector) {
            split_gemv(threads_, s.alpha, a, b, adds ? s.beta : 0, result, scratch_);
        } else {
            split_gemm(threads_, s.alpha, a, b, adds ? s.beta : 0, result, scratch_);
        }
        return end_result(computed);
    }

    std::int32_t operator()(const Syrk& s) {
        if (view(s.a).cols == 0 || s.alpha == 0) {
            const View result = begin_result();
            const View a = typed(s.a);
            weigh_by_zero(a, transposed(a), 0, result);
            return end_result(result);
        }
        const View same = view(s.a);
        if (s.mirror && same.type == step_.type && out().type == step_.type &&
            is_small_gram(same.rows, same.cols)) {
            // Entries (i, j) and (j, i) sum the same products in the same order.
            Product(s.alpha, same, transposed(same), 0, out(), scratch_).run();
            return 0;
        }
        const bool middle = is_middle_gram(out().rows);
        const View a = middle ? no_wider(s.a) : readable(s.a);
        const View result = middle && is_no_wider(out()) ? out() : begin_result();
        split_syrk(threads_, step_.type, s.alpha, a, s.mirror, result,
                   middle ? scratch_.take(gram_scratch_bytes(a.rows, a.cols)) : nullptr);
        if (s.mirror) {
            return end_result(result);
        }
        if (result.data != out().data) {
            copy_lower(result, out());
        }
        return 0;
    }

    std::int32_t operator()(const Potrf& s) {
        std::byte* work = scratch_.take(split_scratch_bytes(out().rows));
        if (out().rows <= kTriangle && is_no_wider(out())) {
            return split_potrf(threads_, step_.type, no_wider(s.a), out(), work);
        }
        const View result = begin_result();
        const View a = view(s.a);
        if (a.data != result.data) {
            copy_lower(a, result);
        }
        const std::int32_t bad = split_potrf(threads_, step_.type, result, result, work);
        if (result.data != out().data) {
            copy_lower(result, out());
        }
        return bad;
    }

    std::int32_t operator()(const Trsm& s) {
        Use stored = s.triangle;
        stored.transposed = false;
        const bool transposes = s.transposed != s.triangle.transposed;
        const View t = triangle(stored, s.side, out());
        std::byte* work = scratch_.take(split_scratch_bytes(t.rows));
        if (s.b.value != kNoValue && in_panels(s.side, out()) && t.rows <= kTriangle &&
            is_no_wider(out())) {
            split_trsm(threads_, step_.type, s.side, s.lower, transposes, false, s.alpha, t,
                       no_wider(s.b), out(), work);
            return 0;
        }
        const View result = begin_result();
        place_or_identity(s.b, result);
        solve(s.side, s.lower, transposes, false, s.alpha, t, result, work);
        return end_result(result);
    }

    std::int32_t operator()(const Getrf& s) {
        const View result = begin_result();
        const View pivots = values_[static_cast<std::size_t>(step_.out2)];
        // LAPACK factors matrices stored by columns.
        View by_columns = scratch_.matrix(step_.type, result.rows, result.cols, 1);
        std::swap(by_columns.row_stride, by_columns.col_stride);
        copy_matrix(view(s.a), by_columns);
        const std::int32_t status = factor_lu(by_columns, pivots, s.zero_pivot_fails, scratch_);
        copy_matrix(by_columns, result);
        (void)end_result(result);
        return status;
    }

    std::int32_t operator()(const Solve& s) {
        const View result = begin_result();
        place_or_identity(s.b, result);
        const View lu = triangle(s.lu, s.side, result);
        const View pivots = view(s.pivots);
        std::byte* work = scratch_.take(split_scratch_bytes(lu.rows));
        // PA = LU. From the right, b op(A)^-1 = (op(A)^-T b')': the swaps act on columns.
        const View swapped = s.side == Side::left ? result : transposed(result);
        const bool lower_first = (s.side == Side::left) != s.transposed;
        if (lower_first) {
            swap_by_pivots(pivots, swapped, false);
        }
        solve(s.side, lower_first, s.transposed, lower_first, 1, lu, result, work);
        solve(s.side, !lower_first, s.transposed, !lower_first, 1, lu, result, work);
        if (!lower_first) {
            swap_by_pivots(pivots, swapped, true);
        }
        return end_result(result);
    }

    std::int32_t operator()(const Map& s) {
        run_map(s.body, operands(s.body), step_.type, out(), scratch_, threads_);
        return 0;
    }

    std::int32_t operator()(const Reduce& s) {
        run_reduce(s, operands(s.body), step_.type, out(), scratch_, threads_);
        if (s.op == ReduceOp::signed_product && has_odd_swaps(view(s.pivots))) {
            with_type(out().type, [&](auto zero) {
                auto* value = reinterpret_cast<decltype(zero)*>(out().data);
                *value = -*value;
            });
        }
        return 0;
    }

    std::int32_t operator()(const Copy& s) {
        View from = view(s.a);
        if (from.count() == 1) {
            from.rows = out().rows;
            from.cols = out().cols;
            from.row_stride = from.col_stride = 0;
        }
        copy_matrix(from, out());
        return 0;
    }

    std::int32_t operator()(const BatchReduce&) { return 0; }  // the driver's

private:
    [[nodiscard]] View out() const { return values_[static_cast<std::size_t>(step_.out)]; }
    [[nodiscard]] View view(const Use& use) const {
        return use_of(use, values_[static_cast<std::size_t>(use.value)]);
    }

    [[nodiscard]] const View* operands(const MapBody& body) {
        return operand_views(body, scratch_, [this](const Use& use) { return view(use); });
    }

    [[nodiscard]] bool is_no_wider(const View& v) const {
        return size_of(v.type) <= size_of(step_.type);
    }
    View no_wider(const Use& use) {
        const View v = view(use);
        return is_no_wider(v) ? v : copied(v);
    }

    /// Is there work enough for whole vectors of right-hand sides?
    static bool in_panels(Side side, const View& x) {
        return (side == Side::left ? x.cols : x.rows) >= kFewSides;
    }
    /// A triangle as `solve` takes it.
    View triangle(const Use& use, Side side, const View& x) {
        const View t = view(use);
        return t.rows <= kTriangle && in_panels(side, x) ? no_wider(use) : readable(use);
    }
    /// x = alpha * op(t)^-1 x or its mirror image, in the step's type.
    void solve(Side side, bool lower, bool transposes, bool unit, double alpha, const View& t,
               const View& x, std::byte* work) {
        if (in_panels(side, x)) {
            split_trsm(threads_, step_.type, side, lower, transposes, unit, alpha, t, x, x, work);
        } else {
            blas_trsm(side, lower, transposes, unit, alpha, t, x);
        }
    }

    /// The operand in the step's type with strides a BLAS takes, copied if it must be.
    View readable(const Use& use) {
        const View v = view(use);
        if (v.type == step_.type && blas_readable(v)) {
            return v;
        }
        return copied(v);
    }

    /// In the step's type, with any strides.
    View typed(const Use& use) {
        const View v = view(use);
        return v.type == step_.type ? v : copied(v);
    }
    View copied(const View& v) {
        const View copy = scratch_.matrix(step_.type, v.rows, v.cols, 1);
        copy_matrix(v, copy);
        return copy;
    }

    /// Where the step computes: its result, or scratch where that has another type.
    View begin_result() {
        const View v = out();
        return v.type == step_.type ? v : scratch_.matrix(step_.type, v.rows, v.cols, 1);
    }
    std::int32_t end_result(const View& result) {
        if (result.data != out().data) {
            copy_matrix(result, out());
        }
        return 0;
    }

    void place(const View& from, const View& result) {
        const bool there = from.data == result.data && from.row_stride == result.row_stride &&
                           from.col_stride == result.col_stride && from.type == result.type;
        if (!there) {
            copy_matrix(from, result);
        }
    }
    void place_or_identity(const Use& b, const View& result) {
        if (b.value == kNoValue) {
            fill_identity(result);
        } else {
            place(view(b), result);
        }
    }

    void weigh_by_zero(const View& a, const View& b, double beta, const View& result) {
        with_type(step_.type, [&](auto zero) {
            using T = decltype(zero);
            for (std::int64_t r = 0; r < result.rows; ++r) {
                for (std::int64_t c = 0; c < result.cols; ++c) {
                    T sum = 0;
                    for (std::int64_t k = 0; k < a.cols; ++k) {
                        sum +=
                            *reinterpret_cast<T*>(a.at(r, k)) * *reinterpret_cast<T*>(b.at(k, c));
                    }
                    auto* value = reinterpret_cast<T*>(result.at(r, c));
                    *value = sum * T{0} + (beta == 0 ? T{0} : static_cast<T>(beta) * *value);
                }
            }
        });
    }

    const Step& step_;
    const std::vector<View>& values_;
    Scratch& scratch_;
    int threads_;
};

}  // namespace

std::int32_t run_plain_step(const Step& step, const std::vector<View>& values, Scratch& scratch,
                            int threads) {
    if (values[static_cast<std::size_t>(step.out)].count() == 0) {
        return 0;
    }
    scratch.begin_step();
    return std::visit(PlainStep(step, values, scratch, threads), step.operation);
}

}  // namespace matgrad::detail
