#include "expression/elaborate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "expression/spread.hpp"

namespace matgrad::detail {
namespace {

/// An expression and the number of nodes of its tree, powers written out.
struct Built {
    Expr expr;
    double nodes = 1;
};

class Elaboration {
public:
    Elaboration(std::string_view text, const SymbolTable& symbols, Dimensions& dimensions)
        : text_(text), dimensions_(dimensions), named_(dimensions.named()) {
        for (const auto& [name, info] : symbols) {
            const Shape shape{named_[info.shape.rows], named_[info.shape.cols]};
            symbols_[name] =
                info.is_dimension ? dim(Dim::named(name)) : symbol({name, shape, info.structure});
        }
    }

    Built visit(const Ast& ast) {
        Built built = build(ast);
        check(built, ast);
        return built;
    }

    /// From here on the name stands for the value, and is one part wherever it stands.
    Expr define(const Definition& definition) {
        return symbols_[definition.name] = visit(definition.value).expr;
    }

private:
    Built build(const Ast& ast) {
        switch (ast.kind) {
            case AstKind::number:
                return {number(ast.number)};
            case AstKind::name:
                return build_name(ast.name);
            case AstKind::negate: {
                const Built a = visit(ast.children.front());
                return {negate(a.expr), a.nodes};
            }
            case AstKind::call:
                return build_call(ast);
            case AstKind::part:
                return build_part(ast);
            case AstKind::postfix:
                return build_postfix(ast);
            case AstKind::sum:
                return build_sum(ast);
            case AstKind::comparison:
                return build_comparison(ast);
            case AstKind::product:
                break;
        }
        return build_product(ast);
    }

    /// What has the value as a part takes its direct children over, and no more.
    Built build_name(const std::string& name) {
        const Expr& value = symbols_.find(name)->second;
        return {value, 1 + static_cast<double>(value->children.size())};
    }

    Built build_sum(const Ast& ast) {
        std::vector<Expr> terms;
        double nodes = 1;
        for (std::size_t i = 0; i < ast.children.size(); ++i) {
            const Built term = visit(ast.children[i]);
            const bool minus = i > 0 && ast.operators[i - 1] == BinaryOp::minus;
            terms.push_back(minus ? negate(term.expr) : term.expr);
            nodes += term.nodes;
        }
        return {add(spread_alike(terms)), nodes};
    }

    Built build_comparison(const Ast& ast) {
        const Built a = visit(ast.children.front());
        const Built b = visit(ast.children.back());
        const double nodes = 1 + a.nodes + b.nodes;
        switch (ast.operators.front()) {
            case BinaryOp::greater:
                return {less(b.expr, a.expr), nodes};
            case BinaryOp::greater_equal:
                return {less_equal(b.expr, a.expr), nodes};
            case BinaryOp::less_equal:
                return {less_equal(a.expr, b.expr), nodes};
            default:
                break;
        }
        return {less(a.expr, b.expr), nodes};
    }

    /// Reads `a*b.*c/s` from the left; what * and .* join in a row becomes one product.
    Built build_product(const Ast& ast) {
        Built first = visit(ast.children.front());
        double nodes = first.nodes;
        std::vector<Expr> run{first.expr};
        bool entrywise = false;
        for (std::size_t i = 0; i < ast.operators.size(); ++i) {
            const Built next = visit(ast.children[i + 1]);
            nodes += next.nodes;
            const BinaryOp op = ast.operators[i];
            if (op == BinaryOp::left_divide) {
                run = {inverse(join(run, entrywise, ast)), next.expr};
                entrywise = false;
                continue;
            }
            const bool divides = op == BinaryOp::divide || op == BinaryOp::entry_divide;
            // A/s is a product with 1/s; s/A is entrywise.
            const bool next_entrywise = op == BinaryOp::entry_times ||
                                        op == BinaryOp::entry_divide ||
                                        (divides && !next.expr.shape().is_scalar());
            if (next_entrywise != entrywise && run.size() > 1) {
                run = {join(run, entrywise, ast)};
            }
            entrywise = next_entrywise;
            run.push_back(divides ? power(next.expr, -1) : next.expr);
        }
        return {join(run, entrywise, ast), nodes};
    }

    Expr join(const std::vector<Expr>& run, bool entrywise, const Ast& ast) {
        Expr joined;
        if (entrywise) {
            joined = hadamard(spread_alike(run));
        } else {
            std::size_t factors = 0;
            for (const Expr& e : run) {
                factors += count_matrix_factors(e);
            }
            check_factors(factors, ast);
            joined = multiply(run);
        }
        check({joined}, ast);  // a chain that alternates * and .* grows deeper at every turn
        return joined;
    }

