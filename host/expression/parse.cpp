#include "expression/elaborate.hpp"
#include "expression/guarded.hpp"
#include "expression/shape_inference.hpp"

namespace matgrad {

Expr parse(std::string_view text, std::span<const Declaration> declarations) try {
    detail::Ast ast = detail::parse_ast(text);
    detail::read_entries(ast, declarations);
    detail::Dimensions dimensions;
    const detail::SymbolTable symbols = detail::collect_symbols(ast, declarations, dimensions);
    detail::infer_shapes(ast, text, symbols, dimensions);
    return detail::elaborate(ast, text, symbols, dimensions);
} catch (...) {
    detail::throw_as_matgrad();
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
