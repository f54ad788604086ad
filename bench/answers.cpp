#include "bench/answers.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "bench/inputs.hpp"
#include "bench/suite_fields.hpp"

namespace matgrad::bench {
namespace {

Eigen::MatrixXd rounded(const Eigen::MatrixXd& m, ScalarType type) {
    return type == ScalarType::float32 ? Eigen::MatrixXd(m.cast<float>().cast<double>()) : m;
}

Answer answer_of(const Case& c, const DifferentialCheck& check, std::int64_t problem) {
    Answer answer;
    const bool is_summed = c.reduction != Reduction::none;
    answer.problem = is_summed ? 0 : problem;
    MatrixMap values;
    const std::vector<Operand> operands = c.operands();
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const Operand& o = operands[i];
        values[o.name] =
            rounded(input(c.declare[i], o.rows, o.cols, o.batched ? problem : 0), c.type);
        if (o.name == c.wrt) {
            answer.direction = direction(c.declare[i], o.rows, o.cols, answer.problem);
        }
    }
    answer.expected = check.expected(c.wrt, values, answer.direction);
    return answer;
}

/// Of all problems together: their bounds, and the additions in any order.
Answer summed_answer(const Case& c, const DifferentialCheck& check) {
    const double eps = c.type == ScalarType::float32 ? std::numeric_limits<float>::epsilon()
                                                     : std::numeric_limits<double>::epsilon();
    const double additions = eps * static_cast<double>(c.batch);
    Answer sum = answer_of(c, check, 0);
    Expected& total = sum.expected;
    total.f_bound += additions * std::abs(total.f);
    total.df_bound += additions * std::abs(total.df);
    for (std::int64_t problem = 1; problem < c.batch; ++problem) {
        const Expected one = answer_of(c, check, problem).expected;
        total.f += one.f;
        total.df += one.df;
        total.f_bound += one.f_bound + additions * std::abs(one.f);
        total.df_bound += one.df_bound + additions * std::abs(one.df);
    }
    return sum;
}

/// What the answers of a case depend on.
std::string key_of(const Case& c) {
    Json json = to_json(c);
    for (const char* key : {"name", "function", "outputs", "threads"}) {
        json.erase(key);
    }
    return json.dump();
}

}  // namespace

std::vector<std::int64_t> checked_problems(const Case& c) {
    std::vector<std::int64_t> problems{0};
    for (const std::int64_t problem : {c.batch / 2, c.batch - 1}) {
        if (!c.batched.empty() && problem > problems.back()) {
            problems.push_back(problem);
        }
    }
    return problems;
}

const std::vector<Answer>& AnswerBook::of(const Case& c) {
    const std::string key = key_of(c);
    const auto at = answers_.find(key);
    if (at != answers_.end()) {
        return at->second;
    }
    const DifferentialCheck check(c.expression(), c.type, c.accuracy);
    std::vector<Answer> answers;
    if (c.reduction != Reduction::none) {
        answers.push_back(summed_answer(c, check));
        return answers_[key] = std::move(answers);
    }
    for (const std::int64_t problem : checked_problems(c)) {
        answers.push_back(answer_of(c, check, problem));
    }
    return answers_[key] = std::move(answers);
}

void AnswerBook::keep(const Case& c, std::vector<Answer> answers) {
    answers_[key_of(c)] = std::move(answers);
}

Comparison compare(const std::vector<Answer>& answers, std::span<const OutputInfo> outputs,
                   const Found& found) {
    std::optional<Comparison> worst;
    for (const Answer& answer : answers) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const OutputInfo& info = outputs[i];
            const Eigen::MatrixXd result = found(i, info.batched ? answer.problem : 0);
            const Comparison comparison =
                info.kind == OutputKind::value
                    ? answer.expected.value(result(0, 0))
                    : answer.expected.differential(result.cwiseProduct(answer.direction).sum());
            if (!worst || comparison.is_worse_than(*worst)) {
                worst = comparison;
            }
        }
    }
    return worst.value_or(Comparison{});
}

}  // namespace matgrad::bench
