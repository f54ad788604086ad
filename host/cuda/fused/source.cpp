#include "cuda/fused/source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cuda/fused/panel_source.hpp"
#include "cuda/fused/step_text.hpp"
#include "cuda/kernel_source_body.hpp"
#include "program/gram_limits.hpp"

namespace matgrad::gpu {
namespace {

using detail::type_name;

class Text {
public:
    Text(const Program& program, const FusedDescription& what, const FusedConfiguration& c)
        : program_(program), what_(what), c_(c) {}

    std::string operator()() {
        std::string text = fmt::format(
            "MATGRAD_KERNEL(fused_#, FusedArgs<{}>, {}) {{\n"
            "    using Team = {};\n",
            fused_matrices(what_), c_.block(), team_name());
        if (c_.block_bytes() > 0) {
            text += fmt::format("    MATGRAD_BLOCK_MEMORY(memory, {});\n", c_.block_bytes());
        }
        text += staged();
        if (c_.threads == 1) {
            text += fmt::format("    unsigned char* const stage = memory + {};\n", c_.staged_bytes);
        } else if (c_.team_bytes > 0) {
            text += fmt::format(
                "    unsigned char* const own = memory + {} + team_index<Team>() * {};\n",
                c_.staged_bytes, c_.team_bytes);
        }
        for (const ValueId id : what_.inputs) {
            text += declaration(id, "own");
        }
        for (const Step* step : what_.steps) {
            for (const ValueId out : {step->out, step->out2}) {
                if (out != kNoValue) {
                    text += declaration(out, "own");
                }
            }
        }
        text += c_.threads == 1 ? loop_of_threads() : loop_of_teams();
        return text + "}\n";
    }

private:
    [[nodiscard]] std::string team_name() const {
        return c_.threads == 1    ? "ThreadTeam"
               : c_.threads == 32 ? "WarpTeam"
                                  : fmt::format("BlockTeam<{}>", c_.threads);
    }

    [[nodiscard]] const ChipPlace& place(ValueId id) const {
        return c_.places[static_cast<std::size_t>(id)];
    }

    [[nodiscard]] std::string declaration(ValueId id, const char* memory) const {
        const Value& v = program_.value(id);
        const ChipPlace& p = place(id);
        const char* const type = p.is_int ? "int" : type_name(p.type);
        const std::string comment = v.text.empty() ? "" : "  // " + v.text;
        if (p.is_own && p.home != id) {
            return fmt::format("    const auto& v{} = v{};{}\n", id, p.home, comment);
        }
        if (p.is_own) {
            return fmt::format(
                "    {0} own{1}[{2}];\n    const Own<{0}, {3}, {4}> v{1}{{own{1}}};{5}\n", type, id,
                std::max<std::int64_t>(1, v.count()), v.rows.size, v.cols.size, comment);
        }
        return fmt::format(
            "    const Tile<{0}, {1}, {2}, {3}> v{4}{{reinterpret_cast<{0}*>({5} + {6})}};{7}\n",
            type, v.rows.size, v.cols.size, p.line, id, memory, p.offset, comment);
    }

    /// What all problems share, read once by each block.
    [[nodiscard]] std::string staged() const {
        std::string text;
        std::size_t matrix = 0;
        for (const ValueId id : what_.shared_inputs) {
            text += declaration(id, "memory");
            text += place(id).is_int
                        ? fmt::format("    load_pivots<BlockTeam<{}>>(args.matrices[{}], v{});\n",
                                      c_.block(), matrix++, id)
                        : fmt::format(
                              "    load_matrix<BlockTeam<{}>, {}>(args.matrices[{}], 0, v{});\n",
                              c_.block(), type_name(program_.value(id).type), matrix++, id);
        }
        return text.empty() ? text : text + "    barrier();\n";
    }

    /// A problem to each team.
    [[nodiscard]] std::string loop_of_teams() const {
        std::string text = fmt::format(
            "    for (long long problem = block_index() * {} + team_index<Team>(); problem < "
            "args.launch.batch;\n"
            "         problem += args.at_once) {{\n"
            "        int status = first_status(args, problem);\n",
            c_.teams);
        std::size_t matrix = what_.shared_inputs.size();
        Hazards hazards(c_);
        for (const ValueId id : what_.inputs) {
            text += fmt::format("        load_matrix<Team, {}>(args.matrices[{}], problem, v{});\n",
                                type_name(program_.value(id).type), matrix++, id);
            hazards.write(id);
        }
        text += steps("        ", hazards);
        text += hazards.before_stores();
        text += "        store_status<Team>(args, problem, status);\n";
        for (const std::size_t result : what_.results) {
            text += fmt::format("        store_result<Team, {}>(args, {}, problem, status, v{});\n",
                                type_name(program_.type), matrix++, program_.outputs[result].value);
        }
        for (const ValueId id : what_.kept) {
            text += fmt::format(
                "        store_matrix<Team, {}>(v{}, args.matrices[{}], problem, false);\n",
                type_name(program_.value(id).type), id, matrix++);
        }
        return text + "        Team::sync();\n    }\n";
    }

