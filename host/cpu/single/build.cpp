#include "cpu/single/build.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "cpu/scratch.hpp"
#include "cpu/single/frame.hpp"
#include "cpu/single/plan.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

class PlanBuilder {
public:
    explicit PlanBuilder(const Program& program)
        : program_(program), plan_(std::make_unique<SinglePlan>()), frame_(program, *plan_) {}

    /// Null where a step has no kernel, or the frame is too small.
    std::unique_ptr<const SinglePlan> operator()(std::int32_t shape_status) {
        plan_->type = program_.type;
        plan_->shape_status = shape_status;
        for (const Step& step : program_.steps) {
            if (program_.value(step.out).count() > 0) {
                std::visit([&](const auto& operation) { add(step, operation); }, step.operation);
            }
        }
        for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
            give(i);
        }
        plan_->cleared_bytes = frame_.cleared_bytes();
        return is_possible_ && frame_.fits() ? std::move(plan_) : nullptr;
    }

private:
    SingleStep& emit(SingleKernel kernel, const Placed& out, const Placed& a = {},
                     const Placed& b = {}) {
        SingleStep& step = plan_->steps.emplace_back();
        step.run = kernel;
        step.out = out;
        step.a = a;
        step.b = b;
        return step;
    }

    /// The result of a step, in the type that it computes in.
    Placed begin(const Step& step, bool by_columns = false) {
        return frame_.result(step.out, step.type, by_columns);
    }
    Placed view(const Step& step, const Use& use) { return frame_.view(use, step.type); }

    /// out = alpha*a*b + beta*c, or the same transposed where that moves less: then the result lies by columns.
    void multiply(const Step& step, double alpha, const Placed& a, const Placed& b, double beta,
                  const Use& added) {
        const bool turned = transposed(a).has_rows() && (!b.has_rows() || b.cols == 1);
        const Placed left = turned ? transposed(b) : a;
        const Placed right = frame_.with_rows(turned ? transposed(a) : b);
        Placed c;
        if (beta != 0) {
            c = view(step, added);
            c = frame_.with_rows(turned ? transposed(c) : c);
        }
        const Placed out = begin(step, turned);
        const bool is_column = right.cols == 1 && left.has_rows() && right.row_stride == 1;
        SingleStep& s =
            emit(is_column ? single_gemv(step.type, left.cols) : single_gemm(step.type, right.cols),
                 turned ? transposed(out) : out, left, right);
        s.c = c;
        s.alpha = alpha;
        s.beta = beta;
        frame_.finish(step.out, step.type);
    }

    void add(const Step& step, const Gemm& gemm) {
        const Placed a = view(step, gemm.a);
        multiply(step, gemm.alpha, a, view(step, gemm.b), is_present(gemm.c) ? gemm.beta : 0,
                 gemm.c);
    }

    /// Both triangles: entries (i, j) and (j, i) sum the same products in the same order.
    void add(const Step& step, const Syrk& syrk) {
        const Placed a = view(step, syrk.a);
        multiply(step, syrk.alpha, a, frame_.with_rows(transposed(a)), 0, {});
    }

    void add(const Step& step, const Potrf& potrf) {
        is_possible_ = is_possible_ && !potrf.jitter;
        const Placed a = view(step, potrf.a);
        const GramCare care(program_, step, potrf);
        const Placed root = care.wanted ? view(step, potrf.root) : Placed{};
        const Placed out = begin(step);
        SingleStep& s = emit(single_potrf(step.type, a.rows), out, a, root);
        s.c = frame_.place(a.rows, 1, step.type);
        s.code = potrf.fails ? 0 : 1;
        if (care.wanted) {
            plan_->care.push_back(std::make_unique<const GramCare>(care));
            s.care = plan_->care.back().get();
        }
        frame_.keep_reciprocals(step.out, s.c);
        frame_.finish(step.out, step.type);
    }

    /// A triangle as it is read.
    struct Triangle {
        Placed view;
        bool lower, transposed;
        Placed reciprocals;  ///< without rows: the diagonal is 1
    };
    /// x = alpha*op(t)^-1*b, or from the right on transposed b and x: B*op(T)^-1 = (op(T)^-T*B')'. Rows of x lie
    /// together, or its columns from the right.
    void solve(Triangle t, Side side, double alpha, Placed b, Placed x) {
        if (t.transposed != (side == Side::right)) {
            t.view = transposed(t.view);
            t.lower = !t.lower;
        }
        if (side == Side::right) {
            b = transposed(b);
            x = transposed(x);
        }
        b = frame_.with_rows(b);
        if (!t.lower) {
            t.view = reversed(t.view);
            b = reversed_rows(b);
            x = reversed_rows(x);
            t.reciprocals = t.reciprocals.rows > 0 ? reversed_rows(t.reciprocals) : t.reciprocals;
        }
        SingleStep& s = emit(single_trsm(x.type, x.rows, x.cols), x, t.view, b);
        s.c = t.reciprocals;
        s.alpha = alpha;
    }
    Placed reciprocals_of(const Placed& triangle) {
        const Placed c = frame_.place(triangle.rows, 1, triangle.type);
        emit(single_reciprocals(triangle.type), {}, triangle).c = c;
        return c;
    }
    Placed right_side(const Step& step, const Use& b, const Placed& shape) {
        if (is_present(b)) {
            return view(step, b);
        }
        const Placed identity = frame_.place(shape.rows, shape.cols, step.type);
        emit(single_positions(step.type), identity).code =
            static_cast<std::int32_t>(MapOp::is_diagonal);
        return identity;
    }

    void add(const Step& step, const Trsm& trsm) {
        Use stored = trsm.triangle;
        stored.transposed = false;
        const Placed t = view(step, stored);
        const std::optional<Placed> known =
            is_whole(stored) ? frame_.reciprocals(stored.value, step.type) : std::nullopt;
        const Placed x = begin(step, trsm.side == Side::right);
        const Placed b = right_side(step, trsm.b, x);
        solve({t, trsm.lower, trsm.transposed != trsm.triangle.transposed,
               known ? *known : reciprocals_of(t)},
              trsm.side, trsm.alpha, b, x);
        frame_.finish(step.out, step.type);
    }

    void add(const Step& step, const Getrf& getrf) {
        const Placed a = view(step, getrf.a);
        const Placed out = begin(step);
        SingleStep& s = emit(single_getrf(step.type), out, a);
        s.c = frame_.result(step.out2, step.type, false);
        s.code = !getrf.fails ? 0 : getrf.zero_pivot_fails ? 2 : 1;
        frame_.finish(step.out, step.type);
        frame_.finish(step.out2, step.type);
    }

    void swap_rows(const Placed& x, const Placed& pivots, bool backwards) {
        SingleStep& s = emit(single_swap(x.type), x);
        s.c = pivots;
        s.code = backwards ? 1 : 0;
    }

    /// PA = LU. From the right, b op(A)^-1 = (op(A)^-T b')': the swaps act on columns.
    void add(const Step& step, const Solve& solve_step) {
        const Placed lu = view(step, solve_step.lu);
        const Placed pivots = view(step, solve_step.pivots);
        const bool right = solve_step.side == Side::right;
        const Placed x = begin(step, right);
        const Placed b = right_side(step, solve_step.b, x);
        emit(single_copy(b.type, x.type), x, b);
        const Placed swapped = right ? transposed(x) : x;
        const bool lower_first = right == solve_step.transposed;
        if (lower_first) {
            swap_rows(swapped, pivots, false);
        }
        const Placed reciprocals = reciprocals_of(lu);
        for (const bool lower : {lower_first, !lower_first}) {
            solve({lu, lower, solve_step.transposed, lower ? Placed{} : reciprocals},
                  solve_step.side, 1, x, x);
        }
        if (!lower_first) {
            swap_rows(swapped, pivots, true);
        }
        frame_.finish(step.out, step.type);
    }

    /// Over a domain, or over the diagonal of one as a row.
    struct Domain {
        std::int32_t rows, cols;
        bool diagonal = false;
    };
    /// Of an operand; with strides of 0 where it is spread.
    Placed in_domain(const Step& step, const MapOperand& operand, const Domain& domain) {
        Placed m = view(step, operand.use);
        const Broadcast spread = operand.broadcast;
        const bool one_row = spread == Broadcast::scalar || spread == Broadcast::row;
        const bool one_col = spread == Broadcast::scalar || spread == Broadcast::column;
        m.row_stride = one_row ? 0 : m.row_stride;
        m.col_stride = one_col ? 0 : m.col_stride;
        if (domain.diagonal) {
            m.col_stride += m.row_stride;
        }
        m.rows = domain.rows;
        m.cols = domain.cols;
        return m;
    }

    /// Instruction i of an expression, by row in whole vectors.
    Placed evaluate(const Step& step, const MapBody& body, const Domain& domain, std::size_t i,
                    const std::vector<Placed>& registers, const std::optional<Placed>& target) {
        const MapInstruction& instruction = body.code[i];
        if (instruction.op == MapOp::load) {
            return in_domain(step, body.operands[static_cast<std::size_t>(instruction.a)], domain);
        }
        const Placed out =
            target ? *target : frame_.place(domain.rows, domain.cols, step.type, true);
        const bool is_index =
            instruction.op == MapOp::row_index || instruction.op == MapOp::col_index;
        if (instruction.op == MapOp::constant ||
            (is_position(instruction.op) && domain.diagonal && !is_index)) {
            emit(single_fill(step.type), out).alpha =
                instruction.op == MapOp::constant ? instruction.number : 1;
            return out;
        }
        if (is_position(instruction.op)) {
            const MapOp op = domain.diagonal ? MapOp::col_index : instruction.op;
            emit(single_positions(step.type), out).code = static_cast<std::int32_t>(op);
            return out;
        }
        is_possible_ = is_possible_ && instruction.op != MapOp::perturb;
        const auto read = [&](int at) {
            return frame_.as_strip(registers[static_cast<std::size_t>(at)]);
        };
        const Placed a = read(instruction.a);
        const Placed b = reads_b(instruction.op) ? read(instruction.b) : a;
        SingleStep& s = emit(single_map(step.type), out, a, b);
        s.code = static_cast<std::int32_t>(instruction.op);
        s.alpha = instruction.number;
        return out;
    }

    /// All registers of the first `count` instructions; the last may be computed in `target`.
    std::vector<Placed> evaluate(const Step& step, const MapBody& body, const Domain& domain,
                                 std::size_t count, const std::optional<Placed>& target = {}) {
        std::vector<Placed> registers;
        for (std::size_t i = 0; i < count; ++i) {
            registers.push_back(evaluate(step, body, domain, i, registers,
                                         i + 1 == count ? target : std::optional<Placed>{}));
        }
        return registers;
    }

    void add(const Step& step, const Map& map) {
        const Placed out = begin(step);
        const Placed last =
            evaluate(step, map.body, {out.rows, out.cols}, map.body.code.size(), out).back();
        if (last.at != out.at) {
            emit(single_copy(step.type, step.type), out, last);
        }
        frame_.finish(step.out, step.type);
    }

    /// The sum of logarithms, if the reduction is that: of the diagonal of a factor mostly.
    bool add_log_sum(const Step& step, const Reduce& reduce, const Domain& domain) {
        const std::vector<MapInstruction>& code = reduce.body.code;
        if (reduce.op != ReduceOp::sum || code.size() != 2 || code[0].op != MapOp::load ||
            code[1].op != MapOp::log) {
            return false;
        }
        const Placed a = evaluate(step, reduce.body, domain, 1).back();
        const Placed out = begin(step);
        emit(single_log_sum(step.type), out, a).alpha = reduce.scale;
        return true;
    }

    /// The sum of all entries, or of those of a product, if the reduction is that.
    bool add_sum(const Step& step, const Reduce& reduce, const Domain& domain) {
        const MapInstruction& last = reduce.body.code.back();
        const bool is_square = last.op == MapOp::pow && last.number == 2;
        const bool is_dot = last.op == MapOp::mul || is_square;
        if (reduce.op != ReduceOp::sum) {
            return false;
        }
        const std::vector<Placed> registers =
            evaluate(step, reduce.body, domain, reduce.body.code.size() - (is_dot ? 1 : 0));
        Placed a = is_dot ? registers[static_cast<std::size_t>(last.a)] : registers.back();
        Placed b = is_dot && !is_square ? registers[static_cast<std::size_t>(last.b)] : a;
        if (transposed(a).has_rows() && transposed(b).has_rows()) {
            a = transposed(a);  // the order does not matter
            b = transposed(b);
        }
        const bool same = a.at == b.at && a.row_stride == b.row_stride;
        a = frame_.with_rows(a);
        b = same ? a : frame_.with_rows(b);
        const Placed out = begin(step);
        emit(is_dot ? single_dot(step.type, a.cols) : single_sum(step.type, a.cols), out, a, b)
            .alpha = reduce.scale;
        return true;
    }

    void add(const Step& step, const Reduce& reduce) {
        const auto rows = static_cast<std::int32_t>(reduce.rows.size);
        const auto cols = static_cast<std::int32_t>(reduce.cols.size);
        is_possible_ = is_possible_ && rows <= kMostSingleOrder && cols <= kMostSingleOrder;
        if (!is_possible_) {
            return;
        }
        const bool diagonal = reduce.over == ReduceOver::diagonal;
        const Domain domain = diagonal ? Domain{1, std::min(rows, cols), true} : Domain{rows, cols};
        const bool to_one = diagonal || reduce.over == ReduceOver::all;
        const bool is_sum =
            to_one && (add_log_sum(step, reduce, domain) || add_sum(step, reduce, domain));
        if (!is_sum) {
            const Placed values =
                evaluate(step, reduce.body, domain, reduce.body.code.size()).back();
            const Placed out = begin(step);
            const Placed column = out.rows == 1 ? transposed(out) : out;
            const bool is_signed = reduce.op == ReduceOp::signed_product;
            const Placed pivots = is_signed ? view(step, reduce.pivots) : Placed{};
            SingleStep& s = emit(single_reduce(step.type), column,
                                 reduce.over == ReduceOver::cols ? transposed(values) : values);
            s.code = static_cast<std::int32_t>(reduce.op);
            s.alpha = reduce.scale;
            s.c = pivots;
        }
        frame_.finish(step.out, step.type);
    }

    void add(const Step& /*step*/, const BatchReduce& /*sum*/) { is_possible_ = false; }

    void add(const Step& step, const Copy& copy) {
        Placed from = frame_.view(copy.a, program_.value(copy.a.value).type);
        const Placed out = frame_.result(step.out, program_.value(step.out).type, false);
        if (from.rows == 1 && from.cols == 1) {
            from.row_stride = from.col_stride = 0;
        }
        emit(single_copy(from.type, out.type), out, from);
    }

    void add(const Step& step, const Window& window) {
        const WindowBlock taken = block_of(program_, step, window);
        const Value& value = program_.value(step.out);
        const auto block_in = [&taken](const Placed& all, std::int64_t row, std::int64_t col) {
            return block(all, static_cast<std::int32_t>(row), static_cast<std::int32_t>(col),
                         static_cast<std::int32_t>(taken.rows),
                         static_cast<std::int32_t>(taken.cols));
        };
        const Placed from = frame_.view(window.a, program_.value(window.a.value).type);
        const Placed out = frame_.result(step.out, value.type, false);
        if (taken.rows != value.rows.size || taken.cols != value.cols.size) {
            emit(single_fill(out.type), out).alpha = 0;
        }
        emit(single_copy(from.type, out.type), block_in(out, taken.to_row, taken.to_col),
             block_in(from, taken.from_row, taken.from_col));
    }

    void give(std::size_t i) {
        const ProgramOutput& output = program_.outputs[i];
        if (program_.value(output.value).count() == 0) {
            return;
        }
        const Placed value = frame_.view({output.value}, program_.value(output.value).type);
        const bool batched = is_per_problem(program_, output);
        plan_->results.push_back({single_unpack(value.type, program_.type), i,
                                  batched ? size_of(program_.type) : 0,
                                  output.transposed ? transposed(value) : value});
    }

    const Program& program_;
    std::unique_ptr<SinglePlan> plan_;
    SingleFrame frame_;
    bool is_possible_ = true;
};

}  // namespace

std::unique_ptr<const SinglePlan> build_single_plan(const Program& program,
                                                    std::int32_t shape_status) {
    return PlanBuilder(program)(shape_status);
}

}  // namespace matgrad::detail
