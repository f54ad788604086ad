#include <algorithm>

#include "program/gram_limits.hpp"
#include "program/region_parts.hpp"

namespace matgrad::detail {
namespace {

/// Builds the indices of one step.
class Reader {
public:
    Reader(const Program& program, const Step& step) : program_(program), step_(step) {}

    void operator()(const Gemm& g) {
        const int i = index(rows_of(program_, g.a));
        const int j = index(cols_of(program_, g.b));
        const int k = index(cols_of(program_, g.a));
        read(g.a, i, k);
        read(g.b, k, j);
        if (is_present(g.c)) {
            found_.c = found_.uses.size();
            read(g.c, i, j);
        }
        found_.out = {i, j};
    }
    void operator()(const Syrk& s) {
        const int n = index(rows_of(program_, s.a), true);
        read(s.a, n, index(cols_of(program_, s.a)));
        found_.out = {n, n};
    }
    void operator()(const Potrf& p) {
        const int n = index(rows_of(program_, p.a), true);
        read(p.a, n, n);
        if (is_with_care(program_, step_, p)) {
            found_.root = p.root;
        }
        found_.out = {n, n};
    }
    void operator()(const Getrf& g) {
        const int n = index(rows_of(program_, g.a), true);
        read(g.a, n, n);
        found_.out = {n, n};
    }
    void operator()(const Trsm& t) {
        const int n = index(rows_of(program_, t.triangle), true);
        read(t.triangle, n, n);
        solve_for(t.side, t.b, n);
    }
    void operator()(const Solve& s) {
        const int n = index(rows_of(program_, s.lu), true);
        read(s.lu, n, n);
        read(s.pivots, n, kNone);
        solve_for(s.side, s.b, n);
    }
    void operator()(const Map& m) {
        const Value& out = program_.value(step_.out);
        found_.out = {index(out.rows), index(out.cols)};
        read(m.body, found_.out.rows, found_.out.cols);
    }
    void operator()(const Reduce& r) {
        const bool by_pivots = r.op == ReduceOp::signed_product;
        const int i = index(r.rows, by_pivots);
        const int j = index(r.cols, by_pivots);
        read(r.body, i, j);
        if (is_present(r.pivots)) {
            read(r.pivots, i, kNone);
        }
        found_.domain = {i, j};
        if (r.over == ReduceOver::rows) {
            found_.out.rows = i;
        } else if (r.over == ReduceOver::cols) {
            found_.out.cols = j;
        }
        found_.knows_place = found_.knows_place || r.over == ReduceOver::diagonal;
    }
    void operator()(const Copy& c) {
        const Value& out = program_.value(step_.out);
        found_.out = {index(out.rows), index(out.cols)};
        const bool spreads = rows_of(program_, c.a).size == 1 && cols_of(program_, c.a).size == 1;
        read(c.a, spreads ? kNone : found_.out.rows, spreads ? kNone : found_.out.cols);
    }
    /// A side that is moved is seen whole.
    void operator()(const Window& w) {
        const Value& out = program_.value(step_.out);
        const bool moves_rows = w.row != 0 || rows_of(program_, w.a).size != out.rows.size;
        const bool moves_cols = w.col != 0 || cols_of(program_, w.a).size != out.cols.size;
        found_.out = {index(out.rows, moves_rows), index(out.cols, moves_cols)};
        read(w.a, moves_rows ? kNone : found_.out.rows, moves_cols ? kNone : found_.out.cols);
    }
    void operator()(const BatchReduce&) {}

    [[nodiscard]] StepIndices take() { return std::move(found_); }

private:
    /// Sides of 1 have no index: nothing is cut along them.
    int index(const Extent& extent, bool blocked = false) {
        if (extent.size <= 1) {
            return kNone;
        }
        found_.indices.push_back({extent, blocked});
        return static_cast<int>(found_.indices.size()) - 1;
    }

    /// A use that shows rows by the index i and columns by j.
    void read(const Use& use, int i, int j) {
        Sides sides = use.transposed ? Sides{j, i} : Sides{i, j};
        sides.rows = use.row >= 0 ? kNone : sides.rows;
        sides.cols = use.col >= 0 ? kNone : sides.cols;
        found_.reads.push_back(use);
        found_.uses.push_back(sides);
    }
    void read(const MapBody& body, int i, int j) {
        for (const MapOperand& o : body.operands) {
            const bool by_row = o.broadcast == Broadcast::none || o.broadcast == Broadcast::column;
            const bool by_col = o.broadcast == Broadcast::none || o.broadcast == Broadcast::row;
            read(o.use, by_row ? i : kNone, by_col ? j : kNone);
        }
        found_.knows_place = std::any_of(body.code.begin(), body.code.end(),
                                         [](const MapInstruction& c) { return knows_place(c.op); });
    }
    void solve_for(Side side, const Use& b, int n) {
        if (!is_present(b)) {
            found_.out = {n, n};
            return;
        }
        found_.out = side == Side::left ? Sides{n, index(cols_of(program_, b))}
                                        : Sides{index(rows_of(program_, b)), n};
        read(b, found_.out.rows, found_.out.cols);
    }

    const Program& program_;
    const Step& step_;
    StepIndices found_;
};

}  // namespace

StepIndices indices_of(const Program& program, const Step& step) {
    Reader reader(program, step);
    std::visit(reader, step.operation);
    return reader.take();
}

}  // namespace matgrad::detail
