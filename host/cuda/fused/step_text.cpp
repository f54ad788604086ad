#include "cuda/fused/step_text.hpp"

#include <fmt/format.h>

#include "cuda/kernel_source_body.hpp"
#include "program/cofactors.hpp"
#include "program/gram_limits.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu::detail {
namespace {

std::string view(const Use& use) {
    std::string text = fmt::format("v{}", use.value);
    if (use.row >= 0) {
        text += fmt::format(".row({})", use.row);
    }
    if (use.col >= 0) {
        text += fmt::format(".col({})", use.col);
    }
    return use.transposed ? text + ".t()" : text;
}

const char* yes(bool value) {
    return value ? "true" : "false";
}

class StepText {
public:
    StepText(const Program& program, const FusedConfiguration& c, const Step& step)
        : program_(program),
          c_(c),
          step_(step),
          type_(type_name(step.type)),
          out_(fmt::format("v{}", step.out)) {}

    std::string operator()(const Gemm& s) const {
        const std::string added = s.beta == 0 || !is_present(s.c)
                                      ? ""
                                      : fmt::format("{}, {}, ", number(s.beta), view(s.c));
        return fmt::format("gemm<Team, {}>({}, {}, {}, {}{});", type_, number(s.alpha), view(s.a),
                           view(s.b), added, out_);
    }
    std::string operator()(const Syrk& s) const {
        return fmt::format("syrk<Team, {}, {}>({}, {}, {});", type_, yes(s.mirror), number(s.alpha),
                           view(s.a), out_);
    }
    std::string operator()(const Potrf& s) const {
        const std::int64_t n = program_.value(step_.out).rows.size;
        const std::int64_t rank = is_present(s.root) ? rows_of(program_, s.root).size : n;
        std::string call = fmt::format("potrf<Team, {}>({}, {})", type_, view(s.a), out_);
        call = rank < n ? fmt::format("singular_by_shape({}, {})", call, rank)
                        : fmt::format("{}<Team>({}, {})",
                                      s.fails ? "cholesky_status" : "lose_failed", call, out_);
        if (matgrad::detail::is_with_care(program_, step_, s)) {
            call = with_care(s, call);
        }
        return s.fails ? fmt::format("status = next_status(status, {});", call) : call + ";";
    }
    std::string operator()(const Trsm& s) const {
        const char* const name = is_present(s.b) ? "trsm" : "trsm_identity";
        const std::string b = is_present(s.b) ? view(s.b) + ", " : "";
        return fmt::format("{}<Team, {}, {}, {}, {}>({}, {}, {}{});", name, type_,
                           yes(s.side == Side::left), yes(s.lower), yes(s.transposed),
                           number(s.alpha), view(s.triangle), b, out_);
    }
    std::string operator()(const Getrf& s) const {
        const bool zero_fails =
            s.zero_pivot_fails || matgrad::detail::feeds_cofactors(program_, step_);
        const std::string call = fmt::format("getrf<Team, {}, {}>({}, {}, v{})", type_,
                                             yes(zero_fails), view(s.a), out_, step_.out2);
        return s.fails ? fmt::format("status = next_status(status, lu_status<Team>({}, {}));", call,
                                     out_)
                       : call + ";";
    }
    std::string operator()(const Solve& s) const {
        if (!is_present(s.b)) {
            return fmt::format("lu_inverse<Team, {}, {}>({}, {}, {});", type_, yes(s.transposed),
                               view(s.lu), view(s.pivots), out_);
        }
        return fmt::format("lu_solve<Team, {}, {}, {}>({}, {}, {}, {});", type_,
                           yes(s.side == Side::left), yes(s.transposed), view(s.lu), view(s.pivots),
                           view(s.b), out_);
    }
    std::string operator()(const Map& s) const {
        return fmt::format(
            "set_each<Team>({}, [&](int row, int col) {{\n"
            "    const EntryPlace at{{row, col}};\n"
            "{}}});",
            out_, code(s.body));
    }
    std::string operator()(const Reduce& s) const {
        return s.op == ReduceOp::signed_product                           ? signed_product(s)
               : s.op == ReduceOp::norm                                   ? norm(s)
               : s.over == ReduceOver::rows || s.over == ReduceOver::cols ? each(s)
                                                                          : all(s);
    }
    std::string operator()(const Copy& s) const {
        const bool is_scalar = rows_of(program_, s.a).size * cols_of(program_, s.a).size == 1;
        return fmt::format(
            "set_each<Team>({}, [&](int row, int col) {{ return static_cast<{}>({}.get({})); }});",
            out_, type_, view(s.a), is_scalar ? "0, 0" : "row, col");
    }
    std::string operator()(const BatchReduce&) const { return {}; }  // of no problem's scope

private:
    /// The factor's condition is looked at, and a better one is made where that can be.
    [[nodiscard]] std::string with_care(const Potrf& s, const std::string& call) const {
        const matgrad::detail::GramLimits limits(program_.type);
        std::string better = "NoBetter{}";
        if (limits.far > 0) {
            better = fmt::format(
                "[&] {{\n{}    return factor_again<Team>({}, {}, {}, gram, panel);\n}}",
                scratch(rows_of(program_, s.root).size), number(s.root_scale), view(s.root), out_);
        }
        return fmt::format("with_care<Team>({}, {}, ConditionLimits{{{}, {}, {}}}, {})", call, out_,
                           number(limits.bound), number(limits.estimate), number(limits.far),
                           better);
    }

