#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "planner/edit.hpp"
#include "planner/passes.hpp"
#include "planner/sample.hpp"

namespace matgrad {
namespace {

/// How often every step is done again.
constexpr int kSamples = 4;
/// The bound is so many times the root mean square of the changes that samples show. Where one direction
/// rules the error, as near to singular matrices, a sample is one throw: the factor is for that.
constexpr double kSafety = 5;
/// And at least so many eps: what storing the result may cost, and sums that lose more than their terms.
constexpr double kLeast = 4;

/// The values that the outputs of kind error name, and all that they are made of.
std::vector<bool> find_wanted(const Program& program) {
    std::vector<bool> wanted(program.values.size(), false);
    for (const ProgramOutput& output : program.outputs) {
        if (output.kind == OutputKind::error) {
            wanted[static_cast<std::size_t>(output.value)] = true;
        }
    }
    for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
        const bool second = step->out2 != kNoValue && wanted[static_cast<std::size_t>(step->out2)];
        if (!second && !wanted[static_cast<std::size_t>(step->out)]) {
            continue;
        }
        wanted[static_cast<std::size_t>(step->out)] = true;
        for_each_use(std::as_const(step->operation),
                     [&](const Use& use) { wanted[static_cast<std::size_t>(use.value)] = true; });
    }
    return wanted;
}

/// Writes the steps that are no samples: norms of values, and numbers made of numbers.
class Numbers {
public:
    explicit Numbers(Program& program) : program_(program) {}

