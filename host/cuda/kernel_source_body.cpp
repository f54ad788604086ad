#include "cuda/kernel_source_body.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "matgrad/error.hpp"

namespace matgrad::gpu::detail {
namespace {

bool is_small_integer(double exponent) {
    return exponent == std::trunc(exponent) && std::abs(exponent) <= 64;
}

/// Which instructions the result depends on.
std::vector<bool> used_instructions(const MapBody& body) {
    std::vector<bool> used(body.code.size(), false);
    used.back() = true;
    for (std::size_t i = body.code.size(); i-- > 0;) {
        const MapInstruction& instruction = body.code[i];
        if (used[i] && reads_a(instruction.op)) {
            used[static_cast<std::size_t>(instruction.a)] = true;
        }
        if (used[i] && reads_b(instruction.op)) {
            used[static_cast<std::size_t>(instruction.b)] = true;
        }
    }
    return used;
}

const char* reader(Broadcast broadcast) {
    switch (broadcast) {
        case Broadcast::none:
            return "entry";
        case Broadcast::scalar:
            return "entry_of_scalar";
        case Broadcast::column:
            return "entry_of_column";
        case Broadcast::row:
            return "entry_of_row";
    }
    return "";
}

std::string power_text(const MapInstruction& instruction, ScalarType type) {
    if (!is_small_integer(instruction.number)) {
        return fmt::format("real_power(r{}, {})", instruction.a,
                           literal(instruction.number, ScalarType::float64));
    }
    const std::string power = fmt::format(
        "power<{}>(r{})", std::abs(static_cast<int>(instruction.number)), instruction.a);
    return instruction.number >= 0 ? power : literal(1, type) + " / " + power;
}

using Load = std::function<std::string(int)>;

std::string instruction_text(const MapInstruction& i, ScalarType type, const Load& load) {
    const auto binary = [&i](char sign) { return fmt::format("r{} {} r{}", i.a, sign, i.b); };
    const auto function = [&i](const char* name, int arity) {
        return arity == 1 ? fmt::format("{}(r{})", name, i.a)
                          : fmt::format("{}(r{}, r{})", name, i.a, i.b);
    };
    const auto test = [type](const char* relation) {
        return fmt::format("at.row {} at.col ? {} : {}", relation, literal(1, type),
                           literal(0, type));
    };
    switch (i.op) {
        case MapOp::load:
            return load(i.a);
        case MapOp::constant:
            return literal(i.number, type);
        case MapOp::is_diagonal:
            return test("==");
        case MapOp::is_lower:
            return test(">=");
        case MapOp::is_upper:
            return test("<=");
        case MapOp::row_index:
            return fmt::format("static_cast<{}>(at.row)", type_name(type));
        case MapOp::col_index:
            return fmt::format("static_cast<{}>(at.col)", type_name(type));
        case MapOp::add:
            return binary('+');
        case MapOp::sub:
            return binary('-');
        case MapOp::mul:
            return binary('*');
        case MapOp::div:
            return binary('/');
        case MapOp::scale:
            return fmt::format("{} * r{}", literal(i.number, type), i.a);
        case MapOp::offset:
            return fmt::format("{} + r{}", literal(i.number, type), i.a);
        case MapOp::pow:
            return power_text(i, type);
        case MapOp::perturb:
            return fmt::format("perturbed(r{}, at.row, at.col, {}U)", i.a,
                               static_cast<std::uint32_t>(i.number));
#define MATGRAD_ROW(name, arity, device, ...) \
    case MapOp::name:                         \
        return function(device, arity);
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    }
    return "";
}

}  // namespace

const char* type_name(ScalarType type) {
    return type == ScalarType::float32 ? "float" : "double";
}

std::string literal(double number, ScalarType type) {
    const bool single = type == ScalarType::float32;
    const double rounded = single ? static_cast<double>(static_cast<float>(number)) : number;
    if (!std::isfinite(rounded)) {
        const std::string infinity = fmt::format("infinity<{}>()", type_name(type));
        return std::isnan(rounded) ? fmt::format("({0} - {0})", infinity)
               : rounded < 0       ? fmt::format("(-{})", infinity)
                                   : infinity;
    }
    std::string text =
        single ? fmt::format("{}", static_cast<float>(rounded)) : fmt::format("{}", rounded);
    if (text.find_first_of(".e") == std::string::npos) {
        text += ".0";
    }
    if (single) {
        text += 'f';
    }
    return std::signbit(rounded) ? fmt::format("({})", text) : text;
}

std::string code_text(const MapBody& body, ScalarType type, const char* indent, const Load& load) {
    const std::vector<bool> used = used_instructions(body);
    std::string code;
    for (std::size_t i = 0; i < body.code.size(); ++i) {
        if (used[i]) {
            code += fmt::format("{}const {} r{} = {};\n", indent, type_name(type), i,
                                instruction_text(body.code[i], type, load));
        }
    }
    return code + fmt::format("{}return r{};\n", indent, body.code.size() - 1);
}

std::string body_text(const MapBody& body, ScalarType type, std::span<const ScalarType> operands) {
    if (body.operands.size() > std::size_t{kMostOperands}) {
        throw UnsupportedError(
            fmt::format("an entrywise expression of {} operands: expected at most {} on a GPU",
                        body.operands.size(), kMostOperands));
    }
    const std::vector<Reading> readings = readings_of(body);
    const char* name = type_name(type);
    std::string members;
    std::string reads;
    for (std::size_t i = 0; i < body.operands.size(); ++i) {
        if (readings[i] != Reading::none) {
            members += fmt::format("        {} a{};\n", name, i);
            reads +=
                fmt::format("            {}<{}, {}>(from[{}], at),\n",
                            reader(body.operands[i].broadcast), name, type_name(operands[i]), i);
        }
    }
    const std::string code =
        code_text(body, type, "        ", [](int i) { return fmt::format("in.a{}", i); });
    return fmt::format(
        "    using Type = {0};\n"
        "    struct Inputs {{\n{1}    }};\n"
        "    template <typename At>\n"
        "    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {{\n"
        "        return {{\n{2}        }};\n"
        "    }}\n"
        "    template <typename At>\n"
        "    MATGRAD_DEVICE static {0} value(const Inputs& in, const At& at) {{\n"
        "{3}"
        "    }}\n",
        name, members, reads, code);
}

std::vector<Reading> readings_of(const MapBody& body) {
    const std::vector<bool> used = used_instructions(body);
    std::vector<Reading> readings(body.operands.size(), Reading::none);
    for (std::size_t i = 0; i < body.code.size(); ++i) {
        if (used[i] && body.code[i].op == MapOp::load) {
            const auto operand = static_cast<std::size_t>(body.code[i].a);
            const Broadcast broadcast = body.operands[operand].broadcast;
            readings[operand] = broadcast == Broadcast::none     ? Reading::entries
                                : broadcast == Broadcast::scalar ? Reading::scalar
                                                                 : Reading::spread;
        }
    }
    return readings;
}

bool reads_position(const MapBody& body) {
    const std::vector<bool> used = used_instructions(body);
    for (std::size_t i = 0; i < body.code.size(); ++i) {
        if (used[i] && knows_place(body.code[i].op)) {
            return true;
        }
    }
    return false;
}

std::string packs_text(const MapBody& body, ScalarType type, std::span<const ScalarType> operands,
                       int group) {
    const std::vector<Reading> readings = readings_of(body);
    std::string members;
    std::string reads;
    std::string entries;
    for (std::size_t i = 0; i < readings.size(); ++i) {
        const char* from = type_name(operands[i]);
        const char* to = type_name(type);
        if (readings[i] == Reading::entries) {
            members += fmt::format("        Pack<{}, {}> a{};\n", from, group, i);
            reads += fmt::format("            pack<{}, {}>(from[{}], at),\n", from, group, i);
            entries += fmt::format("            static_cast<{}>(packs.a{}.entries[i]),\n", to, i);
        } else if (readings[i] == Reading::scalar) {
            members += fmt::format("        {} a{};\n", from, i);
            reads += fmt::format("            scalar<{}>(from[{}], at),\n", from, i);
            entries += fmt::format("            static_cast<{}>(packs.a{}),\n", to, i);
        }
    }
    return fmt::format(
        "    struct Packs {{\n{0}    }};\n"
        "    template <typename At>\n"
        "    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {{\n"
        "        return {{\n{1}        }};\n"
        "    }}\n"
        "    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {{\n"
        "        return {{\n{2}        }};\n"
        "    }}\n",
        members, reads, entries);
}

bool is_heavy(const MapBody& body) {
    constexpr std::size_t kLong = 32;
    int functions = 0;
    for (const MapInstruction& instruction : body.code) {
        if (instruction.op == MapOp::pow) {
            functions += is_small_integer(instruction.number) ? 0 : 4;
        } else if (const auto function = entrywise_of(instruction.op)) {
            functions += (facts_of(*function) & EntrywiseFact::kHeavy) != 0 ? 1 : 0;
        }
    }
    return functions > 2 || body.code.size() > kLong;
}

}  // namespace matgrad::gpu::detail
