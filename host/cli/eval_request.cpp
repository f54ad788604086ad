#include "cli/eval_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/plan_making.hpp"
#include "cli/number.hpp"
#include "cli/result_paths.hpp"

namespace matgrad {
namespace {

/// `NAME=REST`.
struct Assignment {
    std::string name;
    std::string rest;
};

Assignment split_assignment(const std::string& option, const std::string& word,
                            const char* expected) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
        throw CallerError(fmt::format("{}: found '{}', expected {}", option, word, expected));
    }
    return {word.substr(0, equals), word.substr(equals + 1)};
}

const Declaration* find_symbol(const std::vector<Declaration>& symbols, const std::string& name) {
    const auto at = std::find_if(symbols.begin(), symbols.end(),
                                 [&](const Declaration& s) { return s.name == name; });
    return at == symbols.end() ? nullptr : &*at;
}

void add_source(EvalRequest& request, const std::vector<Declaration>& symbols,
                const Assignment& assignment) {
    const Declaration* symbol = find_symbol(symbols, assignment.name);
    if (symbol == nullptr) {
        std::string names;
        for (const Declaration& s : symbols) {
            names += (names.empty() ? "" : ", ") + s.name;
        }
        throw OperandError(fmt::format("operand {}={} is not used: {} has {}", assignment.name,
                                       assignment.rest, request.question.text,
                                       names.empty() ? "no symbols" : names));
    }
    for (const OperandSource& other : request.sources) {
        if (other.operand().name == symbol->name) {
            throw OperandError(fmt::format("operand {} is given twice: {} and {}", symbol->name,
                                           other.word(), assignment.rest));
        }
    }
    request.sources.emplace_back(*symbol, assignment.rest);
}

/// The direction of --hvp, which has the shape of the one variable.
Assignment add_direction(EvalRequest& request, std::vector<Declaration>& symbols,
                         const std::string& word) {
    if (request.question.wrt.size() != 1) {
        throw CallerError(fmt::format("--hvp {}: found {} variables, expected one --wrt", word,
                                      request.question.wrt.size()));
    }
    Assignment assignment = split_assignment("--hvp", word, "V=V.npy");
    const std::string& variable = request.question.wrt[0];
    if (find_symbol(symbols, assignment.name) != nullptr) {
        throw NameError(fmt::format("--hvp {}: {} is a symbol of {}, expected a new name", word,
                                    assignment.name, request.question.text));
    }
    Declaration direction{assignment.name, find_symbol(symbols, variable)->shape,
                          Structure::general};
    (void)parse_declaration(to_text(direction));  // the name is one of the language
    symbols.push_back(std::move(direction));
    request.options.hvp.push_back({variable, assignment.name});
    return assignment;
}

/// Of each variable, where its gradient goes.
std::map<std::string, std::string> gradient_paths(const EvalArguments& arguments,
                                                  const std::vector<std::string>& wrt) {
    std::map<std::string, std::string> paths;
    for (const std::string& word : arguments.gradients) {
        const std::size_t equals = word.find('=');
        std::string name = equals == std::string::npos ? "" : word.substr(0, equals);
        std::string path = equals == std::string::npos ? word : word.substr(equals + 1);
        const bool is_variable = std::count(wrt.begin(), wrt.end(), name) != 0;
        if (!is_variable && name.find_first_of("/.") != std::string::npos) {
            path = word;  // an equals sign within a path
            name.clear();
        }
        if (name.empty() && wrt.size() != 1) {
            throw CallerError(
                fmt::format("--grad {}: found {} variables, expected --grad X=FILE for each of {}",
                            word, wrt.size(), fmt::join(wrt, ", ")));
        }
        if (name.empty()) {
            name = wrt[0];
        } else if (!is_variable) {
            throw NameError(fmt::format("--grad {}: {} is no variable, expected one of {}", word,
                                        name, fmt::join(wrt, ", ")));
        }
        if (path.empty()) {
            throw CallerError(fmt::format("--grad {}: the path is empty", word));
        }
        if (!paths.emplace(name, path).second) {
            throw CallerError(
                fmt::format("--grad {}: gradient {} already goes to {}", word, name, paths[name]));
        }
    }
    return paths;
}

