#pragma once
/// \file What a name in a text stands for.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expression/ast.hpp"
#include "expression/dimensions.hpp"
#include "expression/functions.hpp"

namespace matgrad::detail {

struct SymbolInfo {
    DimPair shape;
    Structure structure = Structure::general;
    bool is_dimension = false;  ///< a declared dimension that stands for its number
};

using SymbolTable = std::map<std::string, SymbolInfo, std::less<>>;

/// True for what may stand in a name.
[[nodiscard]] bool is_name_char(char c);

/// True for `[A-Za-z][A-Za-z0-9_]*`.
[[nodiscard]] bool is_name(std::string_view name);

/// Errors: NameError (malformed name), ShapeError (size below 1, a structure that needs a square).
void check_declaration(const Declaration& declaration);

/// Errors as for the dimensions of a declaration; `place` is what has the dimension.
void check_dim(const Dim& dim, std::string_view place);

/// Calls that are entries of a symbol or of a part become parts: f(2) where f is declared or defined, or no function
/// and nothing like one.
void read_entries(TextAst& ast, std::span<const Declaration> declarations);

/// Finds every symbol of a text, in order of first appearance, and gives it its dimensions. Names that
/// the text itself defines are no symbols.
///
/// Errors   NameError for a name that is unknown, reserved, must be declared, or is declared twice
///          differently, and for a wrong number of arguments; what check_declaration throws.
///          ParseError for a name that is defined twice, that is declared too, or that stands before
///          its definition is complete.
[[nodiscard]] SymbolTable collect_symbols(const TextAst& ast, std::string_view text,
                                          std::span<const Declaration> declarations,
                                          Dimensions& dimensions);

/// The dimension that an argument of eye, ones or dim names. Error: ShapeError.
[[nodiscard]] Dim dimension_argument(const Ast& call, const Ast& argument);

}  // namespace matgrad::detail
