#include "cuda/kernel_standalone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

#include "cuda/fused/source.hpp"
#include "cuda/kernel_report.hpp"
#include "cuda/kernel_source_body.hpp"
#include "matgrad/error.hpp"

namespace matgrad::gpu {
namespace {

const EmbeddedHeader* find_header(const std::string& name) {
    const auto headers = embedded_headers();
    const auto at = std::find_if(headers.begin(), headers.end(),
                                 [&name](const EmbeddedHeader& h) { return h.name == name; });
    return at == headers.end() ? nullptr : &*at;
}

void expand(const std::string& text, std::set<std::string>& known, std::string& to) {
    const std::string include = "#include \"";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind(include, 0) == 0) {
            const std::string name = line.substr(include.size(), line.rfind('"') - include.size());
            const EmbeddedHeader* header = find_header(name);
            if (header == nullptr) {
                throw std::logic_error("device code includes " + name + ", which is not embedded");
            }
            if (known.insert(name).second) {
                to += "// ---- " + name + "\n";
                expand(header->text, known, to);
            }
        } else if (line != "#pragma once") {
            to += line + "\n";
        }
    }
}

/// Within a literal, or within a comment of one line.
std::string one_line(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return result;
}

const char* structure_name(Structure structure) {
    switch (structure) {
        case Structure::general:
            return "general";
        case Structure::symmetric:
            return "symmetric";
        case Structure::positive:
            return "positive";
        case Structure::diagonal:
            return "diagonal";
        case Structure::lower:
            return "lower";
        case Structure::upper:
            return "upper";
        case Structure::orthogonal:
            return "orthogonal";
    }
    return "";
}

std::size_t operand_of(const Program& program, ValueId value) {
    const auto at = std::find_if(program.operands.begin(), program.operands.end(),
                                 [value](const ProgramOperand& o) { return o.value == value; });
    return static_cast<std::size_t>(at - program.operands.begin());
}

std::size_t operand_named(const Program& program, const std::string& name) {
    const auto at = std::find_if(program.operands.begin(), program.operands.end(),
                                 [&name](const ProgramOperand& o) { return o.name == name; });
    return static_cast<std::size_t>(at - program.operands.begin());
}

std::string output_name(const ProgramOutput& output) {
    return output.kind == OutputKind::value ? "value" : "gradient " + output.name;
}

/// Is the kernel all of the Program: from operands alone to every result?
void check_whole(const Program& program, const FusedKernel& kernel) {
    if (!kernel.reason.empty()) {
        throw UnsupportedError("there is no fused kernel: " + kernel.reason);
    }
    const FusedDescription& what = kernel.what;
    for (const Step& step : program.steps) {
        const bool is_fused = std::any_of(what.steps.begin(), what.steps.end(),
                                          [&](const Step* other) { return other == &step; });
        if (!is_fused) {
            throw UnsupportedError(fmt::format("the kernel does not do all: {} is apart from it",
                                               to_text(program, step)));
        }
    }
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
        if (std::count(what.results.begin(), what.results.end(), i) == 0) {
            throw UnsupportedError(fmt::format("the kernel does not do all: {} is an operand, {}",
                                               output_name(program.outputs[i]),
                                               program.value(program.outputs[i].value).text));
        }
    }
}

class Standalone {
public:
    Standalone(const Program& program, int architecture, std::int64_t batch,
               const KernelCheck& check)
        : program_(program),
          check_(check),
          batch_(batch),
          architecture_(architecture),
          kernel_(fused_kernel(program, known_limits(architecture))),
          value_(fused_kernel(check.value, known_limits(architecture))) {
        check_whole(program_, kernel_);
        try {
            check_whole(check_.value, value_);
        } catch (const UnsupportedError& error) {
            throw UnsupportedError(
                fmt::format("the check of the kernel needs the value in double: {}", error.what()));
        }
    }

