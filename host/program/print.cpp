#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include "program/cost.hpp"
#include "program/program.hpp"
#include "program/uses.hpp"

namespace matgrad {
namespace {

/// The names of results: G (syrk), L (Cholesky), LU, p (pivots) and t.
constexpr std::array<std::string_view, 5> kStems = {"G", "L", "LU", "p", "t"};
constexpr std::size_t kPivots = 3;
constexpr std::size_t kOther = 4;

std::size_t stem_of(const Operation& op) {
    if (std::holds_alternative<Syrk>(op)) {
        return 0;
    }
    if (std::holds_alternative<Potrf>(op)) {
        return 1;
    }
    return std::holds_alternative<Getrf>(op) ? 2 : kOther;
}

/// What values are called: operands keep their names, results are numbered where there are several.
///
/// Cost   one pass over the steps, without a text for any value but those asked for.
class Names {
public:
    explicit Names(const Program& program) : program_(program), labels_(program.values.size()) {
        std::array<std::vector<int>, kStems.size()> taken;  // numbers by operands, 1 the bare stem
        for (const ProgramOperand& o : program.operands) {
            for (std::size_t stem = 0; stem < kStems.size(); ++stem) {
                taken[stem].push_back(number_of(o.name, kStems[stem], stem == kOther));
            }
        }
        std::array<int, kStems.size()> last{};
        const auto choose = [&](ValueId value, std::size_t stem) {
            int& number = last[stem];
            do {
                ++number;
            } while (std::find(taken[stem].begin(), taken[stem].end(), number) !=
                     taken[stem].end());
            labels_[static_cast<std::size_t>(value)] = {stem, number};
        };
        for (const Step& s : program.steps) {
            choose(s.out, stem_of(s.operation));
            if (s.out2 != kNoValue) {
                choose(s.out2, kPivots);
            }
        }
    }

    [[nodiscard]] std::string of(ValueId value) const {
        const int operand = program_.value(value).operand;
        if (operand >= 0) {
            return program_.operands[static_cast<std::size_t>(operand)].name;
        }
        const auto [stem, number] = labels_[static_cast<std::size_t>(value)];
        std::string name(kStems[stem]);
        return number == 1 && stem != kOther ? name : name + std::to_string(number);
    }

private:
    /// The number that a name of this stem has: t1 is 1, and so is L; 0 if it is no such name.
    static int number_of(const std::string& name, std::string_view stem, bool numbered_from_1) {
        if (name.compare(0, stem.size(), stem) != 0) {
            return 0;
        }
        const std::string digits = name.substr(stem.size());
        if (digits.empty()) {
            return numbered_from_1 ? 0 : 1;
        }
        int number = 0;
        const auto [end, code] =
            std::from_chars(digits.data(), digits.data() + digits.size(), number);
        const bool written_so = code == std::errc() && end == digits.data() + digits.size() &&
                                std::to_string(number) == digits;
        return written_so && (number > 1 || numbered_from_1) ? number : 0;
    }