    /// The Frobenius norm of an entrywise expression over the shape of `value`.
    template <typename Writer>
    ValueId norm(ValueId value, Writer writer) {
        Reduce reduce;
        reduce.op = ReduceOp::norm;
        reduce.rows = program_.value(value).rows;
        reduce.cols = program_.value(value).cols;
        BodyWriter body(reduce.body);
        body.finish(writer(body));
        return add(std::move(reduce), 1, ScalarType::float64, "for an error bound");
    }
    template <typename Writer>
    ValueId number(ScalarType type, const std::string& text, Writer writer) {
        Map map;
        BodyWriter body(map.body);
        body.finish(writer(body));
        return add(std::move(map), 1, type, text);
    }
    /// An n-by-n matrix or, with n = 1, a number.
    ValueId add(Operation operation, std::int64_t n, ScalarType type, const std::string& text) {
        Value value;
        value.rows = value.cols = {std::to_string(n), n};
        value.type = type;
        value.text = text;
        Step step;
        step.operation = std::move(operation);
        step.out = static_cast<ValueId>(program_.values.size());
        step.type = ScalarType::float64;
        program_.values.push_back(std::move(value));
        program_.steps.push_back(std::move(step));
        return program_.steps.back().out;
    }

private:
    Program& program_;
};

double epsilon_of(ScalarType type) {
    return type == ScalarType::float32 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                       : std::numeric_limits<double>::epsilon();
}

/// Systems are solved with the factors, or the logarithms of their pivots are taken: a matrix that is singular but
/// for roundings gives results that are wrong and do not scatter.
bool needs_condition(const Program& program, const Step& factorization) {
    const auto* potrf = std::get_if<Potrf>(&factorization.operation);
    if (potrf != nullptr && is_present(potrf->root)) {
        return false;  // whose condition is looked at where it is factored
    }
    if (potrf == nullptr && !std::holds_alternative<Getrf>(factorization.operation)) {
        return false;
    }
    return std::any_of(program.steps.begin(), program.steps.end(), [&](const Step& step) {
        const auto* solve = std::get_if<Solve>(&step.operation);
        const auto* trsm = std::get_if<Trsm>(&step.operation);
        const auto* reduce = std::get_if<Reduce>(&step.operation);
        const bool sums = reduce != nullptr && reduce->op == ReduceOp::sum &&
                          std::any_of(reduce->body.operands.begin(), reduce->body.operands.end(),
                                      [&](const MapOperand& operand) {
                                          return operand.use.value == factorization.out;
                                      });
        return sums || (solve != nullptr && solve->lu.value == factorization.out) ||
               (trsm != nullptr && trsm->triangle.value == factorization.out);
    });
}

/// eps times the condition number, in the Frobenius norm, of what the step factors.
ValueId loss_of_condition(Program& program, std::size_t at) {
    Numbers numbers(program);
    const Operation operation = program.steps[at].operation;
    const ValueId factor = program.steps[at].out;
    const ValueId pivots = program.steps[at].out2;
    const double epsilon = epsilon_of(program.steps[at].type);
    const std::int64_t n = program.value(factor).rows.size;
    const auto norm_of = [&](ValueId value) {
        return numbers.norm(value, [&](BodyWriter& body) { return body.load({value}); });
    };
    const std::string text = "condition";
    if (const auto* getrf = std::get_if<Getrf>(&operation)) {
        const Use a = getrf->a;
        const ValueId inverse = numbers.add(Solve{Side::left, false, {factor}, {pivots}, {}}, n,
                                            program.value(factor).type, text);
        const ValueId of_matrix = norm_of(a.value);
        const ValueId of_inverse = norm_of(inverse);
        return numbers.number(ScalarType::float64, text, [&](BodyWriter& body) {
            return body.scale(
                epsilon, body.binary(MapOp::mul, body.load({of_matrix}), body.load({of_inverse})));
        });
    }
    const ValueId inverse = numbers.add(Trsm{Side::left, true, false, {factor}, {}}, n,
                                        program.value(factor).type, text);
    const ValueId of_factor = numbers.norm(factor, [&](BodyWriter& body) {
        return body.binary(MapOp::mask, body.load({factor}), body.mask(MapOp::is_lower));
    });
    const ValueId of_inverse = norm_of(inverse);
    return numbers.number(ScalarType::float64, text, [&](BodyWriter& body) {
        const int root = body.binary(MapOp::mul, body.load({of_factor}), body.load({of_inverse}));
        return body.scale(epsilon, body.binary(MapOp::mul, root, root));
    });
}

/// The bound of what differs from its samples.
ValueId bound_of(Program& program, ValueId value, const std::vector<ValueId>& samples,
                 const std::vector<ValueId>& losses) {
    Numbers numbers(program);
    std::vector<ValueId> distances;
    for (const ValueId sample : samples) {
        distances.push_back(numbers.norm(value, [&](BodyWriter& body) {
            const int original = body.load({value});
            return body.binary(MapOp::sub, original, body.load({sample}));
        }));
    }
    const ValueId size = numbers.norm(value, [&](BodyWriter& body) { return body.load({value}); });
    // What entries below the range of the type may lose.
    const double smallest = (program.type == ScalarType::float32
                                 ? static_cast<double>(std::numeric_limits<float>::denorm_min())
                                 : std::numeric_limits<double>::denorm_min()) *
                            std::sqrt(static_cast<double>(program.value(value).count()));
    const std::string text = "error of " + program.value(value).text;
    return numbers.number(program.type, text, [&](BodyWriter& body) {
        const int length = body.load({size});
        int squares = -1;
        for (const ValueId distance : distances) {
            const int square =
                body.power(2, body.binary(MapOp::div, body.load({distance}), length));
            squares = squares < 0 ? square : body.binary(MapOp::add, squares, square);
        }
        const double mean = kSafety * kSafety / static_cast<double>(samples.size());
        const int scattered = body.unary(MapOp::sqrt, body.scale(mean, squares));
        const int lost = body.binary(MapOp::div, body.constant(smallest), length);
        const int bound = body.offset(kLeast * epsilon_of(program.type),
                                      body.binary(MapOp::add, scattered, lost));
        int least = bound;
        for (const ValueId loss : losses) {
            least = body.binary(MapOp::max, least, body.load({loss}));
        }
        // Infinite beyond 1, and where it is no number: 1 - step(1 - least) is no 0 then.
        const int within = body.unary(MapOp::step, body.offset(1, body.scale(-1, least)));
        const int unsure = body.binary(MapOp::mask, body.constant(1),
                                       body.binary(MapOp::sub, within, body.constant(1)));
        const int known =
            body.binary(MapOp::mask, bound, body.binary(MapOp::sub, body.constant(1), unsure));
        const int infinite = body.binary(
            MapOp::mask, body.constant(std::numeric_limits<double>::infinity()), unsure);
        return body.binary(MapOp::add, known, infinite);
    });
}

/// Of what is made of no step that rounds.
ValueId exact_bound(Program& program) {
    return Numbers(program).number(program.type, "error of nothing", [&](BodyWriter& body) {
        return body.constant(kLeast * epsilon_of(program.type));
    });
}

}  // namespace

void add_error_bounds(Program& program) {
    const std::vector<bool> wanted = find_wanted(program);
    if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
        return;
    }
    const std::size_t steps = program.steps.size();
    std::vector<Sample> samples;
    double seed = 0;
    for (int k = 0; k < kSamples; ++k) {
        samples.emplace_back(program, wanted, steps, seed);
    }
    std::vector<ValueId> losses;
    for (std::size_t at = 0; at < steps; ++at) {
        if (wanted[static_cast<std::size_t>(program.steps[at].out)] &&
            needs_condition(program, program.steps[at])) {
            losses.push_back(loss_of_condition(program, at));
        }
    }
    for (ProgramOutput& output : program.outputs) {
        if (output.kind != OutputKind::error) {
            continue;
        }
        std::vector<ValueId> twins;
        for (const Sample& sample : samples) {
            twins.push_back(sample.twin(output.value));
        }
        output.value = twins.front() == output.value
                           ? exact_bound(program)
                           : bound_of(program, output.value, twins, losses);
        output.transposed = false;
    }
    remove_dead(program);
}

}  // namespace matgrad