    std::string operator()() {
        KernelSource source;
        const KernelId kernel = add_to(source, program_, kernel_);
        const KernelId value = add_to(source, check_.value, value_);
        std::string text = heading() + with_headers(source.text()) + "\n";
        for (const EmbeddedHeader& header : standalone_headers()) {
            text += header.text;
        }
        text +=
            "\nint main(int argc, char** argv) {\n    using standalone::Structure;\n"
            "    standalone::Subject subject{};\n";
        text += fmt::format("    subject.function = \"{}\";\n", one_line(check_.function));
        text += operands() + results();
        text += kernel_text("kernel", source, kernel, program_, kernel_) +
                kernel_text("value", source, value, check_.value, value_);
        const KernelTraffic traffic = traffic_of(program_, kernel_.what);
        text += fmt::format(
            "    subject.problem_bytes = {};\n    subject.shared_bytes = {};\n"
            "    subject.problems = {};\n    subject.free_entries = {};\n"
            "    subject.positive_entries = {};\n    subject.small_variables = {};\n"
            "    subject.is_fast = {};\n"
            "    return standalone::check_subject<{}>(subject, argc, argv);\n}}\n",
            traffic.read_bytes + traffic.written_bytes, traffic.shared_bytes, batch_,
            check_.free_entries, check_.positive_entries, check_.small_variables,
            program_.accuracy == Accuracy::fast, detail::type_name(program_.type));
        return text;
    }

private:
    [[nodiscard]] std::string heading() const {
        std::string text = fmt::format(
            "// {}\n//\n// A kernel that matgrad made, with all that it includes and a check of "
            "it.\n"
            "//\n//     nvcc -O3 -arch=sm_{} FILE.cu -o FILE && ./FILE [PROBLEMS]\n//\n"
            "// fused_0 does every problem of a batch, in {}; standalone::launch shows how it is "
            "called. main() holds its\n"
            "// results against the value in double, which fused_1 computes, and against "
            "differences of that. Exit status:\n"
            "// 0 all is right, 1 it is not, 77 there is no GPU, 3 CUDA failed.\n//\n",
            one_line(check_.function), architecture_, detail::type_name(program_.type));
        for (const Step* step : kernel_.what.steps) {
            text += "//     " + one_line(to_text(program_, *step)) + "\n";
        }
        return text + "\n";
    }

    [[nodiscard]] std::string operands() const {
        std::string text = "    subject.operands = {\n";
        for (const ProgramOperand& operand : program_.operands) {
            const Value& v = program_.value(operand.value);
            const auto structure =
                std::find_if(check_.structures.begin(), check_.structures.end(),
                             [&](const auto& other) { return other.first == operand.name; });
            const bool is_variable =
                std::any_of(program_.outputs.begin(), program_.outputs.end(), [&](const auto& o) {
                    return o.kind == OutputKind::gradient && o.name == operand.name;
                });
            text += fmt::format(
                "        {{\"{}\", {}, {}, Structure::{}, {}, {}}},\n", operand.name, v.rows.size,
                v.cols.size,
                structure_name(structure == check_.structures.end() ? Structure::general
                                                                    : structure->second),
                !operand.batched, is_variable);
        }
        return text + "    };\n";
    }

    [[nodiscard]] std::string results() const {
        std::string text = "    subject.results = {\n";
        for (const ProgramOutput& output : program_.outputs) {
            const Value& v = program_.value(output.value);
            const bool is_value = output.kind == OutputKind::value;
            text +=
                fmt::format("        {{\"{}\", {}, {}, {}, {}}},\n", output_name(output),
                            output.transposed ? v.cols.size : v.rows.size,
                            output.transposed ? v.rows.size : v.cols.size, output.transposed,
                            is_value ? -1 : static_cast<int>(operand_named(program_, output.name)));
        }
        return text + "    };\n";
    }

    /// Operands are those of the whole Program, by name.
    [[nodiscard]] std::string kernel_text(const char* member, const KernelSource& source,
                                          KernelId id, const Program& program,
                                          const FusedKernel& kernel) const {
        const FusedConfiguration& c = kernel.configuration;
        const std::string name =
            "matgrad::block::" + source.kernels()[static_cast<std::size_t>(id)].name;
        std::string slots;
        for (const auto* inputs : {&kernel.what.shared_inputs, &kernel.what.inputs}) {
            for (const ValueId input : *inputs) {
                const std::string& operand = program.operands[operand_of(program, input)].name;
                slots += fmt::format("{{false, {}}}, ", operand_named(program_, operand));
            }
        }
        for (const std::size_t result : kernel.what.results) {
            slots += fmt::format("{{true, {}}}, ", result);
        }
        slots.resize(slots.size() - 2);
        return fmt::format(
            "    subject.{} = {{reinterpret_cast<const void*>(&{}),\n"
            "        &standalone::launch<{}>, {}, {}, {}, {{{}}}}};\n",
            member, name, fused_matrices(kernel.what), c.block(), c.teams, c.block_bytes(), slots);
    }

    const Program& program_;
    const KernelCheck& check_;
    std::int64_t batch_;
    int architecture_;
    FusedKernel kernel_, value_;
};

}  // namespace

std::string with_headers(const std::string& text) {
    std::set<std::string> known;
    std::string result;
    expand(text, known, result);
    return result;
}

std::string standalone_kernel(const Program& program, int architecture, std::int64_t batch,
                              const KernelCheck& check) {
    return Standalone(program, architecture, batch, check)();
}

}  // namespace matgrad::gpu
