#include "cli/derivation_json.hpp"

#include <nlohmann/json.hpp>

namespace matgrad {
namespace {

using Json = nlohmann::ordered_json;

Json dim_json(const Dim& dim) {
    return dim.name.empty() ? Json(dim.size) : Json(dim.name);
}

Json shape_json(const Shape& shape) {
    return Json::array({dim_json(shape.rows), dim_json(shape.cols)});
}

const char* structure_word(Structure structure, const Shape& shape) {
    if (structure == Structure::positive && shape.is_scalar()) {
        return "pos";
    }
    switch (structure) {
        case Structure::general:
            return "general";
        case Structure::symmetric:
            return "sym";
        case Structure::positive:
            return "spd";
        case Structure::diagonal:
            return "diag";
        case Structure::lower:
            return "lower";
        case Structure::upper:
            return "upper";
        case Structure::orthogonal:
            return "orth";
    }
    return "general";
}

/// What is evaluated has the arrays of all symbols at hand.
Json expr_json(const Expr& expr, std::span<const Declaration> symbols) {
    return {{"text", to_text(expr)}, {"latex", to_latex(expr)}, {"numpy", to_numpy(expr, symbols)}};
}

}  // namespace

std::string to_json(const Question& question, const Derivation& derivation, PartNames names) {
    Json root;
    root["given"] = question.given;
    root["expression"] = expr_json(derivation.function, question.symbols);
    root["symbols"] = Json::array();
    for (const Declaration& symbol : question.symbols) {
        root["symbols"].push_back({{"name", symbol.name},
                                   {"shape", shape_json(symbol.shape)},
                                   {"structure", structure_word(symbol.structure, symbol.shape)}});
    }
    const NamedForms named = named_gradients(derivation, names, question.parts);
    root["parts"] = Json::array();
    for (const NamedPart& part : named.parts) {
        root["parts"].push_back({{"name", to_text(part.name)},
                                 {"shape", shape_json(part.value.shape())},
                                 {"text", to_text(part)},
                                 {"latex", to_latex(part)},
                                 {"numpy", to_numpy(part, question.symbols)}});
    }
    root["gradients"] = Json::array();
    for (std::size_t i = 0; i < derivation.gradients.size(); ++i) {
        const Gradient& gradient = derivation.gradients[i];
        Json entry = {{"variable", to_text(gradient.variable)},
                      {"shape", shape_json(gradient.form.shape())}};
        entry.update(expr_json(gradient.form, question.symbols));
        if (!named.parts.empty()) {
            entry["with_parts"] = expr_json(named.forms[i], question.symbols);
        }
        root["gradients"].push_back(std::move(entry));
    }
    root["steps"] = Json::array();
    for (const DerivationLine& line : derivation.lines) {
        root["steps"].push_back({{"text", "df = " + to_text(line.statement)},
                                 {"latex", "\\mathrm{d}f = " + to_latex(line.statement)},
                                 {"rule", line.rule},
                                 {"source", line.source}});
    }
    return root.dump(2);
}

}  // namespace matgrad