/// Values, gradients and products asked for, in the order of a plan's outputs.
void choose_results(EvalRequest& request, const EvalArguments& arguments) {
    const std::vector<std::string>& wrt = request.question.wrt;
    std::map<std::string, std::string> paths = gradient_paths(arguments, wrt);
    // With no file for the value or a gradient, everything is computed and printed.
    const bool prints_all = !arguments.value && paths.empty() && !arguments.hvp;
    request.options.value = arguments.value.has_value() || prints_all;
    if (request.options.value) {
        request.result_paths.push_back(arguments.value);
    }
    for (const std::string& name : wrt) {
        const auto at = paths.find(name);
        if (at != paths.end()) {
            request.options.wrt.push_back(name);
            request.result_paths.push_back(at->second);
        } else if (prints_all) {
            request.options.wrt.push_back(name);
            request.result_paths.push_back(std::nullopt);
        }
    }
    if (arguments.hvp) {
        request.result_paths.push_back(arguments.hvp_out);
    }
    if (arguments.rcond) {
        request.result_paths.push_back(arguments.rcond);
    }
    if (arguments.entry && request.options.wrt.empty()) {
        throw CallerError("--entry: no gradient is asked for, expected --wrt and --grad");
    }
}

/// The one length that the operands give a dimension, without those that may be columns or single vectors.
std::optional<std::int64_t> known_length(const EvalRequest& request,
                                         const std::vector<Declaration>& symbols, const Dim& dim) {
    for (const OperandSource& source : request.sources) {
        const Declaration& symbol = *find_symbol(symbols, source.operand().name);
        if (source.is_column()) {
            continue;
        }
        if (symbol.shape.rows == dim) {
            return source.operand().rows;
        }
        if (symbol.shape.cols == dim) {
            return source.operand().cols;
        }
    }
    return std::nullopt;
}

/// A file of shape (n, 1) is one vector, but where another operand says that its length is 1: then it is n.
void settle_columns(EvalRequest& request, const std::vector<Declaration>& symbols) {
    for (OperandSource& source : request.sources) {
        const Dim& rows = find_symbol(symbols, source.operand().name)->shape.rows;
        if (source.is_column() && known_length(request, symbols, rows) == 1) {
            source.read_as_vectors_of_length_1();
        }
    }
}

/// The type of the float files, of which all that are no single scalars have to be one; shorter floats count as
/// float32, where there are no others.
ScalarType type_of_files(const EvalRequest& request) {
    const OperandSource* first = nullptr;
    bool has_half = false;
    std::optional<ScalarType> of_scalars;
    for (const OperandSource& source : request.sources) {
        const std::optional<NpyElement> element = source.element();
        const std::optional<ScalarType> type =
            element ? scalar_type(*element) : std::optional<ScalarType>();
        has_half = has_half || (element && !type && is_floating(*element));
        if (!type) {
            continue;
        }
        if (source.is_one_scalar()) {
            of_scalars = of_scalars == ScalarType::float64 ? of_scalars : type;
        } else if (first == nullptr) {
            first = &source;
        } else if (scalar_type(*first->element()) != type) {
            throw OperandError(
                fmt::format("operand {}: {} is {} but {} is {}, expected one type for all, or "
                            "--type float32 or "
                            "--type float64",
                            source.operand().name, source.word(), type_text(*type), first->word(),
                            to_text(*first->element())));
        }
    }
    if (first != nullptr) {
        return *scalar_type(*first->element());
    }
    return has_half ? ScalarType::float32 : of_scalars.value_or(ScalarType::float64);
}

/// The batch axes are folded into one for the run.
void settle_batch(EvalRequest& request) {
    const OperandSource* first = nullptr;
    for (const OperandSource& source : request.sources) {
        if (!source.operand().batched) {
            continue;
        }
        if (first == nullptr) {
            first = &source;
        } else if (first->batch_shape() != source.batch_shape()) {
            const bool has_one_axis =
                first->batch_shape().size() == 1 && source.batch_shape().size() == 1;
            throw OperandError(
                has_one_axis
                    ? fmt::format(
                          "operand {}: {} has {} problems but {} has {}, expected one batch size",
                          source.operand().name, source.word(), source.batch(), first->word(),
                          first->batch())
                    : fmt::format(
                          "operand {}: {} has the batch axes {} but {} has {}, expected the "
                          "same: reshape one of them",
                          source.operand().name, source.word(),
                          npy_shape_text(source.batch_shape()), first->word(),
                          npy_shape_text(first->batch_shape())));
        }
    }
    if (first != nullptr) {
        request.batch_shape = first->batch_shape();
        request.batch = first->batch();
    }
    request.is_batched = first != nullptr;
}

