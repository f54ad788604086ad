#include <algorithm>
#include <cstdint>

#include "program/uses.hpp"
#include "program/verify_parts.hpp"

namespace matgrad {
namespace {

struct Size {
    std::int64_t rows, cols;
    bool operator==(const Size&) const = default;
    [[nodiscard]] std::string text() const { return fmt::format("{}-by-{}", rows, cols); }
};

/// One step; an overload for each kind.
class Shapes {
public:
    Shapes(const Program& program, const Step& step, Faults& faults)
        : program_(program), step_(step), faults_(faults) {}

    void operator()(const Gemm& s) const {
        expect("b", size(s.b), {size(s.a).cols, size(s.b).cols});
        expect_out({size(s.a).rows, size(s.b).cols});
        if (is_present(s.c)) {
            expect("c", size(s.c), out());
        }
    }
    void operator()(const Syrk& s) const { expect_out({size(s.a).rows, size(s.a).rows}); }
    void operator()(const Potrf& s) const {
        expect_square("a", s.a);
        expect_out(size(s.a));
        if (s.a.transposed) {
            complain("reads its lower triangle transposed");
        }
        if (is_present(s.root)) {
            expect("the root", size(s.root), {size(s.root).rows, size(s.a).cols});
        }
    }
    void operator()(const Trsm& s) const {
        expect_square("the triangle", s.triangle);
        solve(s.side, size(s.triangle).rows, s.b);
        if (s.triangle.transposed) {
            complain("says by a use that its triangle is transposed, and has a field for it");
        }
    }
    void operator()(const Getrf& s) const {
        expect_square("a", s.a);
        expect_out(size(s.a));
        expect("the second result", value_size(step_.out2), {size(s.a).rows, 1});
    }
    void operator()(const Solve& s) const {
        expect_square("the factors", s.lu);
        expect("pivots", size(s.pivots), {size(s.lu).rows, 1});
        solve(s.side, size(s.lu).rows, s.b);
    }
    void operator()(const Map& s) const { body(s.body, out()); }
    void operator()(const Reduce& s) const {
        const Size domain{s.rows.size, s.cols.size};
        body(s.body, domain);
        expect_out({s.over == ReduceOver::rows ? domain.rows : 1,
                    s.over == ReduceOver::cols ? domain.cols : 1});
        if (s.op == ReduceOp::norm && s.over != ReduceOver::all) {
            complain("is a norm of parts: expected one over all entries");
        }
        const bool is_signed = s.op == ReduceOp::signed_product;
        if (is_signed != is_present(s.pivots)) {
            complain(is_signed ? "has no pivots" : "has pivots and no use for them");
        } else if (is_signed) {
            expect("pivots", size(s.pivots), {domain.rows, 1});
        }
    }
    void operator()(const BatchReduce& s) const { expect_out(size(s.a)); }
    void operator()(const Copy& s) const {
        if (size(s.a) != Size{1, 1}) {  // which is spread
            expect_out(size(s.a));
        }
    }
    void operator()(const Window& s) const { (void)size(s.a); }

private:
    [[nodiscard]] Size value_size(ValueId id) const {
        const Value& value = program_.value(id);
        return {value.rows.size, value.cols.size};
    }
    [[nodiscard]] Size size(const Use& use) const {
        if (!is_present(use)) {
            complain("lacks a use that it needs");
            return {-1, -1};
        }
        return {rows_of(program_, use).size, cols_of(program_, use).size};
    }
    [[nodiscard]] Size out() const { return value_size(step_.out); }

    void complain(const std::string& what) const {
        faults_.add("{} {}", faults_.name_of(step_), what);
    }
    void expect(const std::string& what, const Size& found, const Size& expected) const {
        if (found != expected) {
            complain(fmt::format("has {} of {}: expected {}", what, found.text(), expected.text()));
        }
    }
    void expect_out(const Size& expected) const { expect("a result", out(), expected); }
    void expect_square(const std::string& what, const Use& use) const {
        expect(what, size(use), {size(use).rows, size(use).rows});
    }
    void solve(Side side, std::int64_t order, const Use& b) const {
        if (!is_present(b)) {
            return expect_out({order, order});
        }
        expect_out(size(b));
        const std::int64_t found = side == Side::left ? size(b).rows : size(b).cols;
        if (found != order) {
            complain(
                fmt::format("has a b of {} beside a matrix of order {}", size(b).text(), order));
        }
    }

    void body(const MapBody& body, const Size& domain) const {
        for (const MapOperand& operand : body.operands) {
            const bool by_column =
                operand.broadcast == Broadcast::none || operand.broadcast == Broadcast::row;
            const bool by_row =
                operand.broadcast == Broadcast::none || operand.broadcast == Broadcast::column;
            expect("an operand", size(operand.use),
                   {by_row ? domain.rows : 1, by_column ? domain.cols : 1});
        }
        if (body.code.empty()) {
            complain("has an expression without instructions");
        }
        const auto operands = static_cast<int>(body.operands.size());
        for (std::size_t i = 0; i < body.code.size(); ++i) {
            const MapInstruction& c = body.code[i];
            const bool loads = c.op == MapOp::load;
            const int end = loads ? operands : static_cast<int>(i);
            const bool lacks = ((loads || reads_a(c.op)) && c.a < 0) || (reads_b(c.op) && c.b < 0);
            if (lacks || c.a >= end || (!loads && c.b >= end)) {
                complain(fmt::format("has an instruction {} that reads what is not there", i));
            }
        }
        if (body.operands.size() > kMaxBodyOperands || body.code.size() > kMaxBodyCode) {
            complain(fmt::format("has {} operands and {} instructions: expected at most {} and {}",
                                 body.operands.size(), body.code.size(), kMaxBodyOperands,
                                 kMaxBodyCode));
        }
    }

    const Program& program_;
    const Step& step_;
    Faults& faults_;
};

/// Of a syrk that does not mirror, the upper triangle holds nothing: only a Cholesky may read it.
void check_triangles(const Program& program, Faults& faults) {
    std::vector<bool> is_half(program.values.size(), false);
    for (const Step& step : program.steps) {
        const auto* syrk = std::get_if<Syrk>(&step.operation);
        is_half[static_cast<std::size_t>(step.out)] = syrk != nullptr && !syrk->mirror;
    }
    for (const Step& step : program.steps) {
        for_each_use(step.operation, [&](const Use& use) {
            if (is_half[static_cast<std::size_t>(use.value)] &&
                !std::holds_alternative<Potrf>(step.operation)) {
                faults.add("{} reads all of value {}, of which the lower triangle is written",
                           faults.name_of(step), use.value);
            }
        });
    }
    for (const ProgramOutput& output : program.outputs) {
        if (is_half[static_cast<std::size_t>(output.value)]) {
            faults.add("an output is value {}, of which the lower triangle is written",
                       output.value);
        }
    }
}

}  // namespace

void check_shapes(const Program& program, Faults& faults) {
    for (const Step& step : program.steps) {
        std::visit(Shapes(program, step, faults), step.operation);
    }
    check_triangles(program, faults);
}

}  // namespace matgrad
