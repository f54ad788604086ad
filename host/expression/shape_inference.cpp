#include "expression/shape_inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace matgrad::detail {
namespace {

/// A sub-expression: its bytes in the text and its shape.
struct Typed {
    std::size_t begin = 0;
    std::size_t end = 0;
    DimPair shape;
};

class Inference {
public:
    Inference(std::string_view text, const SymbolTable& symbols, Dimensions& dimensions)
        : text_(text),
          symbols_(symbols),
          dims_(dimensions),
          one_(dims_.declared(Dim::literal(1))) {}

    Typed visit(const Ast& ast) {
        switch (ast.kind) {
            case AstKind::number:
                return {ast.begin, ast.end, scalar()};
            case AstKind::name:
                return {ast.begin, ast.end, symbols_.find(ast.name)->second.shape};
            case AstKind::negate:
                return {ast.begin, ast.end, visit(ast.children.front()).shape};
            case AstKind::call:
                return {ast.begin, ast.end, visit_call(ast)};
            case AstKind::part:
                return {ast.begin, ast.end, visit_part(ast)};
            case AstKind::postfix:
                return {ast.begin, ast.end, visit_postfix(ast)};
            case AstKind::product:
            case AstKind::sum:
                break;
        }
        Typed left = visit(ast.children.front());
        for (std::size_t i = 0; i < ast.operators.size(); ++i) {
            const Typed right = visit(ast.children[i + 1]);
            left.shape = combine(ast.operators[i], left, right);
            left.begin = ast.begin;
            left.end = right.end;
        }
        return {ast.begin, ast.end, left.shape};
    }

private:
    [[nodiscard]] DimPair scalar() const { return {one_, one_}; }

    DimPair combine(BinaryOp op, const Typed& a, const Typed& b) {
        switch (op) {
            case BinaryOp::times:
                return multiply(a, b);
            case BinaryOp::divide:
                if (!dims_.is_scalar(a.shape) && !dims_.is_scalar(b.shape)) {
                    fail(a, b,
                         "only a scalar divides or is divided by /; write A*inv(B) for the inverse "
                         "or A./B for each entry");
                }
                return dims_.is_scalar(a.shape) ? b.shape : a.shape;
            case BinaryOp::entry_times:
                return same_shape(a, b, ".*");
            case BinaryOp::entry_divide:
                return same_shape(a, b, "./");
            case BinaryOp::plus:
                return same_shape(a, b, "+");
            case BinaryOp::minus:
                break;
        }
        return same_shape(a, b, "-");
    }

    DimPair multiply(const Typed& a, const Typed& b) {
        if (dims_.is_scalar(a.shape)) {
            return b.shape;
        }
        if (dims_.is_scalar(b.shape)) {
            return a.shape;
        }
        if (!dims_.unify(a.shape.cols, b.shape.rows)) {
            const std::vector<Dim> named = dims_.named();
            fail(a, b,
                 fmt::format("columns of {} ({}) must equal rows of {} ({}){}", text_of(a),
                             named[a.shape.cols].text(), text_of(b), named[b.shape.rows].text(),
                             hint_for_column(a, b)));
        }
        return {a.shape.rows, b.shape.cols};
    }

    /// What was probably meant where a column stands on the left of a product.
    [[nodiscard]] std::string hint_for_column(const Typed& a, const Typed& b) const {
        if (!dims_.is_one(a.shape.cols)) {
            return {};
        }
        std::string hint;
        if (dims_.is_one(b.shape.cols)) {
            hint += "; a dot product is x'*y";
        }
        const std::string name = text_of(a);
        if (dims_.is_unknown(a.shape.rows) && is_name(name)) {
            hint += hint.empty() ? "; a" : ", a";
            hint += " scalar is declared as in " + name + "=1";
        }
        return hint;
    }

    DimPair same_shape(const Typed& a, const Typed& b, std::string_view op) {
        if (dims_.is_scalar(a.shape)) {
            return b.shape;
        }
        if (!dims_.is_scalar(b.shape)) {
            require_same(a, b, op);
        }
        return a.shape;
    }

    void require_same(const Typed& a, const Typed& b, std::string_view op) {
        if (!unify_shapes(a.shape, b.shape)) {
            fail(a, b, fmt::format("both operands of {} must have one shape", op));
        }
    }

    bool unify_shapes(const DimPair& a, const DimPair& b) {
        // Asked before anything is unified, so that a message shows the shapes as they were.
        return dims_.fit(a.cols, b.cols) && dims_.unify(a.rows, b.rows) &&
               dims_.unify(a.cols, b.cols);
    }

    DimPair visit_postfix(const Ast& ast) {
        Typed t = visit(ast.children.front());
        for (const Suffix& s : ast.suffixes) {
            if (s.kind == SuffixKind::transpose) {
                std::swap(t.shape.rows, t.shape.cols);
            } else if (s.kind == SuffixKind::power && !dims_.is_scalar(t.shape)) {
                require_square(t, quote(text_, ast.begin, s.end),
                               "; each entry alone is raised by .^");
            }
            t.end = s.end;
        }
        return t.shape;
    }