/// No result over an operand, no two results to one file.
void check_paths(const EvalRequest& request) {
    std::vector<std::string> paths;
    for (const auto& path : request.result_paths) {
        if (path) {
            paths.push_back(*path);
        }
    }
    for (const auto& path : {request.status_path, request.error_path}) {
        if (path) {
            paths.push_back(*path);
        }
    }
    check_distinct(paths);
    for (const std::string& path : paths) {
        for (const OperandSource& source : request.sources) {
            if (source.is_file(path)) {
                throw FileError(
                    fmt::format("{}: is the file of operand {}, expected another place "
                                "for the result",
                                path, source.operand().name));
            }
        }
    }
}

}  // namespace

std::vector<std::string> EvalRequest::remarks() const {
    std::vector<std::string> result;
    for (const OperandSource& source : sources) {
        if (auto remark = source.remark(options.type, is_type_given)) {
            result.push_back(std::move(*remark));
        }
    }
    return result;
}

std::vector<Operand> EvalRequest::operands() const {
    std::vector<Operand> result;
    for (const OperandSource& source : sources) {
        result.push_back(source.operand());
    }
    return result;
}

EvalRequest make_eval_request(const EvalArguments& arguments) {
    const bool needs_wrt =
        !arguments.gradients.empty() || arguments.hvp.has_value() || arguments.entry.has_value();
    EvalRequest request;
    request.question = resolve_question(arguments.question, needs_wrt);
    request.options.convention = arguments.question.convention;
    request.options.accuracy = arguments.accuracy;
    request.options.reduction = arguments.reduction;
    request.options.entry = arguments.entry;
    request.options.threads = arguments.threads;
    request.options.device = arguments.device.device;
    request.options.device_memory = arguments.device.memory;
    request.options.tf32 = arguments.device.tf32;
    request.options.executor = arguments.device.executor;
    request.status_path = arguments.status;
    request.error_path = arguments.error;
    request.options.rcond = arguments.rcond.has_value();
    request.options.error = arguments.error.has_value();
    request.options.jitter = arguments.jitter;
    request.verify = arguments.verify;
    if (arguments.hvp_out && !arguments.hvp) {
        throw CallerError(fmt::format("--hvp-out {}: nothing to write without --hvp V=V.npy",
                                      *arguments.hvp_out));
    }

    std::vector<Declaration> symbols = request.question.symbols;
    std::optional<Assignment> direction;
    if (arguments.hvp) {
        direction = add_direction(request, symbols, *arguments.hvp);
    }
    choose_results(request, arguments);
    for (const std::string& word : arguments.operands) {
        const Assignment assignment =
            split_assignment("operand", word, "NAME=FILE.npy or NAME=NUMBER");
        add_source(request, symbols, assignment);
    }
    if (direction) {
        add_source(request, symbols, *direction);
    }
    for (const Declaration& symbol : detail::needed_symbols(request.question.f, request.options)) {
        const bool given = std::any_of(
            request.sources.begin(), request.sources.end(),
            [&](const OperandSource& source) { return source.operand().name == symbol.name; });
        if (!given) {
            throw OperandError(
                fmt::format("operand {} is missing: expected {}={}", symbol.name, symbol.name,
                            symbol.shape.is_scalar() ? "NUMBER or a .npy file"
                                                     : "FILE.npy, " + symbol.shape.text()));
        }
    }
    request.is_type_given = arguments.type.has_value();
    request.options.type = arguments.type ? *arguments.type : type_of_files(request);
    for (const OperandSource& source : request.sources) {
        if (!source.element()) {
            check_number_fits(source.operand().name, source.number(), request.options.type);
        }
    }
    settle_columns(request, symbols);
    settle_batch(request);
    check_paths(request);
    return request;
}

}  // namespace matgrad
