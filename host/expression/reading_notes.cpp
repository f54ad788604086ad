#include "expression/reading_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace matgrad::detail {
namespace {

/// A function of each entry that has a namesake of a matrix.
struct Namesake {
    std::string_view name;
    std::string_view of_matrix;
    std::string_view how;  ///< to say the other one under a trace
};
constexpr Namesake kNamesakes[] = {
    {"exp", "expm",
     "which is not in the language: tr((eye(n) + A/64)^64) comes near it, n being the rows of A"},
    {"sqrt", "sqrtm", "which is not in the language"},
    {"log", "logm", "which is written logdet(A)"},
};

class Notes {
public:
    explicit Notes(std::string_view text) : text_(text) {}

    void visit(const Definition& definition) {
        visit(definition.value);
        values_[definition.name] = &definition.value;
    }

    void visit(const Ast& ast) {
        if (ast.kind == AstKind::name) {
            used_.insert(ast.name);
        } else if (ast.kind == AstKind::call && ast.name == "tr") {
            visit_trace(ast);
        }
        for (const Ast& child : ast.children) {
            visit(child);
        }
    }

    std::vector<std::string> take(const TextAst& ast) {
        for (const Definition& definition : ast.definitions) {
            if (used_.count(definition.name) == 0) {
                notes_.push_back(fmt::format("{} is defined and not used", definition.name));
            }
        }
        return std::move(notes_);
    }

private:
    /// What a name stands for, or the tree itself.
    [[nodiscard]] const Ast& meaning(const Ast& ast) const {
        const auto value = values_.find(ast.name);
        return ast.kind == AstKind::name && value != values_.end() ? *value->second : ast;
    }

    void visit_trace(const Ast& trace) {
        const Ast& argument = meaning(trace.children.front());
        const auto* namesake =
            std::find_if(std::begin(kNamesakes), std::end(kNamesakes), [&](const Namesake& n) {
                return argument.kind == AstKind::call && argument.name == n.name;
            });
        if (namesake == std::end(kNamesakes)) {
            return;
        }
        notes_.push_back(
            fmt::format("{}: {} is of each entry; of a matrix it would be tr({}(A)), {}",
                        quote(text_, trace.begin, trace.end), namesake->name, namesake->of_matrix,
                        namesake->how));
    }

    std::string_view text_;
    std::map<std::string, const Ast*, std::less<>> values_;
    std::set<std::string, std::less<>> used_;
    std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::string> reading_notes(const TextAst& ast, std::string_view text) {
    Notes notes(text);
    for (const Definition& definition : ast.definitions) {
        notes.visit(definition);
    }
    notes.visit(ast.expression);
    return notes.take(ast);
}

}  // namespace matgrad::detail
