#include "cuda/fused/panel_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cuda/fused/panel_plan.hpp"
#include "cuda/fused/source.hpp"
#include "cuda/fused/step_text.hpp"
#include "cuda/kernel_source_body.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

using detail::type_name;

/// Of which passes all lie in one scope of the text, and each panel in one of its own.
class Text {
public:
    Text(const Program& program, const FusedDescription& what, const FusedConfiguration& c)
        : program_(program), what_(with_stored(what, c)), c_(c), plan_(*c.panels) {}

    std::string operator()() {
        text_ = fmt::format(
            "MATGRAD_KERNEL(fused_#, FusedArgs<{}>, {}) {{\n"
            "    using Team = BlockTeam<{}>;\n"
            "    MATGRAD_BLOCK_MEMORY(memory, {});\n",
            fused_matrices(what_), c_.block(), c_.threads, c_.block_bytes());
        if (std::any_of(plan_.actions.begin(), plan_.actions.end(),
                        [](const PanelAction& action) { return action.scratch >= 0; })) {
            text_ += "    unsigned char* const own = memory;\n";
        }
        indent_ = "    ";
        declare(-1);
        load_staged();
        text_ +=
            "    for (long long problem = block_index(); problem < args.launch.batch;\n"
            "         problem += args.at_once) {\n"
            "        int status = first_status(args, problem);\n";
        std::size_t done = 0;
        for (int p = 0; p < static_cast<int>(plan_.regions.passes.size()); ++p) {
            add_pass(p, done);
        }
        text_ +=
            "        store_status<Team>(args, problem, status);\n"
            "        Team::sync();\n"
            "    }\n"
            "}\n";
        return text_;
    }

private:
    void line(const std::string& text) {
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            text_ += indent_ + text.substr(begin, end - begin) + "\n";
            begin = end + 1;
        }
    }

    [[nodiscard]] const PanelBuffer& buffer(int i) const {
        return plan_.buffers[static_cast<std::size_t>(i)];
    }
    [[nodiscard]] const Pass& pass_of(int p) const {
        return plan_.regions.passes[static_cast<std::size_t>(p)];
    }

    /// `v3` is whole, `p3` rows of a panel, `q3` columns of one.
    static std::string name(ValueId id, Cut cut) {
        return fmt::format("{}{}", cut == Cut::whole ? 'v' : cut == Cut::rows ? 'p' : 'q', id);
    }

    [[nodiscard]] std::string declaration(const PanelBuffer& b) const {
        const Value& v = program_.value(b.value);
        const auto side = [&](Cut cut, std::int64_t size) {
            return b.cut == cut ? std::string("kPanel") : std::to_string(size);
        };
        return fmt::format(
            "const Tile<{0}, {1}, {2}, {3}> {4}{{reinterpret_cast<{0}*>(memory + {5})}};{6}",
            b.place.is_int ? "int" : type_name(b.place.type), side(Cut::rows, v.rows.size),
            side(Cut::cols, v.cols.size), b.place.line, name(b.value, b.cut), b.place.offset,
            v.text.empty() ? "" : "  // " + v.text);
    }
    /// The whole matrices of a pass, or of all (-1).
    void declare(int pass) {
        for (const PanelBuffer& b : plan_.buffers) {
            if (b.pass == pass && b.cut == Cut::whole && b.first >= 0) {
                line(declaration(b));
            }
        }
    }
    void declare_panels(int pass) {
        for (const PanelBuffer& b : plan_.buffers) {
            if (b.pass == pass && b.cut != Cut::whole && b.first >= 0) {
                line(declaration(b));
            }
        }
    }

    /// Among the arguments.
    [[nodiscard]] std::size_t matrix_of(ValueId id) const {
        std::size_t number = 0;
        for (const std::vector<ValueId>* ids : {&what_.shared_inputs, &what_.inputs}) {
            for (const ValueId other : *ids) {
                if (other == id) {
                    return number;
                }
                ++number;
            }
        }
        number += what_.results.size();
        return number +
               static_cast<std::size_t>(std::find(what_.kept.begin(), what_.kept.end(), id) -
                                        what_.kept.begin());
    }
    [[nodiscard]] std::string panel_of(std::size_t matrix, ScalarType type, Cut cut) const {
        const std::string text = fmt::format("args.matrices[{}]", matrix);
        return cut == Cut::whole
                   ? text
                   : fmt::format("from_{}<{}>({}, first)", cut == Cut::rows ? "row" : "col",
                                 type_name(type), text);
    }

    [[nodiscard]] std::string load_text(ValueId id, Cut cut, const std::string& problem) const {
        const Value& v = program_.value(id);
        if (is_pivots(what_, id)) {
            return fmt::format("load_pivots<Team>(args.matrices[{}], {});", matrix_of(id),
                               name(id, cut));
        }
        return fmt::format("load_matrix<Team, {}>({}, {}, {});", type_name(v.type),
                           panel_of(matrix_of(id), v.type, cut),
                           v.scope == Scope::problem ? problem : "0", name(id, cut));
    }
    void load_staged() {
        bool is_any = false;
        for (const PanelBuffer& b : plan_.buffers) {
            if (b.place.is_staged) {
                line(load_text(b.value, Cut::whole, "0"));
                is_any = true;
            }
        }
        if (is_any) {
            line("barrier();");
        }
    }

    void add_pass(int p, std::size_t& done) {
        const Pass& pass = pass_of(p);
        indent_ = "        ";
        line(pass.dimension.size == 0
                 ? fmt::format("{{  // pass {}", p + 1)
                 : fmt::format("{{  // pass {} over {} = {}: {} panel{} of {}", p + 1,
                               pass.dimension.name, pass.dimension.size, pass.panels(),
                               pass.panels() == 1 ? "" : "s", pass.panel));
        indent_ += "    ";
        declare(p);
        for (; done < plan_.actions.size() && plan_.actions[done].pass == p; ++done) {
            add_action(plan_.actions[done]);
        }
        indent_ = "        ";
        line("}");
    }

    void add_action(const PanelAction& action) {
        const Pass& pass = pass_of(action.pass);
        if (action.kind == ActionKind::begin_panels) {
            line(fmt::format("for_each_panel<{}, {}>([&](auto size, [[maybe_unused]] int first) {{",
                             pass.dimension.size, std::min(pass.panel, pass.dimension.size)));
            indent_ += "    ";
            line("constexpr int kPanel = decltype(size)::kValue;");
            declare_panels(action.pass);
            sync();
            return;
        }
        if (action.kind == ActionKind::end_panels) {
            indent_.resize(indent_.size() - 4);
            line("});");
            sync();
            return;
        }
        const std::string text = text_of(action);
        if (!text.empty()) {
            wait_for(action);
            line(text);
        }
    }

    [[nodiscard]] std::string text_of(const PanelAction& action) const {
        if (action.kind == ActionKind::load) {
            return load_text(action.value, action.cut, "problem");
        }
        if (action.kind == ActionKind::store) {
            return store_text(action);
        }
        const Step& step = program_.steps[static_cast<std::size_t>(action.step)];
        const detail::StepParts parts = parts_of(action, step);
        switch (action.kind) {
            case ActionKind::initial: {
                const auto& sums = pass_of(action.pass).contractions;
                const auto sum = std::find_if(sums.begin(), sums.end(),
                                              [&](const auto& c) { return c.step == action.step; });
                return detail::initial_text(step, parts, sum->initial);
            }
            case ActionKind::finish:
                return detail::finish_text(step, parts);
            default:
                return detail::step_text(program_, c_, step, parts);
        }
    }

    /// A matrix as the panel sees it: of one that is whole, some rows or columns.
    [[nodiscard]] std::string part(int index, Cut cut) const {
        const PanelBuffer& b = buffer(index);
        const std::string text = name(b.value, b.cut);
        return b.cut != Cut::whole || cut == Cut::whole
                   ? text
                   : fmt::format("{}.{}<kPanel>(first)", text, cut == Cut::rows ? "rows" : "cols");
    }

    [[nodiscard]] detail::StepParts parts_of(const PanelAction& action, const Step& step) const {
        detail::StepParts parts;
        const PanelStep* const one =
            action.panel_step < 0
                ? nullptr
                : &pass_of(action.pass).steps[static_cast<std::size_t>(action.panel_step)];
        std::size_t u = 0;
        for_each_use(step.operation, [&](const Use& use) {
            const int from = u < action.reads.size() ? action.reads[u] : -1;
            const Cut cut = one != nullptr ? one->uses[u] : Cut::whole;
            parts.uses.push_back(from >= 0 ? part(from, cut) : remote(use));
            ++u;
        });
        parts.out = part(action.out, one != nullptr ? one->out : Cut::whole);
        if (one != nullptr) {
            parts.domain = one->domain;
            parts.contracts = one->contracts;
            parts.needs_offset = one->needs_offset;
        }
        return parts;
    }
    /// The root of a factor that is in device memory.
    [[nodiscard]] std::string remote(const Use& use) const {
        const Value& v = program_.value(use.value);
        return fmt::format("remote<{}, {}, {}>(args.matrices[{}], {})", type_name(v.type),
                           v.rows.size, v.cols.size, matrix_of(use.value),
                           v.scope == Scope::problem ? "problem" : "0");
    }

    /// To all results that are this value, and for later steps.
    [[nodiscard]] std::string store_text(const PanelAction& action) const {
        std::string text;
        const std::string from = part(action.reads.front(), action.cut);
        std::size_t matrix = what_.shared_inputs.size() + what_.inputs.size();
        for (const std::size_t result : what_.results) {
            if (program_.outputs[result].value == action.value) {
                text += fmt::format("store_result<Team, {}>(args, {}, {}, problem, status, {});\n",
                                    type_name(program_.type), matrix,
                                    panel_of(matrix, program_.type, action.cut), from);
            }
            ++matrix;
        }
        for (const ValueId id : what_.kept) {
            if (id == action.value) {
                const ScalarType type = program_.value(id).type;
                text += fmt::format("store_matrix<Team, {}>({}, {}, problem, false);\n",
                                    type_name(type), from, panel_of(matrix, type, action.cut));
            }
            ++matrix;
        }
        return text;
    }

    void sync() {
        line("Team::sync();");
        read_.clear();
        written_.clear();
    }
    /// For what the team has written or read since its last sync.
    void wait_for(const PanelAction& action) {
        std::vector<int> writes;
        for (const int out : {action.out, action.out2}) {
            if (out >= 0) {
                writes.push_back(out);
            }
        }
        const auto meets = [&](const std::vector<int>& some, const std::vector<int>& others) {
            return std::any_of(some.begin(), some.end(), [&](int i) {
                return i >= 0 && std::any_of(others.begin(), others.end(), [&](int j) {
                           const ChipPlace& p = buffer(i).place;
                           const ChipPlace& q = j >= 0 ? buffer(j).place : p;
                           return j >= 0 && p.offset < q.offset + q.bytes &&
                                  q.offset < p.offset + p.bytes;
                       });
            });
        };
        if (meets(action.reads, written_) || meets(writes, written_) || meets(writes, read_)) {
            sync();
        }
        read_.insert(read_.end(), action.reads.begin(), action.reads.end());
        written_.insert(written_.end(), writes.begin(), writes.end());
    }

    const Program& program_;
    const FusedDescription what_;
    const FusedConfiguration& c_;
    const PanelPlan& plan_;
    std::string text_;
    std::string indent_;
    std::vector<int> read_, written_;  ///< buffers
};

}  // namespace

std::string panel_text(const Program& program, const FusedDescription& what,
                       const FusedConfiguration& configuration) {
    return Text(program, what, configuration)();
}

}  // namespace matgrad::gpu
