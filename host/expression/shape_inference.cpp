#include "expression/shape_inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
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
                return {ast.begin, ast.end, shape_of_name(ast.name)};
            case AstKind::negate:
                return {ast.begin, ast.end, visit(ast.children.front()).shape};
            case AstKind::call:
                return {ast.begin, ast.end, visit_call(ast)};
            case AstKind::part:
                return {ast.begin, ast.end, visit_part(ast)};
            case AstKind::postfix:
                return {ast.begin, ast.end, visit_postfix(ast)};
            case AstKind::sum:
                return visit_sum(ast);
            case AstKind::product:
            case AstKind::comparison:
                break;
        }
        Typed left = visit(ast.children.front());
        for (std::size_t i = 0; i < ast.operators.size(); ++i) {
            left = joined(ast, i, left, visit(ast.children[i + 1]));
        }
        return {ast.begin, ast.end, left.shape};
    }

    void define(const Definition& definition) {
        parts_[definition.name] = visit(definition.value).shape;
    }

private:
    [[nodiscard]] DimPair shape_of_name(const std::string& name) const {
        const auto part = parts_.find(name);
        return part == parts_.end() ? symbols_.find(name)->second.shape : part->second;
    }

    [[nodiscard]] DimPair scalar() const { return {one_, one_}; }

    Typed joined(const Ast& ast, std::size_t i, const Typed& left, const Typed& right) {
        return {ast.begin, right.end, combine(ast.operators[i], left, right)};
    }

    /// A matrix among the terms is what columns and rows are spread over, wherever it stands.
    Typed visit_sum(const Ast& ast) {
        std::vector<Typed> terms;
        for (const Ast& child : ast.children) {
            terms.push_back(visit(child));
        }
        const auto matrix = std::find_if(terms.begin(), terms.end(), [this](const Typed& t) {
            return !is_column(t.shape) && !is_row(t.shape);
        });
        Typed left = terms.front();
        if (matrix != terms.end() && matrix != terms.begin()) {
            left.shape = same_shape(left, *matrix, sign(ast.operators.front()));
        }
        for (std::size_t i = 0; i < ast.operators.size(); ++i) {
            left = joined(ast, i, left, terms[i + 1]);
        }
        return {ast.begin, ast.end, left.shape};
    }

    [[nodiscard]] bool is_column(const DimPair& s) const { return dims_.is_one(s.cols); }
    [[nodiscard]] bool is_row(const DimPair& s) const { return dims_.is_one(s.rows); }

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
            case BinaryOp::left_divide:
                return left_divide(a, b, quote(text_, a.begin, b.end));
            case BinaryOp::entry_times:
            case BinaryOp::entry_divide:
            case BinaryOp::plus:
            case BinaryOp::less:
            case BinaryOp::less_equal:
            case BinaryOp::greater:
            case BinaryOp::greater_equal:
            case BinaryOp::minus:
                break;
        }
        return same_shape(a, b, sign(op));
    }

    static std::string_view sign(BinaryOp op) {
        switch (op) {
            case BinaryOp::times:
                return "*";
            case BinaryOp::divide:
                return "/";
            case BinaryOp::left_divide:
                return "\\";
            case BinaryOp::entry_times:
                return ".*";
            case BinaryOp::entry_divide:
                return "./";
            case BinaryOp::less:
            case BinaryOp::less_equal:
            case BinaryOp::greater:
            case BinaryOp::greater_equal:
                return "a comparison";
            case BinaryOp::plus:
                return "+";
            case BinaryOp::minus:
                break;
        }
        return "-";
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

    /// inv(A)*B.
    DimPair left_divide(const Typed& a, const Typed& b, const std::string& place) {
        require_square(a, place, "; the least squares solution is inv(A'*A)*A'*b");
        return multiply(a, b);
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

    /// The shape over which both are spread.
    DimPair same_shape(const Typed& a, const Typed& b, std::string_view op) {
        const std::optional<DimPair> shape = spread(a, b);
        if (!shape) {
            fail(a, b, expected_of(a.shape, b.shape, fmt::format("both operands of {}", op)));
        }
        return *shape;
    }

    /// Of a scalar and anything, of two of one shape, of a matrix and a column or row that fits.
    std::optional<DimPair> spread(const Typed& a, const Typed& b) {
        if (dims_.is_scalar(a.shape)) {
            return b.shape;
        }
        if (dims_.is_scalar(b.shape)) {
            return a.shape;
        }
        const bool column = is_column(a.shape) != is_column(b.shape);
        const bool row = is_row(a.shape) != is_row(b.shape);
        if (column && row) {
            return std::nullopt;
        }
        const bool fits = column ? dims_.unify(a.shape.rows, b.shape.rows)
                          : row  ? dims_.unify(a.shape.cols, b.shape.cols)
                                 : unify_shapes(a.shape, b.shape);
        const bool over_b = column ? is_column(a.shape) : row && is_row(a.shape);
        return fits ? std::optional(over_b ? b.shape : a.shape) : std::nullopt;
    }

    [[nodiscard]] std::string expected_of(const DimPair& a, const DimPair& b,
                                          std::string_view both) const {
        const bool column = is_column(a) != is_column(b);
        const bool row = is_row(a) != is_row(b);
        return column == row ? fmt::format("{} must have one shape", both)
               : column      ? fmt::format("{} must have as many rows", both)
                             : fmt::format("{} must have as many columns", both);
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
            } else if (s.operand != 0) {
                t.shape = raise(t, s, visit(ast.children[s.operand]));
            } else if (s.kind == SuffixKind::power && !dims_.is_scalar(t.shape)) {
                require_square(t, quote(text_, ast.begin, s.end),
                               "; each entry alone is raised by .^");
            }
            t.end = s.end;
        }
        return t.shape;
    }

    /// A power whose exponent is no number.
    DimPair raise(const Typed& base, const Suffix& s, const Typed& exponent) {
        if (s.kind == SuffixKind::entry_power) {
            return same_shape(base, exponent, ".^");
        }
        if (!dims_.is_scalar(base.shape) || !dims_.is_scalar(exponent.shape)) {
            fail(base, exponent,
                 "^ raises a scalar to a scalar, or a square matrix to a whole number; each entry "
                 "alone is raised by .^");
        }
        return base.shape;
    }

    DimPair visit_part(const Ast& ast) {
        const Typed a = visit(ast.children.front());
        const auto of = [&](const Range& range, DimId whole) {
            if (range.is_all) {
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
        const Function& function = *find_function(ast.name);
        const FunctionKind kind = function.kind;
        if (kind == FunctionKind::constant) {
            const DimId rows = dims_.mentioned(dimension_argument(ast, ast.children.front()));
            const DimId cols = dims_.mentioned(dimension_argument(ast, ast.children.back()));
            return function.op == Op::dim ? scalar() : DimPair{rows, cols};
        }
        Typed a = visit(ast.children.front());
        switch (kind) {
            case FunctionKind::inverse:
            case FunctionKind::factor:
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
            case FunctionKind::left_divide:
                return left_divide(a, visit(ast.children.back()), quote(text_, ast.begin, ast.end));
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
                    const Typed b = visit(ast.children[i]);
                    const std::optional<DimPair> shape = spread(a, b);
                    if (!shape) {
                        fail_call(ast, a, b);
                    }
                    a.shape = *shape;
                }
                return a.shape;
            case FunctionKind::same_vector:
                require_vector(ast, a);
                return a.shape;
            case FunctionKind::same_shape:
            case FunctionKind::constant:
                break;
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

    void require_vector(const Ast& call, const Typed& a) const {
        if (!is_column(a.shape) && !is_row(a.shape)) {
            throw ShapeError(fmt::format(
                "{}: {} is {}, expected a column or a row; of each row or column of a matrix it is "
                "row{} or col{}",
                quote(text_, call.begin, call.end), text_of(a), shape_text(a.shape), call.name,
                call.name));
        }
    }

    [[noreturn]] void fail_call(const Ast& ast, const Typed& a, const Typed& b) const {
        throw ShapeError(fmt::format("{}: {} is {}, {} is {}; {}", quote(text_, ast.begin, ast.end),
                                     text_of(a), shape_text(a.shape), text_of(b),
                                     shape_text(b.shape), expected_of(a.shape, b.shape, "both")));
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
    std::map<std::string, DimPair, std::less<>> parts_;
    Dimensions& dims_;
    DimId one_;
};

}  // namespace

void infer_shapes(const TextAst& ast, std::string_view text, const SymbolTable& symbols,
                  Dimensions& dimensions) {
    Inference inference(text, symbols, dimensions);
    for (const Definition& definition : ast.definitions) {
        inference.define(definition);
    }
    (void)inference.visit(ast.expression);
}

}  // namespace matgrad::detail
