#include "api/binding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/argument_places.hpp"

namespace matgrad::detail {
namespace {

const char* text_of(ScalarType type) {
    return type == ScalarType::float32 ? "float" : "double";
}

/// An operand or an output, as a run sees it.
struct Expected {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    bool batched = false;
    ScalarType type = ScalarType::float64;
};

/// The number of problems, and who said so first.
struct Count {
    static constexpr std::int64_t kAny = -2;
    std::int64_t problems = kAny;
    std::string_view said_by;
};

template <typename V>
void check_type_and_size(const Expected& expected, const V& view, const auto& name) {
    if (view.data() != nullptr && view.type() != expected.type) {
        throw OperandError(fmt::format("{} is of type {}: the plan is for {}", name(),
                                       text_of(view.type()), text_of(expected.type)));
    }
    if (view.rows() == V::kOfThePlan && view.entries() == V::kUnknown) {
        throw OperandError(fmt::format("{} is a view without sizes: expected {}-by-{}", name(),
                                       expected.rows, expected.cols));
    }
    if (view.rows() != V::kOfThePlan &&
        (view.rows() != expected.rows || view.cols() != expected.cols)) {
        throw OperandError(fmt::format("{} is {}-by-{}: expected {}-by-{}", name(), view.rows(),
                                       view.cols(), expected.rows, expected.cols));
    }
}

/// How many problems a container of so many entries has. Errors: OperandError.
std::int64_t problems_in(std::int64_t entries, const Expected& expected, const auto& name) {
    const std::int64_t size = expected.rows * expected.cols;
    if (!expected.batched) {
        if (entries != size) {
            throw OperandError(
                fmt::format("{} has {} entries: expected {}, those of one {}-by-{} matrix", name(),
                            entries, size, expected.rows, expected.cols));
        }
        return 1;
    }
    if (size == 0 ? entries != 0 : entries % size != 0) {
        throw OperandError(fmt::format(
            "{} has {} entries: expected a multiple of {}, those of one {}-by-{} matrix", name(),
            entries, size, expected.rows, expected.cols));
    }
    return size == 0 ? Count::kAny : entries / size;
}

/// The number of problems that a view has; kAny if it is shared, or has no entries that would tell.
template <typename V>
std::int64_t problems_of(const Expected& expected, const V& view, const auto& name) {
    if (view.rows() == V::kOfThePlan && view.batch() == V::kOneMatrix) {
        const std::int64_t count = problems_in(view.entries(), expected, name);
        return expected.batched ? count : Count::kAny;
    }
    if (expected.batched && view.batch() == V::kOneMatrix) {
        throw OperandError(
            fmt::format("{} is one matrix: the plan takes a batch, expected "
                        "batched(n) of the view",
                        name()));
    }
    if (!expected.batched && view.batch() != V::kOneMatrix) {
        throw OperandError(fmt::format(
            "{} is a batch of {}: the plan has one matrix for all problems", name(), view.batch()));
    }
    if (expected.batched && view.batch() < 0) {
        throw OperandError(
            fmt::format("{} is a batch of {}: expected at least 0", name(), view.batch()));
    }
    return expected.batched ? view.batch() : Count::kAny;
}

void take_count(Count& count, std::int64_t problems, const auto& name, std::string_view own_name) {
    if (problems == Count::kAny) {
        return;
    }
    if (count.problems == Count::kAny) {
        count = {problems, own_name};
    } else if (count.problems != problems) {
        throw OperandError(fmt::format("{} has {} problems: expected {}, as {} has", name(),
                                       problems, count.problems, count.said_by));
    }
}

/// Strides, with those that the plan's sizes give where the view has none of its own.
template <typename Raw, typename V>
Raw strides_of(const Expected& expected, const V& view) {
    const bool of_the_plan = view.rows() == V::kOfThePlan;
    const bool has_stride = view.batch() != V::kOneMatrix && view.batch_stride() != V::kOfThePlan;
    return {view.data(), of_the_plan ? expected.cols : view.row_stride(),
            of_the_plan ? 1 : view.col_stride(),
            has_stride         ? view.batch_stride()
            : expected.batched ? expected.rows * expected.cols
                               : 0};
}

/// Errors: those of place_arguments.
template <typename Argument>
std::span<const std::size_t> places_of(const char* what, std::span<const std::string> names,
                                       std::span<const Argument> given, CallMemory& memory) {
    const auto given_names = memory.list<std::string_view>(given.size());
    std::transform(given.begin(), given.end(), given_names.begin(),
                   [](const Argument& argument) { return argument.name; });
    const auto places = memory.list<std::size_t>(given.size());
    place_arguments(what, names, given_names, places);
    return places;
}

Count bind_operands(const RunContract& contract, std::span<const OperandView> given,
                    BoundCall& call, CallMemory& memory) {
    Count count;
    const auto places = places_of("operand", contract.operand_names, given, memory);
    call.operands = memory.list<ConstStrided>(contract.operands.size());
    call.operand_entries = memory.list<std::int64_t>(contract.operands.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
        const std::size_t at = places[i];
        const Operand& operand = contract.operands[at];
        const auto name = [&operand] { return "operand " + operand.name; };
        const Expected expected{operand.rows, operand.cols, operand.batched, contract.type};
        check_type_and_size(expected, given[i].view, name);
        take_count(count, problems_of(expected, given[i].view, name), name, operand.name);
        call.operands[at] = strides_of<ConstStrided>(expected, given[i].view);
        call.operand_entries[at] = given[i].view.entries();
    }
    return count;
}

Count bind_results(const RunContract& contract, std::span<const ResultView> given, Count count,
                   BoundCall& call, CallMemory& memory) {
    const auto places = places_of("result", contract.output_names, given, memory);
    call.results = memory.list<Strided>(contract.outputs.size());
    call.result_entries = memory.list<std::int64_t>(contract.outputs.size());
    const bool any_beta =
        std::any_of(given.begin(), given.end(), [](const ResultView& r) { return r.beta != 0; });
    call.beta = memory.list<double>(any_beta ? contract.outputs.size() : 0);
    for (std::size_t i = 0; i < given.size(); ++i) {
        const std::size_t at = places[i];
        const OutputInfo& output = contract.outputs[at];
        const auto name = [&] { return "the result " + contract.output_names[at]; };
        const Expected expected{output.rows, output.cols, output.batched, contract.type};
        check_type_and_size(expected, given[i].view, name);
        take_count(count, problems_of(expected, given[i].view, name), name,
                   contract.output_names[at]);
        call.results[at] = strides_of<Strided>(expected, given[i].view);
        call.result_entries[at] = given[i].view.entries();
        if (given[i].beta != 0 && output.batched && output.reduction == Reduction::mean) {
            throw OperandError(fmt::format(
                "{} is to be added to {} times what is there: expected 0, since it is one of each "
                "problem and a mean divides it when the batch is done",
                name(), given[i].beta));
        }
        if (any_beta) {
            call.beta[at] = given[i].beta;
        }
    }
    return count;
}

}  // namespace

BoundCall bind_call(const RunContract& contract, std::span<const OperandView> operands,
                    std::span<const ResultView> results, std::optional<std::int64_t> rows,
                    std::size_t status_entries, CallMemory& memory) {
    const bool any_batched = std::any_of(contract.operands.begin(), contract.operands.end(),
                                         [](const Operand& operand) { return operand.batched; });
    if (rows && !any_batched) {
        throw OperandError(fmt::format(
            "{} rows are given: expected none, since no operand of the plan is batched", *rows));
    }
    BoundCall call;
    const Count of_operands = bind_operands(contract, operands, call, memory);
    call.problems = std::max<std::int64_t>(of_operands.problems, 0);
    Count count = of_operands;
    if (!any_batched) {
        count = {1, "a plan without batched operands"};
    } else if (rows) {
        count = {*rows, "rows"};
    }
    count = bind_results(contract, results, count, call, memory);
    call.batch =
        count.problems == Count::kAny ? static_cast<std::int64_t>(status_entries) : count.problems;
    if (!rows) {
        call.problems = call.batch;
    }
    return call;
}

void check_rows(std::span<const std::int64_t> rows, std::int64_t problems) {
    const auto outside = std::find_if(rows.begin(), rows.end(), [problems](std::int64_t row) {
        return row < 0 || row >= problems;
    });
    if (outside != rows.end()) {
        throw OperandError(fmt::format("rows[{}] is {}: expected a problem from 0 to below {}",
                                       outside - rows.begin(), *outside, problems));
    }
}

}  // namespace matgrad::detail
