#include "cuda/fused/step_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cuda/kernel_source_body.hpp"
#include "program/cofactors.hpp"
#include "program/gram_limits.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu::detail {
namespace {

std::string sliced(std::string text, const Use& use) {
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

/// The whole matrices of a step.
StepParts whole_parts(const Step& step) {
    StepParts parts;
    for_each_use(step.operation,
                 [&](const Use& use) { parts.uses.push_back(fmt::format("v{}", use.value)); });
    parts.out = fmt::format("v{}", step.out);
    return parts;
}

const char* operation(ReduceOp op) {
    return op == ReduceOp::sum    ? "Sum"
           : op == ReduceOp::max  ? "Max"
           : op == ReduceOp::norm ? "JoinedNorm"
                                  : "Product";
}

class StepText {
public:
    StepText(const Program& program, const FusedConfiguration& c, const Step& step,
             const StepParts& parts)
        : program_(program),
          c_(c),
          step_(step),
          parts_(parts),
          type_(type_name(step.type)),
          out_(parts.out) {}

    std::string operator()(const Gemm& s) const {
        if (parts_.contracts) {
            const std::string one = number(1);
            return fmt::format("gemm<Team, {}>({}, {}, {}, {}, {}, {});", type_, one, view(s.a),
                               view(s.b), one, out_, out_);
        }
        const std::string added = s.beta == 0 || !is_present(s.c)
                                      ? ""
                                      : fmt::format("{}, {}, ", number(s.beta), view(s.c));
        return fmt::format("gemm<Team, {}>({}, {}, {}, {}{});", type_, number(s.alpha), view(s.a),
                           view(s.b), added, out_);
    }
    std::string operator()(const Syrk& s) const {
        if (parts_.contracts) {
            return fmt::format("syrk<Team, {}, {}, true>({}, {}, {});", type_, yes(s.mirror),
                               number(1), view(s.a), out_);
        }
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
            "{}"
            "{}}});",
            out_, places("row", "col", parts_.domain), code(s.body));
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
    std::string operator()(const Window& s) const {
        const WindowBlock block = block_of(program_, step_, s);
        const Value& out = program_.value(step_.out);
        // A side that is whole may be that of a panel.
        const auto inside = [](const char* index, std::int64_t place, std::int64_t count,
                               std::int64_t size) {
            return count == size
                       ? std::string("true")
                       : fmt::format("{0} >= {1} && {0} < {2}", index, place, place + count);
        };
        return fmt::format(
            "set_each<Team>({}, [&](int row, int col) {{ return {} && {} ? "
            "static_cast<{}>({}.get(row + {}, col + {})) : {}; }});",
            out_, inside("row", block.to_row, block.rows, out.rows.size),
            inside("col", block.to_col, block.cols, out.cols.size), type_, view(s.a), s.row, s.col,
            number(0));
    }
    std::string operator()(const BatchReduce&) const { return {}; }  // of no problem's scope

private:
    [[nodiscard]] std::string view(const Use& use) const {
        std::size_t index = 0;
        std::size_t found = 0;
        for_each_use(step_.operation, [&](const Use& other) {
            found = &other == &use ? index : found;
            ++index;
        });
        return sliced(parts_.uses[found], use);
    }

    /// Of the entry: `at` in the whole matrix, and `in` in what the step reads where that is another.
    [[nodiscard]] std::string places(const std::string& row, const std::string& col,
                                     Cut cut) const {
        if (!parts_.needs_offset || cut == Cut::whole) {
            return fmt::format("    const EntryPlace at{{{}, {}}};\n", row, col);
        }
        return fmt::format(
            "    const EntryPlace in{{{}, {}}};\n"
            "    const EntryPlace at{{in.row{}, in.col{}}};\n",
            row, col, cut == Cut::rows ? " + first" : "", cut == Cut::cols ? " + first" : "");
    }

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
        const bool is_shifted = parts_.needs_offset && parts_.domain != Cut::whole;
        const std::string in = is_shifted ? "in" : "at";
        return code_text(body, step_.type, "    ", [&](int i) {
            const MapOperand& operand = body.operands[static_cast<std::size_t>(i)];
            const std::string row =
                operand.broadcast == Broadcast::none || operand.broadcast == Broadcast::column
                    ? in + ".row"
                    : "0";
            const std::string col =
                operand.broadcast == Broadcast::none || operand.broadcast == Broadcast::row
                    ? in + ".col"
                    : "0";
            const std::string place = row + ", " + col;
            return fmt::format("static_cast<{}>({}.get({}))", type_, view(operand.use), place);
        });
    }

    /// A function of the number of an entry, or of a result and an entry of it.
    [[nodiscard]] std::string value(const Reduce& s) const {
        std::string parameters = "int i";
        std::string place;
        switch (s.over) {
            case ReduceOver::all: {
                const std::string cols =
                    parts_.domain == Cut::cols
                        ? "kPanel"
                        : std::to_string(std::max<std::int64_t>(1, s.cols.size));
                place = places("i / " + cols, "i % " + cols, parts_.domain);
                break;
            }
            case ReduceOver::diagonal:
                // The other side is there whole.
                place = parts_.domain == Cut::rows   ? places("i", "i + first", Cut::rows)
                        : parts_.domain == Cut::cols ? places("i + first", "i", Cut::cols)
                                                     : places("i", "i", Cut::whole);
                break;
            case ReduceOver::rows:
                parameters = "int i, int k";
                place = places("i", "k", parts_.domain);
                break;
            case ReduceOver::cols:
                parameters = "int i, int k";
                place = places("k", "i", parts_.domain);
                break;
        }
        return fmt::format("[&]({}) {{\n{}{}}}", parameters, place, code(s.body));
    }

    [[nodiscard]] std::string rows(const Reduce& s) const {
        return parts_.domain == Cut::rows ? "kPanel" : std::to_string(s.rows.size);
    }
    [[nodiscard]] std::string cols(const Reduce& s) const {
        return parts_.domain == Cut::cols ? "kPanel" : std::to_string(s.cols.size);
    }
    [[nodiscard]] std::string length(const Reduce& s) const {
        if (s.over == ReduceOver::diagonal) {
            return parts_.domain == Cut::whole ? std::to_string(std::min(s.rows.size, s.cols.size))
                                               : "kPanel";
        }
        return parts_.domain == Cut::whole ? std::to_string(s.rows.size * s.cols.size)
                                           : rows(s) + " * " + cols(s);
    }

    [[nodiscard]] std::string scaled(const Reduce& s, const std::string& x) const {
        return s.scale == 1 ? x : fmt::format("{} * {}", number(s.scale), x);
    }

    [[nodiscard]] std::string set_one(const Reduce& s, const std::string& x) const {
        if (parts_.contracts) {
            return fmt::format("join_one<Team, {}>({}, {});", operation(s.op), out_, x);
        }
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
        const bool is_by_rows = s.over == ReduceOver::rows;
        const std::string set =
            parts_.contracts ? fmt::format("join_number<{}>({}, i, x);", operation(s.op), out_)
                             : fmt::format("set_number({}, i, {});", out_, scaled(s, "x"));
        return fmt::format("reduce_each<Team, {}, {}, {}, {}>({}, [&](int i, {} x) {{ {} }});",
                           operation(s.op), type_, is_by_rows ? rows(s) : cols(s),
                           is_by_rows ? cols(s) : rows(s), value(s), type_, set);
    }

    const Program& program_;
    const FusedConfiguration& c_;
    const Step& step_;
    const StepParts& parts_;
    const char* type_;
    std::string out_;
};

}  // namespace

