#include "expression/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "expression/foreign_functions.hpp"

namespace matgrad::detail {
namespace {

/// Letters that are put in, left out, replaced, or exchanged with the next one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before;  // the row before the last one
    std::vector<std::size_t> last(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before = std::exchange(last, std::move(row));
    }
    return last[b.size()];
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
    constexpr std::size_t kShort = 5;  // of which two letters make another word
    constexpr std::size_t kLongest = 16;
    std::size_t best_distance = name.size() > kShort ? 3 : 2;
    if (name.size() > kLongest) {
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
    const std::string_view answer = answer_for_function(name);
    if (!answer.empty()) {
        return fmt::format("there is no function {}{}", name, answer);
    }
    const std::string_view nearest = nearest_function(name);
    if (!nearest.empty()) {
        return fmt::format("there is no function {}; did you mean {}?", name, nearest);
    }
    return fmt::format("there is no function {0}; a product is written {0}*(...)", name);
}

/// A misspelt function is none of a vector, as in lgo(2). Of one or two letters nothing is misspelt.
bool is_like_a_function(const std::string& name) {
    constexpr std::size_t kShort = 2;
    return find_function(name) != nullptr || !answer_for_function(name).empty() ||
           (name.size() > kShort && !nearest_function(name).empty());
}

class Collector {
public:
    Collector(const TextAst& ast, std::string_view text, std::span<const Declaration> declarations,
              Dimensions& dimensions)
        : text_(text), dimensions_(dimensions) {
        for (const Declaration& d : declarations) {
            check_declaration(d);
            const auto [at, is_new] = declared_.try_emplace(d.name, d);
            if (!is_new && !(at->second == d)) {
                throw NameError(fmt::format("{} is declared twice: {} and {}", d.name,
                                            to_text(at->second), to_text(d)));
            }
            // All declared dimension names are known before any of eye or ones is met.
            for (const Dim& dim : {d.shape.rows, d.shape.cols}) {
                (void)dimensions_.declared(dim);
                declared_dimensions_.insert(dim.name);
            }
        }
        for (const Definition& definition : ast.definitions) {
            check(definition);
            (void)parts_.emplace(definition.name, Part{definition.begin, false});
        }
    }

    void visit(const Definition& definition) {
        visit(definition.value);
        parts_.find(definition.name)->second.is_complete = true;
    }

    void visit(const Ast& ast) {
        if (ast.kind == AstKind::name) {
            visit_name(ast);
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
            check_differential(name);
        }
        for (const auto& [name, part] : parts_) {
            check_differential(name);
        }
        return std::move(table_);
    }

private:
    /// A name that the text defines.
    struct Part {
        std::size_t begin = 0;
        bool is_complete = false;  ///< its value has been read
    };

    void check_differential(const std::string& name) const {
        const std::string of = name.substr(1);
        if (name[0] == 'd' && (table_.count(of) != 0 || parts_.count(of) != 0)) {
            throw NameError(fmt::format("{} is reserved for the differential of {}", name, of));
        }
    }

    [[noreturn]] void fail(const std::string& message, std::size_t at) const {
        throw ParseError(fmt::format("{} (position {})", message, at), std::string(text_), at);
    }

    void check(const Definition& definition) const {
        const std::string& name = definition.name;
        if (declared_.count(name) != 0) {
            fail(fmt::format("{} is both declared and defined: a part has the shape of what it "
                             "stands for",
                             name),
                 definition.begin);
        }
        if (parts_.count(name) != 0) {
            fail(fmt::format("{} is defined twice", name), definition.begin);
        }
    }

    void visit_name(const Ast& ast) {
        const auto part = parts_.find(ast.name);
        if (part == parts_.end()) {
            visit_symbol(ast.name);
        } else if (!part->second.is_complete) {
            fail(ast.name + (part->second.begin < ast.begin
                                 ? " stands in its own definition; a definition ends with ;"
                                 : " stands before its definition"),
                 ast.begin);
        }
    }

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
        if (declared_dimensions_.count(name) != 0) {
            const DimId one = dimensions_.declared(Dim::literal(1));
            table_[name] = {{one, one}, Structure::general, true};
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

    /// x(1.5) is no function of a number.
    void check_index(const Ast& call) const {
        for (const Ast& index : call.children) {
            if (index.kind == AstKind::number && !is_like_a_function(call.name)) {
                fail(fmt::format("{}: an index is a whole number, as in {}(2)",
                                 quote(text_, call.begin, call.end), call.name),
                     index.begin);
            }
        }
    }

    /// False if the arguments hold no symbols.
    bool visit_call(const Ast& call) {
        const bool is_part = parts_.count(call.name) != 0;
        if (is_part || declared_.count(call.name) != 0) {
            throw NameError(
                fmt::format("{0} is {1} and cannot be called; a product is written {0}*(...)",
                            call.name, is_part ? "the name of a part" : "declared as a symbol"));
        }
        const Function* function = find_function(call.name);
        if (function == nullptr) {
            check_index(call);
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

    std::string_view text_;
    Dimensions& dimensions_;
    std::map<std::string, Declaration, std::less<>> declared_;
    std::set<std::string, std::less<>> declared_dimensions_;
    std::map<std::string, Part, std::less<>> parts_;
    SymbolTable table_;
};

void read_entries(Ast& ast, const std::set<std::string_view>& operands) {
    for (Ast& child : ast.children) {
        read_entries(child, operands);
    }
    const auto is_index = [](const Ast& a) {
        return a.kind == AstKind::number && a.number <= kLargestWhole &&
               std::trunc(a.number) == a.number;
    };
    if (ast.kind != AstKind::call ||
        !std::all_of(ast.children.begin(), ast.children.end(), is_index) ||
        (operands.count(ast.name) == 0 && is_like_a_function(ast.name))) {
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
                    call.name, call.name == "ones" ? "ones(m,3)" : call.name + "(n)"));
}

void read_entries(TextAst& ast, std::span<const Declaration> declarations) {
    std::set<std::string_view> operands;
    for (const Declaration& d : declarations) {
        operands.insert(d.name);
    }
    for (const Definition& definition : ast.definitions) {
        operands.insert(definition.name);
    }
    for (Definition& definition : ast.definitions) {
        read_entries(definition.value, operands);
    }
    read_entries(ast.expression, operands);
}

SymbolTable collect_symbols(const TextAst& ast, std::string_view text,
                            std::span<const Declaration> declarations, Dimensions& dimensions) {
    Collector collector(ast, text, declarations, dimensions);
    for (const Definition& definition : ast.definitions) {
        collector.visit(definition);
    }
    collector.visit(ast.expression);
    return collector.take();
}

}  // namespace matgrad::detail
