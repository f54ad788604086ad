#include <fmt/format.h>

#include <algorithm>

#include "program/region_parts.hpp"

namespace matgrad {
namespace {

using detail::at;

const char* cut_text(Cut cut) {
    return cut == Cut::whole ? "whole" : cut == Cut::rows ? "panels of rows" : "panels of columns";
}

const char* join_text(Join join) {
    switch (join) {
        case Join::sum:
            return "sum";
        case Join::max:
            return "max";
        case Join::product:
            return "product";
        case Join::norm:
            return "norm";
    }
    return "";
}

class Printer {
public:
    Printer(const Program& program, const Regions& regions)
        : program_(program), regions_(regions) {}

    std::string text() {
        for (std::size_t p = 0; p < regions_.passes.size(); ++p) {
            const Pass& pass = regions_.passes[p];
            if (pass.dimension.size == 0) {
                line("pass {}: all values whole", p + 1);
            } else {
                line("pass {} over {} = {}: {} panel{} of {}", p + 1, pass.dimension.name,
                     pass.dimension.size, pass.panels(), pass.panels() == 1 ? "" : "s", pass.panel);
            }
            add(pass);
        }
        if (!regions_.kept.empty()) {
            std::vector<std::string> names;
            for (const ValueId v : regions_.kept) {
                names.push_back(name_of(v));
            }
            line("kept on chip: {}", fmt::join(names, ", "));
        }
        line("reads {} B of {}, shared {} B, writes {} B of {}, {} B on chip{}",
             regions_.bytes_read, regions_.least_read, regions_.shared_bytes_read,
             regions_.bytes_written, regions_.least_written, regions_.bytes,
             regions_.fits ? "" : ": more than there is");
        return std::move(text_);
    }

private:
    template <typename... Arguments>
    void line(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        text_ += fmt::format(text, std::forward<Arguments>(arguments)...) + "\n";
    }

    void add(const Pass& pass) {
        for (const Transfer& read : pass.reads) {
            line("  read   {}   {}", name_of(read.value), cut_text(read.cut));
        }
        for (const int s : pass.before) {
            line("  {}   {}", pass.dimension.size == 0 ? "step" : "before", step_text(s));
        }
        for (const PanelStep& step : pass.steps) {
            line("  panel  {}   {}{}{}", step_text(step.step),
                 step.contracts ? contraction_text(pass, step.step) : "local",
                 step.again ? ", again" : "", step.needs_offset ? ", by its place" : "");
        }
        for (const int s : pass.after) {
            const bool is_contraction =
                std::any_of(pass.contractions.begin(), pass.contractions.end(),
                            [s](const Contraction& c) { return c.step == s; });
            if (is_contraction) {
                line("  after  {} is there", name_of(at(program_.steps, s).out));
            } else {
                line("  after  {}", step_text(s));
            }
        }
        for (const RootAgain& root : pass.roots) {
            std::vector<std::string> names;
            for (const int s : root.steps) {
                names.push_back(name_of(at(program_.steps, s).out));
            }
            line("  root   of {} at need: {} again", name_of(at(program_.steps, root.step).out),
                 fmt::join(names, ", "));
        }
        for (const Transfer& write : pass.writes) {
            line("  write  {}   {}", name_of(write.value), cut_text(write.cut));
        }
    }

    [[nodiscard]] std::string step_text(int s) const {
        return to_text(program_, at(program_.steps, s));
    }
    [[nodiscard]] static std::string contraction_text(const Pass& pass, int step) {
        for (const Contraction& c : pass.contractions) {
            if (c.step == step) {
                return join_text(c.join);
            }
        }
        return {};
    }
    /// As the text of the step that writes it has it.
    [[nodiscard]] std::string name_of(ValueId value) const {
        const int operand = program_.value(value).operand;
        if (operand >= 0) {
            return at(program_.operands, operand).name;
        }
        for (const Step& step : program_.steps) {
            if (step.out == value || step.out2 == value) {
                const std::string text = to_text(program_, step);
                const std::string names = text.substr(0, text.find(" = "));
                const std::size_t comma = names.find(", ");
                return step.out == value ? names.substr(0, comma) : names.substr(comma + 2);
            }
        }
        return {};
    }

    const Program& program_;
    const Regions& regions_;
    std::string text_;
};

}  // namespace

std::string to_text(const Program& program, const Regions& regions) {
    return Printer(program, regions).text();
}

}  // namespace matgrad
