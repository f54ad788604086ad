#include "expression/elaborate.hpp"
#include "expression/guarded.hpp"
#include "expression/reading_notes.hpp"
#include "expression/shape_inference.hpp"

namespace matgrad {

Reading read_text(std::string_view text, std::span<const Declaration> declarations) try {
    detail::TextAst ast = detail::parse_ast(text);
    detail::read_entries(ast, declarations);
    detail::Dimensions dimensions;
    const detail::SymbolTable symbols =
        detail::collect_symbols(ast, text, declarations, dimensions);
    detail::infer_shapes(ast, text, symbols, dimensions);
    Reading reading = detail::elaborate(ast, text, symbols, dimensions);
    reading.notes = detail::reading_notes(ast, text);
    return reading;
} catch (...) {
    detail::throw_as_matgrad();
}

Expr parse(std::string_view text, std::span<const Declaration> declarations) {
    return read_text(text, declarations).expression;
}

Expr parse(std::string_view text, std::initializer_list<Declaration> declarations) {
    return parse(text, std::span(declarations.begin(), declarations.size()));
}

Expr parse(std::string_view text, std::span<const std::string> declarations) try {
    const std::vector<Declaration> read(declarations.begin(), declarations.end());
    return parse(text, read);
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