    DimPair visit_part(const Ast& ast) {
        const Typed a = visit(ast.children.front());
        const auto of = [&](const Range& range, DimId whole) {
            if (range.is_all()) {
                return whole;
            }
            if (range.last.name
                    .empty()) {  // whether it is inside is asked when all sizes are known
                const std::int64_t count = range.last.size - range.first + 1;
                return dims_.declared(Dim::literal(std::max<std::int64_t>(count, 1)));
            }
            if (range.first != 1) {
                throw ShapeError(fmt::format("{}: found {}:{}; a range to a named size begins at 1",
                                             quote(text_, ast.begin, ast.end), range.first,
                                             range.last.name));
            }
            return dims_.mentioned(range.last);
        };
        if (ast.ranges.size() == 2) {
            return {of(ast.ranges[0], a.shape.rows), of(ast.ranges[1], a.shape.cols)};
        }
        const bool is_column = dims_.is_one(a.shape.cols);
        if (ast.ranges.size() > 2 || (!is_column && !dims_.is_one(a.shape.rows))) {
            throw ShapeError(fmt::format(
                "{}: {} is {}, found {} ind{}; a vector has one, a matrix has two, as in X(2,:)",
                quote(text_, ast.begin, ast.end), text_of(a), shape_text(a.shape),
                ast.ranges.size(), ast.ranges.size() == 1 ? "ex" : "ices"));
        }
        return is_column ? DimPair{of(ast.ranges[0], a.shape.rows), one_}
                         : DimPair{one_, of(ast.ranges[0], a.shape.cols)};
    }

    DimPair visit_call(const Ast& ast) {
        const FunctionKind kind = find_function(ast.name)->kind;
        if (kind == FunctionKind::constant) {
            const DimId rows = dims_.mentioned(dimension_argument(ast, ast.children.front()));
            const DimId cols = dims_.mentioned(dimension_argument(ast, ast.children.back()));
            return {rows, cols};
        }
        Typed a = visit(ast.children.front());
        switch (kind) {
            case FunctionKind::inverse:
                require_square(a, quote(text_, ast.begin, ast.end), "");
                return a.shape;
            case FunctionKind::scalar_of_square:
                require_square(a, quote(text_, ast.begin, ast.end), "");
                return scalar();
            case FunctionKind::scalar_of_pair: {
                const Typed b = visit(ast.children.back());
                if (!unify_shapes(a.shape, b.shape)) {
                    fail_call(ast, a, b);
                }
                return scalar();
            }
            case FunctionKind::scalar_of_any:
                return scalar();
            case FunctionKind::row_sums:
                return {a.shape.rows, one_};
            case FunctionKind::col_sums:
                return {one_, a.shape.cols};
            case FunctionKind::diagonal:
                return diagonal(ast, a);
            case FunctionKind::entrywise:
                for (std::size_t i = 1; i < ast.children.size(); ++i) {
                    a.shape = spread(ast, a, visit(ast.children[i]));
                }
                return a.shape;
            case FunctionKind::same_shape:
            case FunctionKind::constant:
                break;
        }
        return a.shape;
    }

    /// The shape of both arguments, of which one may be a scalar.
    DimPair spread(const Ast& call, const Typed& a, const Typed& b) {
        if (dims_.is_scalar(a.shape)) {
            return b.shape;
        }
        if (!dims_.is_scalar(b.shape) && !unify_shapes(a.shape, b.shape)) {
            fail_call(call, a, b);
        }
        return a.shape;
    }

    DimPair diagonal(const Ast& ast, const Typed& a) {
        if (dims_.is_one(a.shape.cols)) {
            return {a.shape.rows, a.shape.rows};
        }
        if (!dims_.unify(a.shape.rows, a.shape.cols)) {
            throw ShapeError(
                fmt::format("{}: {} is {}; diag needs a column vector or a square "
                            "matrix",
                            quote(text_, ast.begin, ast.end), text_of(a), shape_text(a.shape)));
        }
        return {a.shape.rows, one_};
    }

    void require_square(const Typed& a, const std::string& place, std::string_view hint) {
        if (!dims_.unify(a.shape.rows, a.shape.cols)) {
            throw ShapeError(fmt::format("{}: {} is {}, expected a square matrix{}", place,
                                         text_of(a), shape_text(a.shape), hint));
        }
    }

    [[noreturn]] void fail_call(const Ast& ast, const Typed& a, const Typed& b) const {
        throw ShapeError(fmt::format("{}: {} is {}, {} is {}; both must have one shape",
                                     quote(text_, ast.begin, ast.end), text_of(a),
                                     shape_text(a.shape), text_of(b), shape_text(b.shape)));
    }

    [[noreturn]] void fail(const Typed& a, const Typed& b, std::string_view expected) const {
        throw ShapeError(fmt::format("{}: {} is {}, {} is {}; {}", quote(text_, a.begin, b.end),
                                     text_of(a), shape_text(a.shape), text_of(b),
                                     shape_text(b.shape), expected));
    }

    [[nodiscard]] std::string text_of(const Typed& t) const { return quote(text_, t.begin, t.end); }

    [[nodiscard]] std::string shape_text(const DimPair& s) const {
        const std::vector<Dim> named = dims_.named();
        return Shape{named[s.rows], named[s.cols]}.text();
    }

    std::string_view text_;
    const SymbolTable& symbols_;
    Dimensions& dims_;
    DimId one_;
};

}  // namespace

void infer_shapes(const Ast& ast, std::string_view text, const SymbolTable& symbols,
                  Dimensions& dimensions) {
    (void)Inference(text, symbols, dimensions).visit(ast);
}

}  // namespace matgrad::detail