    Built build_postfix(const Ast& ast) {
        Built a = visit(ast.children.front());
        for (const Suffix& s : ast.suffixes) {
            switch (s.kind) {
                case SuffixKind::transpose:
                    a.expr = transpose(a.expr);
                    break;
                case SuffixKind::entry_power:
                case SuffixKind::power:
                    a = s.operand == 0 ? raise(a, s, ast)
                                       : raise(a, visit(ast.children[s.operand]));
                    break;
            }
            check(a, ast);
        }
        return a;
    }

    static Built raise(const Built& a, const Built& exponent) {
        return {entry_power(a.expr, exponent.expr), 1 + a.nodes + exponent.nodes};
    }

    Built build_part(const Ast& ast) {
        const Built a = visit(ast.children.front());
        std::vector<Range> ranges = ast.ranges;
        for (Range& range : ranges) {
            if (!range.last.name.empty()) {
                range.last = named_[dimensions_.mentioned(range.last)];
            }
        }
        return {ranges.size() == 1 ? part(a.expr, ranges[0]) : part(a.expr, ranges[0], ranges[1]),
                a.nodes + 1};
    }

    Built raise(const Built& a, const Suffix& s, const Ast& ast) {
        if (s.kind == SuffixKind::entry_power || a.expr.shape().is_scalar()) {
            return {power(a.expr, s.exponent), a.nodes};
        }
        const double k = s.exponent;
        if (std::trunc(k) != k || std::fabs(k) > kMaxMatrixExponent) {
            throw UnsupportedError(fmt::format(
                "{}: the exponent of a matrix is a whole number from -{} to {}; each "
                "entry alone is raised by .^",
                quote(text_, ast.begin, s.end), kMaxMatrixExponent, kMaxMatrixExponent));
        }
        const Built result{{}, 1 + a.nodes * std::fabs(k)};
        check_nodes(result.nodes, ast);
        check_factors(count_matrix_factors(a.expr) * static_cast<std::size_t>(std::fabs(k)), ast);
        return {matrix_power(a.expr, static_cast<int>(k)), result.nodes};
    }

    Built build_call(const Ast& ast) {
        const Function& function = *find_function(ast.name);
        if (function.kind == FunctionKind::constant) {
            return {build_constant(function.op, ast)};
        }
        std::vector<Expr> arguments;
        double nodes = 1;
        for (const Ast& child : ast.children) {
            const Built built = visit(child);
            arguments.push_back(built.expr);
            nodes += built.nodes;
        }
        if (function.made_of != nullptr) {
            return {function.made_of(arguments), nodes};
        }
        return {call_as_written(function.op, arguments), nodes};
    }

    Expr build_constant(Op op, const Ast& ast) {
        const Dim n = dim_named(ast, ast.children.front());
        return op == Op::eye   ? eye(n)
               : op == Op::dim ? dim(n)
                               : ones(n, dim_named(ast, ast.children.back()));
    }

    Dim dim_named(const Ast& call, const Ast& argument) {
        return named_[dimensions_.mentioned(dimension_argument(call, argument))];
    }

    void check(const Built& built, const Ast& ast) const {
        check_nodes(built.nodes, ast);
        if (built.expr->depth > kMaxDepth) {
            throw UnsupportedError(fmt::format("{}: the expression is more than {} operations deep",
                                               quote(text_, ast.begin, ast.end), kMaxDepth));
        }
    }

    void check_nodes(double nodes, const Ast& ast) const {
        if (nodes > kMaxExpandedNodes) {
            throw UnsupportedError(
                fmt::format("{}: with its powers written out the expression has more than {} parts",
                            quote(text_, ast.begin, ast.end), kMaxExpandedNodes));
        }
    }

    void check_factors(std::size_t factors, const Ast& ast) const {
        if (factors > kMaxProductFactors) {
            throw UnsupportedError(
                fmt::format("{}: the product has {} matrix factors, the limit "
                            "is {}",
                            quote(text_, ast.begin, ast.end), factors, kMaxProductFactors));
        }
    }

    std::string_view text_;
    Dimensions& dimensions_;
    std::vector<Dim> named_;
    std::map<std::string, Expr, std::less<>> symbols_;
};

}  // namespace

Reading elaborate(const TextAst& ast, std::string_view text, const SymbolTable& symbols,
                  Dimensions& dimensions) {
    Elaboration elaboration(text, symbols, dimensions);
    Reading reading;
    for (const Definition& definition : ast.definitions) {
        reading.parts.push_back(named_part(definition.name, elaboration.define(definition)));
    }
    reading.expression = elaboration.visit(ast.expression).expr;
    return reading;
}

}  // namespace matgrad::detail
