#include "expression/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace matgrad::detail {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

/// The function that was probably meant, or nothing.
std::string_view nearest_function(std::string_view name) {
    const std::string word = fmt::format(" {} ", name);
    for (const Function& f : functions()) {
        if (f.also.find(word) != std::string_view::npos) {
            return f.name;
        }
    }
    std::string_view best;
    std::size_t best_distance = 3;  // more than two typing errors is another word
    if (name.size() > 16) {
        return best;
    }
    for (const Function& f : functions()) {
        const std::size_t distance = edit_distance(name, f.name);
        if (distance < best_distance && distance < f.name.size()) {
            best = f.name;
            best_distance = distance;
        }
    }
    return best;
}

bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

/// The product that `AX` was probably meant to be: `A*X`.
std::string split_capitals(std::string_view name) {
    std::string result;
    for (const char c : name) {
        if (is_capital(c) && !result.empty()) {
            result += '*';
        }
        result += c;
    }
    return result;
}

std::string unknown_function(const std::string& name) {
    const std::string_view nearest = nearest_function(name);
    if (!nearest.empty()) {
        return fmt::format("there is no function {}; did you mean {}?", name, nearest);
    }
    return fmt::format("there is no function {0}; a product is written {0}*(...)", name);
}

class Collector {
public:
    Collector(std::span<const Declaration> declarations, Dimensions& dimensions)
        : dimensions_(dimensions) {
        for (const Declaration& d : declarations) {
            check_declaration(d);
            const auto [at, is_new] = declared_.try_emplace(d.name, d);
            if (!is_new && !(at->second == d)) {
                throw NameError(fmt::format("{} is declared twice: {} and {}", d.name,
                                            to_text(at->second), to_text(d)));
            }
            // All declared dimension names are known before any of eye or ones is met.
            (void)dimensions_.declared(d.shape.rows);
            (void)dimensions_.declared(d.shape.cols);
        }
    }

    void visit(const Ast& ast) {
        if (ast.kind == AstKind::name) {
            visit_symbol(ast.name);
        } else if (ast.kind == AstKind::call && !visit_call(ast)) {
            return;
        }
        for (const Range& range : ast.ranges) {
            if (!range.last.name.empty()) {
                (void)dimensions_.mentioned(range.last);
            }
        }
        for (const Ast& child : ast.children) {
            visit(child);
        }
    }

    SymbolTable take() {
        for (const auto& [name, info] : table_) {
            if (name[0] == 'd' && table_.count(name.substr(1)) != 0) {
                throw NameError(
                    fmt::format("{} is reserved for the differential of {}", name, name.substr(1)));
            }
        }
        return std::move(table_);
    }

private:
    void visit_symbol(const std::string& name) {
        if (table_.count(name) != 0) {
            return;
        }
        const auto at = declared_.find(name);
        if (at != declared_.end()) {
            const Declaration& d = at->second;
            const DimId rows = dimensions_.declared(d.shape.rows);
            const DimId cols = dimensions_.declared(d.shape.cols);
            table_[name] = {{rows, cols}, d.structure};
            return;
        }
        if (find_function(name) != nullptr) {
            throw NameError(
                fmt::format("{0} is a function: write {0}(...), or declare {0} as a symbol", name));
        }
        if (name.size() > 1 && is_capital(name[0]) && is_capital(name[1])) {
            throw NameError(
                fmt::format("{0} is not declared; did you mean {1}? A name that starts "
                            "with two capitals must be declared, as in {0}=m,n",
                            name, split_capitals(name)));
        }
        const DimId rows = dimensions_.unknown();
        const DimId cols =
            is_capital(name[0]) ? dimensions_.unknown() : dimensions_.declared(Dim::literal(1));
        table_[name] = {{rows, cols}, Structure::general};
    }

    /// False if the arguments hold no symbols.
    bool visit_call(const Ast& call) {
        if (declared_.count(call.name) != 0) {
            throw NameError(fmt::format(
                "{0} is declared as a symbol and cannot be called; a product is written {0}*(...)",
                call.name));
        }
        const Function* function = find_function(call.name);
        if (function == nullptr) {
            throw NameError(unknown_function(call.name));
        }
        if (call.children.size() != function->arity) {
            throw NameError(fmt::format("{} takes {} argument{}, found {}", call.name,
                                        function->arity, function->arity == 1 ? "" : "s",
                                        call.children.size()));
        }
        if (function->kind != FunctionKind::constant) {
            return true;
        }
        for (const Ast& argument : call.children) {
            (void)dimensions_.mentioned(dimension_argument(call, argument));
        }
        return false;
    }

    Dimensions& dimensions_;
    std::map<std::string, Declaration, std::less<>> declared_;
    SymbolTable table_;
};

}  // namespace

Dim dimension_argument(const Ast& call, const Ast& argument) {
    if (argument.kind == AstKind::name) {
        return Dim::named(argument.name);
    }
    const double n = argument.number;
    if (argument.kind == AstKind::number && n >= 1 && n <= kLargestWhole && std::trunc(n) == n) {
        return Dim::literal(static_cast<std::int64_t>(n));
    }
    throw ShapeError(
        fmt::format("{}: a dimension is a name or a whole number of at least 1, as in {}",
                    call.name, call.name == "eye" ? "eye(n)" : "ones(m,3)"));
}

void read_entries(Ast& ast, std::span<const Declaration> declarations) {
    for (Ast& child : ast.children) {
        read_entries(child, declarations);
    }
    const auto is_index = [](const Ast& a) {
        return a.kind == AstKind::number && a.number <= kLargestWhole &&
               std::trunc(a.number) == a.number;
    };
    if (ast.kind != AstKind::call ||
        !std::all_of(ast.children.begin(), ast.children.end(), is_index)) {
        return;
    }
    const bool is_declared =
        std::any_of(declarations.begin(), declarations.end(),
                    [&ast](const Declaration& d) { return d.name == ast.name; });
    // A misspelt function is none of a vector: lgo(2). Of one or two letters nothing is misspelt.
    constexpr std::size_t kShort = 2;
    const bool is_function = find_function(ast.name) != nullptr ||
                             (ast.name.size() > kShort && !nearest_function(ast.name).empty());
    if (!is_declared && is_function) {
        return;
    }
    Ast symbol;
    symbol.kind = AstKind::name;
    symbol.name = std::exchange(ast.name, {});
    symbol.begin = ast.begin;
    symbol.end = ast.begin + symbol.name.size();
    for (const Ast& index : ast.children) {
        ast.ranges.emplace_back(static_cast<std::int64_t>(index.number));
    }
    ast.kind = AstKind::part;
    ast.children.clear();
    ast.children.push_back(std::move(symbol));
}

SymbolTable collect_symbols(const Ast& ast, std::span<const Declaration> declarations,
                            Dimensions& dimensions) {
    Collector collector(declarations, dimensions);
    collector.visit(ast);
    return collector.take();
}

}  // namespace matgrad::detail