std::string step_text(const Program& program, const FusedConfiguration& configuration,
                      const Step& step) {
    return step_text(program, configuration, step, whole_parts(step));
}

std::string step_text(const Program& program, const FusedConfiguration& configuration,
                      const Step& step, const StepParts& parts) {
    return fmt::format("// {}\n{}\n", to_text(program, step),
                       std::visit(StepText(program, configuration, step, parts), step.operation));
}

std::string initial_text(const Step& step, const StepParts& parts, double initial) {
    return fmt::format("set_each<Team>({}, [](int, int) {{ return {}; }});\n", parts.out,
                       std::isinf(initial) ? fmt::format("-infinity<{}>()", type_name(step.type))
                                           : literal(initial, step.type));
}

std::string finish_text(const Step& step, const StepParts& parts) {
    const auto* gemm = std::get_if<Gemm>(&step.operation);
    const auto* syrk = std::get_if<Syrk>(&step.operation);
    const auto* reduce = std::get_if<Reduce>(&step.operation);
    const double factor = gemm != nullptr     ? gemm->alpha
                          : syrk != nullptr   ? syrk->alpha
                          : reduce != nullptr ? reduce->scale
                                              : 1;
    const bool adds = gemm != nullptr && gemm->beta != 0 && is_present(gemm->c);
    if (factor == 1 && !adds) {
        return "";
    }
    const char* const type = type_name(step.type);
    std::string value = fmt::format("{} * static_cast<{}>({}.get(row, col))",
                                    literal(factor, step.type), type, parts.out);
    if (adds) {
        value +=
            fmt::format(" + {} * static_cast<{}>({}.get(row, col))", literal(gemm->beta, step.type),
                        type, sliced(parts.uses.back(), gemm->c));
    }
    return fmt::format("set_each<Team>({}, [&](int row, int col) {{ return {}; }});\n", parts.out,
                       value);
}

}  // namespace matgrad::gpu::detail