    /// A problem to each thread; the block reads and writes for all of them.
    [[nodiscard]] std::string loop_of_threads() const {
        std::string text = fmt::format(
            "    for (long long first = block_index() * {0}; first < args.launch.batch; first += "
            "args.at_once) {{\n"
            "        const BlockProblems<{0}> problems{{first, args.launch.batch}};\n"
            "        int status = 0;\n",
            c_.block());
        std::size_t matrix = what_.shared_inputs.size();
        for (const ValueId id : what_.inputs) {
            text += fmt::format("        load_own<{}>(args.matrices[{}], problems, stage, v{});\n",
                                type_name(program_.value(id).type), matrix++, id);
        }
        text +=
            "        if (problems.has_own()) {\n"
            "            status = first_status(args, problems.own());\n";
        Hazards none(c_);
        text += steps("            ", none);
        text +=
            "            store_status<Team>(args, problems.own(), status);\n"
            "        }\n";
        for (const std::size_t result : what_.results) {
            text += fmt::format(
                "        store_own_result<{}>(args, {}, problems, stage, status, v{});\n",
                type_name(program_.type), matrix++, program_.outputs[result].value);
        }
        for (const ValueId id : what_.kept) {
            text += fmt::format(
                "        store_own<{}>(v{}, args.matrices[{}], problems, stage, false);\n",
                type_name(program_.value(id).type), id, matrix++);
        }
        return text + "    }\n";
    }

    /// Every line of the text behind `indent`.
    static std::string indented(const std::string& text, const std::string& indent) {
        std::string result;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin) + 1;
            result += indent + text.substr(begin, end - begin);
            begin = end;
        }
        return result;
    }

    class Hazards;

    [[nodiscard]] std::string steps(const std::string& indent, Hazards& hazards) const {
        std::string text;
        for (const Step* step : what_.steps) {
            if (program_.value(step->out).count() > 0) {
                text += hazards.before(*step);
                text += indented(detail::step_text(program_, c_, *step), indent);
            }
        }
        return text;
    }

    /// Which memory has been written or read since the team's last sync.
    class Hazards {
    public:
        explicit Hazards(const FusedConfiguration& c) : c_(c) {}

        void write(ValueId id) { written_.push_back(id); }

        std::string before(const Step& step) {
            bool waits = false;
            std::vector<ValueId> reads;
            for_each_use(step.operation, [&](const Use& use) {
                reads.push_back(use.value);
                waits = waits || meets(use.value, written_);
            });
            for (const ValueId out : {step.out, step.out2}) {
                waits = waits || (out != kNoValue && (meets(out, written_) || meets(out, read_)));
            }
            std::string text = waits ? sync() : "";
            read_.insert(read_.end(), reads.begin(), reads.end());
            for (const ValueId out : {step.out, step.out2}) {
                if (out != kNoValue) {
                    written_.push_back(out);
                }
            }
            return text;
        }
        std::string before_stores() { return written_.empty() ? "" : sync(); }

    private:
        std::string sync() {
            read_.clear();
            written_.clear();
            return c_.threads > 1 ? "        Team::sync();\n" : "";
        }
        /// By their places: memory is used for several values, one after the other.
        [[nodiscard]] bool meets(ValueId id, const std::vector<ValueId>& others) const {
            const ChipPlace& p = c_.places[static_cast<std::size_t>(id)];
            return std::any_of(others.begin(), others.end(), [&](ValueId other) {
                const ChipPlace& q = c_.places[static_cast<std::size_t>(other)];
                return id == other ||
                       (p.bytes > 0 && q.bytes > 0 && p.is_staged == q.is_staged &&
                        p.offset < q.offset + q.bytes && q.offset < p.offset + p.bytes);
            });
        }
        const FusedConfiguration& c_;
        std::vector<ValueId> written_, read_;
    };

    const Program& program_;
    const FusedDescription& what_;
    const FusedConfiguration& c_;
};

}  // namespace

std::size_t fused_matrices(const FusedDescription& what) {
    return what.shared_inputs.size() + what.inputs.size() + what.results.size() + what.kept.size();
}

std::string fused_text(const Program& program, const FusedDescription& what,
                       const FusedConfiguration& configuration) {
    return configuration.panels != nullptr ? panel_text(program, what, configuration)
                                           : Text(program, what, configuration)();
}

}  // namespace matgrad::gpu
