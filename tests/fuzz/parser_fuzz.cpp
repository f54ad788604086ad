// Any bytes as the text of an expression: either an expression whose text reads back equal, or a
// CallerError of one line. The first line may hold declarations, separated by blanks, if it begins
// with a `!`. A short scalar function is planned with its gradient, and each pass leaves a Program.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/calculus.hpp"
#include "matgrad/expression.hpp"
#include "planner/planner.hpp"

namespace {

/// A longer text is not planned: chains of many factors take their time.
constexpr std::size_t kPlannedText = 120;

void require(bool holds, const char* what, const std::string& text) {
    if (!holds) {
        std::fprintf(stderr, "parser_fuzz: %s: %.2000s\n", what, text.c_str());
        std::abort();
    }
}

std::vector<matgrad::Declaration> read_declarations(std::string_view line) {
    std::vector<matgrad::Declaration> result;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        if (end > 0) {
            result.push_back(matgrad::parse_declaration(line.substr(0, end)));
            require(matgrad::parse_declaration(to_text(result.back())) == result.back(),
                    "a declaration does not read back", to_text(result.back()));
        }
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return result;
}

void check_round_trip(const matgrad::Expr& expr) {
    const std::string text = to_text(expr);
    try {
        const matgrad::Expr again = matgrad::parse(text, symbols(expr));
        require(again == expr, "the text does not read back equal", text);
        const std::string named = to_text(name_repeated_parts(expr));
        require(matgrad::parse(named, symbols(expr)) == expr,
                "the text with names does not read back equal", named);
    } catch (const matgrad::UnsupportedError&) {
        // Powers written out, or brackets that the reader's text did without: past a limit.
    } catch (const matgrad::CallerError& error) {
        require(false, error.what(), text);
    }
    require(!to_latex(expr).empty(), "no LaTeX", text);
    require(!to_numpy(expr).empty(), "no NumPy", text);
}

/// Small sizes, which differ where names do.
std::int64_t size_of_dim(const matgrad::Dim& dim) {
    return dim.name.empty() ? dim.size : 2 + dim.name.back() % 3;
}

void check_program(const matgrad::Expr& f) {
    const std::vector<matgrad::Declaration> declarations = symbols(f);
    if (!f.shape().is_scalar() || declarations.empty() || to_text(f).size() > kPlannedText) {
        return;
    }
    const std::string variable = declarations.front().name;
    matgrad::PlanRequest request;
    request.symbols = declarations;
    request.batch = 8;
    for (const matgrad::Declaration& d : declarations) {
        request.operands.push_back(
            {d.name, size_of_dim(d.shape.rows), size_of_dim(d.shape.cols), d.name != variable});
    }
    const auto derivation = matgrad::derive(f, std::vector{variable},
                                            matgrad::Convention::projected, matgrad::Lines::omit);
    request.outputs = {{matgrad::OutputKind::value, "", f, {}},
                       {matgrad::OutputKind::gradient, variable, derivation.gradients[0].form, {}}};
    for (const bool summed : {false, true}) {
        for (matgrad::OutputRequest& output : request.outputs) {
            output.summed = summed;
        }
        (void)matgrad::make_program(request, [&](std::string_view pass, matgrad::Stage stage,
                                                 const matgrad::Program& program) {
            const std::vector<std::string> faults = matgrad::find_faults(program, stage);
            require(faults.empty(), faults.empty() ? "" : faults[0].c_str(),
                    std::string(pass) + ": " + to_text(f));
        });
    }
}

void check_text(std::string_view text) {
    std::vector<matgrad::Declaration> declarations;
    if (!text.empty() && text.front() == '!') {
        const std::size_t end = std::min(text.find('\n'), text.size());
        declarations = read_declarations(text.substr(1, end - 1));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const matgrad::Expr expr = matgrad::parse(text, declarations);
    check_round_trip(expr);
    check_program(expr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        check_text({reinterpret_cast<const char*>(data), size});
    } catch (const matgrad::ParseError& error) {
        require(error.position() <= error.source().size(), "the place is outside", error.what());
        const std::string excerpt = error.excerpt();
        require(excerpt.back() == '^', "the excerpt has no caret", excerpt);
        require(std::string_view(error.what()).find('\n') == std::string_view::npos,
                "the message has two lines", error.what());
    } catch (const matgrad::CallerError& error) {
        require(std::string_view(error.what()).find('\n') == std::string_view::npos,
                "the message has two lines", error.what());
    }
    return 0;
}
