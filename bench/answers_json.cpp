#include "bench/answers_json.hpp"

#include <algorithm>

#include "bench/inputs.hpp"
#include "bench/timing.hpp"

namespace matgrad::bench {
namespace {

double number_of(const Json& fields, const char* key) {
    return fields.at(key).is_null() ? kNone : fields.at(key).get<double>();
}

Eigen::MatrixXd direction_of(const Case& c, std::int64_t problem) {
    const std::vector<Operand> operands = c.operands();
    const auto at = std::find_if(operands.begin(), operands.end(),
                                 [&](const Operand& o) { return o.name == c.wrt; });
    return direction(c.declare[static_cast<std::size_t>(at - operands.begin())], at->rows, at->cols,
                     problem);
}

}  // namespace

Json to_json(const std::vector<Answer>& answers) {
    Json list = Json::array();
    for (const Answer& answer : answers) {
        const Expected& e = answer.expected;
        list.push_back({{"problem", answer.problem},
                        {"f", e.f},
                        {"value_bound", e.f_bound},
                        {"df", e.df},
                        {"bound", e.df_bound}});
    }
    return list;
}

std::vector<Answer> answers_of_json(const Case& c, const Json& list) try {
    std::vector<Answer> answers;
    for (const Json& fields : list) {
        Answer answer;
        answer.problem = fields.at("problem").get<std::int64_t>();
        answer.expected.f = number_of(fields, "f");
        answer.expected.f_bound = number_of(fields, "value_bound");
        answer.expected.df = number_of(fields, "df");
        answer.expected.df_bound = number_of(fields, "bound");
        answer.direction = direction_of(c, answer.problem);
        answers.push_back(std::move(answer));
    }
    return answers;
} catch (const Json::exception& error) {
    throw CallerError(std::string("answers: ") + error.what());
}

}  // namespace matgrad::bench
