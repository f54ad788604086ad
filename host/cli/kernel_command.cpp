#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/kernel.hpp"
#include "bench/recording.hpp"
#include "cli/check_draw.hpp"
#include "cli/command.hpp"
#include "cli/printable.hpp"
#include "cli/question.hpp"

namespace matgrad {
namespace {

/// Of every symbol, with the sizes of --dims.
std::vector<Operand> operands_of(const Question& question, const KernelArguments& arguments) {
    const std::vector<std::string> names = dimension_names(question.symbols);
    check_dims_known(arguments.dims, names);
    for (const std::string& name : names) {
        if (arguments.dims.count(name) == 0) {
            throw CallerError(fmt::format("--dims: {} has no size, expected --dims {}=SIZE", name,
                                          fmt::join(names, "=SIZE,")));
        }
    }
    for (const std::string& name : arguments.shared) {
        const bool is_known =
            std::any_of(question.symbols.begin(), question.symbols.end(),
                        [&name](const Declaration& symbol) { return symbol.name == name; });
        if (!is_known) {
            throw NameError(
                fmt::format("--shared {}: no symbol of {} has this name", name, question.text));
        }
    }
    const auto size = [&](const Dim& dim) {
        return dim.name.empty() ? dim.size : arguments.dims.at(dim.name);
    };
    std::vector<Operand> operands;
    for (const Declaration& symbol : question.symbols) {
        const bool is_shared =
            std::count(arguments.shared.begin(), arguments.shared.end(), symbol.name) != 0;
        operands.push_back(
            {symbol.name, size(symbol.shape.rows), size(symbol.shape.cols), !is_shared});
    }
    return operands;
}

}  // namespace

int kernel_command(const KernelArguments& arguments) {
    const Question question = resolve_question(arguments.question, true);
    detail::KernelQuestion asked;
    asked.text = question.text;
    asked.f = question.f;
    asked.operands = operands_of(question, arguments);
    asked.options.wrt = question.wrt;
    asked.options.convention = arguments.question.convention;
    asked.options.type = arguments.type;
    asked.options.accuracy = arguments.accuracy;
    asked.options.expected_batch = arguments.batch;
    asked.architecture = arguments.architecture;
    const gpu::KernelReport report = detail::report_kernel(asked);
    if (!report.reason.empty()) {
        fmt::print(stderr, "matgrad: no fused kernel: {}\n", printable(report.reason));
        return kSomeFailed;
    }
    if (!arguments.standalone) {
        fmt::print("{}\n{}", report.source, report.text);
        return kSuccess;
    }
    const Draw draw = choose_draw(question, arguments.dims);
    try {
        bench::write_whole(
            *arguments.standalone,
            detail::standalone_kernel(asked, {draw.positive_entries, draw.small_variables}));
    } catch (const UnsupportedError& error) {
        fmt::print(stderr, "matgrad: --standalone: {}\n", printable(error.what()));
        return kSomeFailed;
    }
    fmt::print("{}", report.text);
    return kSuccess;
}

}  // namespace matgrad
