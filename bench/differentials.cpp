#include "bench/differentials.hpp"

#include "bench/inputs.hpp"
#include "bench/suite_fields.hpp"

namespace matgrad::bench {

std::string differentials_text(const Suite& suite, AnswerBook& book,
                               const std::function<void(std::size_t)>& progress) {
    Json cases = Json::object();
    std::size_t done = 0;
    for (const Case& c : suite.cases) {
        Json problems = Json::array();
        for (const Answer& answer : book.of(c)) {
            const Expected& e = answer.expected;
            problems.push_back({{"problem", answer.problem},
                                {"f", e.f},
                                {"value_bound", e.f_bound},
                                {"df", e.df},
                                {"bound", e.df_bound}});
        }
        cases[c.name] = {{"case", to_json(c)}, {"problems", problems}};
        progress(++done);
    }
    const Json json{
        {"tool", "matgrad"}, {"suite", suite.name}, {"seed", kInputSeed}, {"cases", cases}};
    return json.dump(1) + "\n";
}

}  // namespace matgrad::bench