    /// Declares `gram` and `panel`.
    [[nodiscard]] std::string scratch(std::int64_t root_rows) const {
        const std::int64_t n = program_.value(step_.out).rows.size;
        const std::int64_t rows = second_factor_rows(root_rows);
        if (c_.threads == 1) {
            return fmt::format(
                "    double own_gram[{0}];\n"
                "    double own_panel[{1}];\n"
                "    const Own<double, {2}, {2}> gram{{own_gram}};\n"
                "    const Own<double, {3}, {2}> panel{{own_panel}};\n",
                n * n, rows * n, n, rows);
        }
        const std::int64_t line = chip_line(n, n);
        const std::int64_t offset = c_.places[static_cast<std::size_t>(step_.out)].scratch;
        return fmt::format(
            "    const Tile<double, {0}, {0}, {1}> gram{{reinterpret_cast<double*>(own + "
            "{2})}};\n"
            "    const Tile<double, {3}, {0}, {1}> panel{{reinterpret_cast<double*>(own + "
            "{4})}};\n",
            n, line, offset, rows, offset + n * line * 8);
    }

    [[nodiscard]] std::string number(double x) const { return literal(x, step_.type); }

    /// The instructions of a body, with `at` the place.
    [[nodiscard]] std::string code(const MapBody& body) const {
        return code_text(body, step_.type, "    ", [&](int i) {
            const MapOperand& operand = body.operands[static_cast<std::size_t>(i)];
            const char* const place = operand.broadcast == Broadcast::none     ? "at.row, at.col"
                                      : operand.broadcast == Broadcast::scalar ? "0, 0"
                                      : operand.broadcast == Broadcast::column ? "at.row, 0"
                                                                               : "0, at.col";
            return fmt::format("static_cast<{}>({}.get({}))", type_, view(operand.use), place);
        });
    }

    /// A function of the number of an entry, or of a result and an entry of it.
    [[nodiscard]] std::string value(const Reduce& s) const {
        const std::int64_t cols = std::max<std::int64_t>(1, s.cols.size);
        std::string parameters = "int i";
        std::string place;
        switch (s.over) {
            case ReduceOver::all:
                place = fmt::format("i / {0}, i % {0}", cols);
                break;
            case ReduceOver::diagonal:
                place = "i, i";
                break;
            case ReduceOver::rows:
                parameters = "int i, int k";
                place = "i, k";
                break;
            case ReduceOver::cols:
                parameters = "int i, int k";
                place = "k, i";
                break;
        }
        return fmt::format("[&]({}) {{\n    const EntryPlace at{{{}}};\n{}}}", parameters, place,
                           code(s.body));
    }

    [[nodiscard]] std::int64_t length(const Reduce& s) const {
        return s.over == ReduceOver::diagonal ? std::min(s.rows.size, s.cols.size)
                                              : s.rows.size * s.cols.size;
    }

    [[nodiscard]] std::string scaled(const Reduce& s, const std::string& x) const {
        return s.scale == 1 ? x : fmt::format("{} * {}", number(s.scale), x);
    }

    static const char* operation(ReduceOp op) {
        return op == ReduceOp::sum ? "Sum" : op == ReduceOp::max ? "Max" : "Product";
    }

    [[nodiscard]] std::string set_one(const Reduce& s, const std::string& x) const {
        return fmt::format("set_one<Team>({}, {});", out_, scaled(s, x));
    }

    [[nodiscard]] std::string all(const Reduce& s) const {
        return set_one(s, fmt::format("reduce_all<Team, {}, {}, {}>({})", operation(s.op), type_,
                                      length(s), value(s)));
    }
    [[nodiscard]] std::string norm(const Reduce& s) const {
        return set_one(s, fmt::format("norm_of_all<Team, {}, {}>({})", type_, length(s), value(s)));
    }
    [[nodiscard]] std::string signed_product(const Reduce& s) const {
        return set_one(
            s,
            fmt::format("sign_of_swaps<Team, {1}>({0}) * reduce_all<Team, Product, {1}, {2}>({3})",
                        view(s.pivots), type_, length(s), value(s)));
    }
    [[nodiscard]] std::string each(const Reduce& s) const {
        const bool rows = s.over == ReduceOver::rows;
        return fmt::format(
            "reduce_each<Team, {}, {}, {}, {}>({}, [&](int i, {} x) {{ set_number({}, i, {}); }});",
            operation(s.op), type_, rows ? s.rows.size : s.cols.size,
            rows ? s.cols.size : s.rows.size, value(s), type_, out_, scaled(s, "x"));
    }

    const Program& program_;
    const FusedConfiguration& c_;
    const Step& step_;
    const char* type_;
    std::string out_;
};

}  // namespace

std::string step_text(const Program& program, const FusedConfiguration& configuration,
                      const Step& step) {
    return fmt::format("// {}\n{}\n", to_text(program, step),
                       std::visit(StepText(program, configuration, step), step.operation));
}

}  // namespace matgrad::gpu::detail