    struct Label {
        std::size_t stem = kOther;
        int number = 0;
    };
    const Program& program_;
    std::vector<Label> labels_;
};

std::string number_text(double x) {
    return fmt::format("{:.6g}", x);
}

/// 1234567 as `1,234,567`.
std::string grouped(double x) {
    std::string digits = fmt::format("{:.0f}", x);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

struct Printer {
    const Program& program;
    const Names& names;

    [[nodiscard]] std::string text(const Use& u) const {
        std::string s = names.of(u.value);
        if (!is_whole(u)) {
            s += fmt::format("[{},{}]", u.row < 0 ? ":" : std::to_string(u.row),
                             u.col < 0 ? ":" : std::to_string(u.col));
        }
        return s + (u.transposed ? "'" : "");
    }

    [[nodiscard]] std::string text(const MapBody& body) const {
        std::vector<std::string> r;
        for (const MapInstruction& c : body.code) {
            r.push_back(instruction(body, c, r));
        }
        return r.empty() ? "0" : r.back();
    }

    [[nodiscard]] std::string instruction(const MapBody& body, const MapInstruction& c,
                                          const std::vector<std::string>& r) const {
        const auto a = [&] { return r[static_cast<std::size_t>(c.a)]; };
        const auto b = [&] { return r[static_cast<std::size_t>(c.b)]; };
        switch (c.op) {
            case MapOp::load:
                return text(body.operands[static_cast<std::size_t>(c.a)].use);
            case MapOp::constant:
                return number_text(c.number);
            case MapOp::is_diagonal:
                return "eye";
            case MapOp::is_lower:
                return "lower";
            case MapOp::is_upper:
                return "upper";
            case MapOp::row_index:
                return "row";
            case MapOp::col_index:
                return "col";
            case MapOp::add:
                return "(" + a() + " + " + b() + ")";
            case MapOp::sub:
                return "(" + a() + " - " + b() + ")";
            case MapOp::mul:
                return a() + " .* " + b();
            case MapOp::div:
                return a() + " ./ (" + b() + ")";
            case MapOp::scale:
                return number_text(c.number) + "*" + a();
            case MapOp::offset:
                return "(" + number_text(c.number) + " + " + a() + ")";
            case MapOp::pow:
                return "(" + a() + ").^" + number_text(c.number);
            case MapOp::perturb:
                return "perturbed(" + a() + ")";
#define MATGRAD_ROW(name, arity, ...) \
    case MapOp::name:                 \
        return #name "(" + a() + (arity == 2 ? ", " + b() : "") + ")";
                MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
        }
        return {};
    }

    [[nodiscard]] static std::string factor(double alpha) {
        return alpha == 1 ? std::string() : number_text(alpha) + "*";
    }

    std::string operator()(const Gemm& g) const {
        std::string s = factor(g.alpha) + "gemm(" + text(g.a) + ", " + text(g.b) + ")";
        if (is_present(g.c) && g.beta != 0) {
            s += (g.beta < 0 ? " - " : " + ") + factor(std::abs(g.beta)) + text(g.c);
        }
        return s;
    }
    std::string operator()(const Syrk& s) const {
        return factor(s.alpha) + "syrk(" + text(s.a) + ", " + text(transposed(s.a)) + ")";
    }
    std::string operator()(const Potrf& p) const {
        return "potrf(" + text(p.a) + (is_present(p.root) ? ", " + text(p.root) : "") + ")";
    }
    std::string operator()(const Trsm& t) const {
        const std::string inverse = "inv(" + text(t.triangle) + (t.transposed ? "')" : ")");
        const std::string b = is_present(t.b) ? text(t.b) : std::string("eye");
        return factor(t.alpha) + "trsm(" +
               (t.side == Side::left ? inverse + ", " + b : b + ", " + inverse) + ")";
    }
    std::string operator()(const Getrf& g) const {
        return "getrf(" + text(g.a) + ")";
    }
    std::string operator()(const Solve& s) const {
        const std::string inverse = "inv(" + text(s.lu) + (s.transposed ? "')" : ")");
        const std::string b = is_present(s.b) ? text(s.b) : std::string("eye");
        return "solve(" + (s.side == Side::left ? inverse + ", " + b : b + ", " + inverse) + ")";
    }
    std::string operator()(const Map& m) const {
        return "map " + text(m.body);
    }
    std::string operator()(const Reduce& r) const {
        const char* const over = r.over == ReduceOver::all    ? ""
                                 : r.over == ReduceOver::rows ? " of each row"
                                 : r.over == ReduceOver::cols ? " of each column"
                                                              : " over the diagonal";
        const char* const name = r.op == ReduceOp::sum       ? "sum"
                                 : r.op == ReduceOp::max     ? "max"
                                 : r.op == ReduceOp::product ? "product"
                                 : r.op == ReduceOp::norm    ? "norm"
                                                             : "signed product";
        return factor(r.scale) + name + over + " " + text(r.body);
    }
    std::string operator()(const BatchReduce& b) const {
        return "batch_reduce " + text(b.a);
    }
    std::string operator()(const Copy& c) const {
        return "copy " + text(c.a);
    }
    std::string operator()(const Window& w) const {
        return fmt::format("window {} from ({}, {})", text(w.a), w.row, w.col);
    }
};

const char* scope_text(Scope scope) {
    switch (scope) {
        case Scope::shared:
            return "once";
        case Scope::problem:
            return "per problem";
        case Scope::reduced:
            return "over batch";
    }
    return "";
}

const char* type_text(ScalarType type) {
    return type == ScalarType::float32 ? "f32" : "f64";
}

const char* fold_text(Fold fold) {
    return fold == Fold::none ? "" : " [summed]";
}

std::string step_text(const Program& program, const Names& names, const Step& step) {
    std::string left = names.of(step.out);
    if (step.out2 != kNoValue) {
        left += ", " + names.of(step.out2);
    }
    return left + " = " + std::visit(Printer{program, names}, step.operation);
}

std::string shape_text(const Value& v) {
    const auto side = [](const Extent& e) {
        return e.name.empty() || std::isdigit(static_cast<unsigned char>(e.name[0]))
                   ? std::to_string(e.size)
                   : fmt::format("{}={}", e.name, e.size);
    };
    return side(v.rows) + " x " + side(v.cols);
}

std::string output_line(const Program& program, const Names& names, const ProgramOutput& o) {
    const Value& v = program.value(o.value);
    const char* const kind = o.kind == OutputKind::value      ? "value"
                             : o.kind == OutputKind::gradient ? "gradient"
                                                              : "hvp";
    const char* const form = o.repeated ? ", the same for every problem" : "";
    const char* const mean = !o.mean                     ? ""
                             : v.scope == Scope::reduced ? ", a mean"
                                                         : ", divided by the problems that succeed";
    return fmt::format("  {}{}{} <- {}{}   {}{}{}   {}\n", kind, o.name.empty() ? "" : " ", o.name,
                       names.of(o.value), o.transposed ? "'" : "", scope_text(v.scope), form, mean,
                       v.text);
}

}  // namespace

std::string to_text(const Program& program, const Step& step) {
    return step_text(program, Names(program), step);
}

std::string to_text(const Program& program) {
    const Names names(program);
    std::string text = "operands\n";
    for (const ProgramOperand& o : program.operands) {
        const Value& v = program.value(o.value);
        text += fmt::format("  {}   {}   {}   {}\n", o.name, shape_text(v), type_text(v.type),
                            o.batched ? "batched" : "shared");
    }
    const bool is_counted = std::any_of(program.steps.begin(), program.steps.end(),
                                        [](const Step& s) { return s.bytes > 0; });
    std::size_t width = 0;
    for (const Step& s : program.steps) {
        width = std::max(width, step_text(program, names, s).size());
    }
    width = std::min<std::size_t>(width, 60);
    text += "steps\n";
    for (const Step& s : program.steps) {
        const Value& v = program.value(s.out);
        text += fmt::format("  {:<{}}   {:<11}   {} {}   ", step_text(program, names, s), width,
                            scope_text(s.scope), type_text(s.type), shape_text(v));
        if (is_counted) {
            text += fmt::format("{} op   {} B   ", grouped(s.operations), grouped(s.bytes));
        }
        text +=
            fmt::format("{}{}{}{}\n", v.text, s.why.empty() ? "" : ": ", s.why, fold_text(s.fold));
    }
    text += "results\n";
    for (const ProgramOutput& o : program.outputs) {
        text += output_line(program, names, o);
    }
    if (!is_counted && !program.steps.empty()) {
        return text;  // before its costs are counted
    }
    const OperationCount count = count_operations(program);
    text += fmt::format("totals for a batch of {}\n", program.batch);
    text +=
        fmt::format("  {} op in matrix steps, {} op entrywise, {} B moved\n", grouped(count.matrix),
                    grouped(count.entrywise), grouped(total_bytes(program)));
    text += fmt::format("  workspace {} B shared, {} B per problem\n",
                        grouped(static_cast<double>(program.shared_bytes)),
                        grouped(static_cast<double>(program.problem_bytes)));
    text += fmt::format("  predicted {:.3g} s on one core: arithmetic or traffic, the larger\n",
                        predicted_seconds(program));
    return text;
}

}  // namespace matgrad
